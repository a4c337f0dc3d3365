"""Play the story: ``python -m demo``. Prints what happened with real figures and writes ``build/demo/report.json``."""

from __future__ import annotations

import sys

from demo.stage import StoryError
from demo.story import play

try:
    play()
except StoryError as error:
    print(f"the demo broke off: {error}", file=sys.stderr)
    sys.exit(1)
