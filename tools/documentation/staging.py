"""The written pages and the generated ones in one folder, as the builder wants them; links that lead nowhere are told.

The pages of ``docs/`` are written for two places: a forge, which shows the files as they lie, and the built site. A
link to a page stays as it is. A link to another file of the repository leads to a copy of it on the site.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

FOLDERS: Final = ("guides", "reference", "internals", "decisions")  # in the order in which the site shows them
FILES: Final = "files"  # where copies of files of the repository lie on the site
_FENCE: Final = re.compile(r"^ {0,3}(```+|~~~+|:::+)")
_LINK: Final = re.compile(r"(?<!\\)\]\((?P<target>[^()\s]+(?:\([^()\s]*\)[^()\s]*)*)(?P<title>\s+\"[^\"]*\")?\)")
_OUTSIDE: Final = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


class Broken(Exception):
    """Links that lead to nothing, one a line."""


def stage(root: Path, source: Path, generated: Mapping[str, str]) -> None:
    """Make ``source`` hold every page of ``root``/docs and every one of ``generated`` (path below docs → text).

    Pages that are the same already keep their time, so that the builder leaves them alone. Raises ``Broken``.
    """
    docs = root / "docs"
    pages = {path.relative_to(docs).as_posix(): path.read_text("utf-8") for path in sorted(docs.rglob("*.md"))}
    pages["README.md"] += contents([*pages, *generated])
    twice = pages.keys() & generated.keys()
    broken = [f"docs/{page}: expected it to be generated, got a file of that name" for page in sorted(twice)]
    wanted: dict[Path, bytes] = {}
    for page, text in {**pages, **generated}.items():
        staged, copied, wrong = _staged(root, docs / page, text, generated.keys())
        wanted[source / page] = staged.encode()
        wanted.update({source / FILES / name: (root / name).read_bytes() for name in copied})
        broken += wrong
    if broken:
        raise Broken("\n".join(broken))
    for path, content in wanted.items():
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for path in sorted(source.rglob("*")):
        if path.is_file() and path not in wanted:
            path.unlink()
    for folder in sorted((path for path in source.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            shutil.rmtree(folder)


def contents(pages: Sequence[str]) -> str:
    """Return the table of contents of all ``pages``, folder by folder; a forge has no use for it."""
    lines = []
    for caption, folder in (("", ""), *((name.capitalize(), f"{name}/") for name in FOLDERS)):
        own = [page for page in pages if page.startswith(folder) and "/" not in page.removeprefix(folder)]
        first = [page for page in (f"{folder}README.md", "concepts.md") if page in own and page != "README.md"]
        rest = sorted(page for page in own if page not in first and page != "README.md")
        if first or rest:
            titled = [f":caption: {caption}"] if caption else []
            lines += ["", "```{toctree}", ":hidden:", ":titlesonly:", *titled, "", *first, *rest, "```"]
    return "\n".join(lines) + "\n"


def links(text: str) -> Iterator[tuple[int, re.Match[str]]]:
    """Yield the links of a page with their line numbers, none of what stands in code."""
    fence = ""
    for number, line in enumerate(text.split("\n"), 1):
        opened = _FENCE.match(line)
        if opened and not fence and not opened[1].startswith(":"):
            fence = opened[1]
        elif opened and fence and opened[1].startswith(fence) and line.strip() == opened[1]:
            fence = ""
        elif not fence:
            spans = [found.span() for found in re.finditer(r"(`+)(?!`).+?(?<!`)\1(?!`)", line)]
            for found in _LINK.finditer(line):
                if not any(start <= found.start() < end for start, end in spans):
                    yield number, found


def outside(source: Path) -> list[tuple[str, str]]:
    """Return every page with every address outside of the repository that it links to."""
    return [
        (path.relative_to(source).as_posix(), found["target"])
        for path in sorted(source.rglob("*.md"))
        if FILES not in path.relative_to(source).parts
        for _, found in links(path.read_text("utf-8"))
        if _OUTSIDE.match(found["target"])
    ]


def _staged(root: Path, page: Path, text: str, generated: object) -> tuple[str, list[str], list[str]]:
    """Return the page as the site wants it, the files that must be there as well, and what leads nowhere."""
    docs = root / "docs"
    lines = text.split("\n")
    copied: list[str] = []
    broken: list[str] = []
    for number, found in reversed(list(links(text))):
        target = found["target"]
        if _OUTSIDE.match(target) or target.startswith("#"):
            continue  # the builder checks anchors
        name, _, _ = target.partition("#")
        path = Path(os.path.normpath(page.parent / name))
        where = f"docs/{page.relative_to(docs).as_posix()}:{number}"
        inside = path.is_relative_to(docs)
        if inside and path.suffix == ".md" and (path.is_file() or path.relative_to(docs).as_posix() in generated):  # type: ignore[operator]
            continue
        if not path.is_relative_to(root) or not path.exists():
            broken.append(f"{where}: expected a file of the repository, got {target}")
            continue
        line = lines[number - 1]
        if path.is_dir() or path.suffix == ".md":
            # A folder, or a page that is read on the forge: the site names it.
            start = line.rfind("[", 0, found.start())
            said = line[start + 1 : found.start()]
            place = path.relative_to(root).as_posix()
            shown = said if said.strip("`") == place else f"{said} (`{place}`)"
            lines[number - 1] = line[:start] + shown + line[found.end() :]
            continue
        copied.append(path.relative_to(root).as_posix())
        up = "../" * len(page.relative_to(docs).parent.parts)
        link = f"]({up}{FILES}/{copied[-1]})"
        lines[number - 1] = line[: found.start()] + link + line[found.end() :]
    return "\n".join(lines), copied, broken
