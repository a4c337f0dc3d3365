"""``python -m tools.documentation``: build the documentation into build/docs/html; a warning is an error.

``--links`` lists every address outside of the repository that a page names, and fetches none.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.documentation.reference import pages
from tools.documentation.staging import Broken, outside, stage

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> int:
    """Return 0 once everything is built, 1 with what is wrong on stderr."""
    if arguments not in ([], ["--links"]):
        print("usage: python -m tools.documentation [--links]", file=sys.stderr)
        return 2
    folder = ROOT / "build" / "docs"
    if arguments:
        stage(ROOT, folder / "source", pages())
        print("\n".join(f"{page}: {address}" for page, address in outside(folder / "source")))
        return 0
    code = build(ROOT, folder, pages())
    if code == 0:
        print(f"built {(folder / 'html' / 'README.html').relative_to(ROOT)}")
    return code


def build(root: Path, folder: Path, generated: Mapping[str, str]) -> int:
    """Return 0 once the pages below ``root``/docs and the ``generated`` ones are built into ``folder``/html, else 1.

    Every link inside is checked, headings too; what is wrong is told on stderr.
    """
    source = folder / "source"
    try:
        stage(root, source, generated)
    except Broken as error:
        print(error, file=sys.stderr)
        return 1
    options = ("--builder", "html", "--quiet", "--keep-going", "--fail-on-warning", "--jobs", "2")
    places = ("--doctree-dir", folder / "doctrees", "--conf-dir", ROOT / "docs", source, folder / "html")
    done = subprocess.run([sys.executable, "-m", "sphinx", *options, *places], check=False)
    return 1 if done.returncode else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
