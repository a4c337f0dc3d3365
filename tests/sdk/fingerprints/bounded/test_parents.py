"""Whoever has decoders: a script without a main guard, one that is killed, one that forks."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from licet.fingerprints.picture import fingerprint_bytes
from tests.sdk.fingerprints.bounded.watching import busy, gone, needs_proc, until

Save = Callable[..., bytes]


def written(folder: Path, script: str) -> Path:
    path = folder / "script.py"
    path.write_text(textwrap.dedent(script), "utf-8")
    return path


def test_a_script_needs_no_main_guard_and_what_lies_beside_it_is_not_taken_for_a_library(
    tmp_path: Path, scene: npt.NDArray[np.uint8], save: Save
) -> None:
    data = save(scene, "PNG")
    (tmp_path / "picture").write_bytes(data)
    script = written(
        tmp_path,
        """
        from concurrent.futures import ThreadPoolExecutor
        from pathlib import Path
        from licet.fingerprints.bounded import fingerprint_bytes
        data = Path("picture").read_bytes()
        with ThreadPoolExecutor() as pool:
            for found in pool.map(fingerprint_bytes, [data] * 3):
                print(found.pixels)
        """,
    )
    (tmp_path / "resource.py").write_text("raise SystemExit('none of the libraries that limits are set by')", "utf-8")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.stdout.split(), done.stderr, done.returncode) == ([fingerprint_bytes(data).pixels] * 3, "", 0)


@needs_proc
def test_decoders_end_with_the_process_that_has_them_however_that_ends(tmp_path: Path, large: bytes) -> None:
    (tmp_path / "picture").write_bytes(large)
    script = written(
        tmp_path,
        """
        import sys
        from pathlib import Path
        from licet.fingerprints.bounded import Decoders
        decoders = Decoders(most=2)
        decoders.begin()
        data = Path("picture").read_bytes()
        decoders.examine(data)
        [idle] = decoders._alive
        print(idle._process.pid, flush=True)
        sys.stdin.readline()
        decoders.examine(data)
        sys.stdin.readline()
        """,
    )
    with subprocess.Popen(
        [sys.executable, script], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        decoder = int(parent.stdout.readline())
        parent.stdin.write("\n")
        parent.stdin.flush()
        until(lambda: busy(decoder))
        parent.kill()
    until(lambda: gone(decoder))


@needs_proc
def test_a_forked_process_has_decoders_of_its_own(tmp_path: Path, scene: npt.NDArray[np.uint8], save: Save) -> None:
    data = save(scene, "PNG")
    (tmp_path / "picture").write_bytes(data)
    script = written(
        tmp_path,
        """
        import os
        from pathlib import Path
        from licet.fingerprints.bounded import decoders, fingerprint_bytes
        data = Path("picture").read_bytes()
        fingerprint_bytes(data)
        [ours] = decoders(iscc=True)._alive
        child = os.fork()
        if not child:
            print(fingerprint_bytes(data).pixels, decoders(iscc=True)._alive.isdisjoint({ours}), flush=True)
            decoders(iscc=True).close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        print(fingerprint_bytes(data).pixels, decoders(iscc=True)._alive == {ours}, flush=True)
        """,
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", script], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert (done.stdout.split(), done.stderr) == ([fingerprint_bytes(data).pixels, "True"] * 2, "")
