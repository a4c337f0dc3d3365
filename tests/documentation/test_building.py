"""The documentation: what leads nowhere is found, and every page can be reached."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.documentation.__main__ import build
from tools.documentation.staging import Broken, links, outside, stage

ROOT = Path(__file__).resolve().parents[2]
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in (ROOT / "docs").rglob("*.md")}


def written(root: Path, **pages: str) -> Path:
    """Write a small documentation."""
    for name, text in {"README": "# Start\n", **pages}.items():
        path = root / "docs" / f"{name.replace('__', '/')}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[x](gone.md)", "docs/page.md:3: expected a file of the repository, got gone.md"),
        ("[x](../gone.json)", "docs/page.md:3: expected a file of the repository, got ../gone.json"),
        ("[x](../../../etc/hosts)", "docs/page.md:3: expected a file of the repository, got ../../../etc/hosts"),
    ],
)
def test_a_link_to_no_file_is_named_with_its_line(tmp_path: Path, text: str, message: str):
    with pytest.raises(Broken, match=re.escape(message)):
        stage(written(tmp_path, page=f"# Page\n\n{text}\n"), tmp_path / "source", {})


def test_code_is_not_read_as_links(tmp_path: Path):
    page = "# Page\n\n```md\n[x](gone.md)\n```\n\nand `[y](gone.md)` too\n"
    stage(written(tmp_path, page=page), tmp_path / "source", {})
    assert (tmp_path / "source" / "page.md").read_text() == page


def test_files_of_the_repository_travel_along_and_folders_are_named(tmp_path: Path):
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "api.json").write_text("{}")
    page = "# Page\n\n[it](../../api/api.json), [there](../../api), [far](https://far.example/a)\n"
    stage(written(tmp_path, deep__page=page), tmp_path / "source", {})
    staged = (tmp_path / "source" / "deep" / "page.md").read_text()
    assert "[it](../files/api/api.json), there (`api`)" in staged
    assert (tmp_path / "source" / "files" / "api" / "api.json").read_text() == "{}"
    assert outside(tmp_path / "source") == [("deep/page.md", "https://far.example/a")]


def test_what_is_written_and_what_is_generated_never_meet(tmp_path: Path):
    with pytest.raises(Broken, match=re.escape("docs/page.md: expected it to be generated")):
        stage(written(tmp_path, page="# Page\n"), tmp_path / "source", {"page.md": "# Other\n"})


def test_a_page_that_is_gone_leaves_the_site(tmp_path: Path):
    stage(written(tmp_path, page="# Page\n"), tmp_path / "source", {})
    (tmp_path / "docs" / "page.md").unlink()
    stage(tmp_path, tmp_path / "source", {})
    assert not (tmp_path / "source" / "page.md").exists()


@pytest.mark.parametrize(("anchor", "code"), [("two-words", 0), ("no-such-words", 1)])
def test_a_link_to_no_heading_fails_the_build(
    tmp_path: Path, anchor: str, code: int, capfd: pytest.CaptureFixture[str]
):
    root = written(tmp_path, page=f"# Page\n\n[x](README.md#{anchor})\n", README="# Start\n\n## Two words\n\ntext\n")
    assert build(root, tmp_path / "build", {}) == code
    told = capfd.readouterr().err
    assert ("no-such-words" in told) is bool(code)


def test_every_written_page_can_be_reached_from_the_first():
    reached, todo = set(), ["docs/README.md"]
    while todo:
        page = todo.pop()
        reached.add(page)
        for _, found in links(PAGES[page]):
            target = found["target"].partition("#")[0]
            path = (ROOT / page).parent.joinpath(target).resolve()
            name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else ""
            if name in PAGES and name not in reached:
                todo.append(name)
    assert PAGES.keys() - reached == set(), "link them from docs/README.md"


def test_every_link_works_on_a_forge_too():
    broken = [
        f"{page}: {found['target']}"
        for page, text in PAGES.items()
        for _, found in links(text)
        if "://" not in found["target"] and not found["target"].startswith(("#", "mailto:"))
        if not (ROOT / page).parent.joinpath(found["target"].partition("#")[0]).exists()
    ]
    assert broken == []
