"""The line that ``licet-registry up`` prints for another terminal."""

from __future__ import annotations

import subprocess
from pathlib import Path

from registry.running.commands import to_paste


def test_the_line_can_be_pasted_wherever_the_programs_lie() -> None:
    place = "/home/mei/My Projects/$HOME; 图/bin"
    line = f'{to_paste("http://localhost:8000", Path(place))}; printf %s "$PATH"'
    told = subprocess.run(["/bin/sh", "-c", line], env={"PATH": "/usr/bin"}, capture_output=True, text=True, check=True)
    assert told.stdout == f"{place}:/usr/bin"
