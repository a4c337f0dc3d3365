"""The generated reference says all of what the code says, and pages that were written name only what the code has."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from cyclopts import App

import licet
from licet.cli.entry import application
from registry.cli import app as service
from registry.settings import PREFIX, Settings, described, variable
from tools.documentation.reference import pages

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = [
    *(ROOT / name for name in ("README.md", "SECURITY.md")),
    *(path for path in sorted((ROOT / "docs").rglob("*.md")) if "decisions" not in path.parts),
]


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return pages()


def _commands(app: App, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], App]:
    found = {}
    for name in app:
        if not name.startswith("-"):
            found[(*path, name)] = app[name]
            found.update(_commands(app[name], (*path, name)))
    return found


@pytest.mark.parametrize(("name", "app"), [("licet", application()), ("licet-registry", service)])
def test_every_command_and_option_is_told(made: dict[str, str], name: str, app: App):
    page = made[f"reference/{name}.md"]
    commands = _commands(app)
    assert len(commands) > 8
    for path, command in commands.items():
        assert f"# {' '.join((name, *path))}\n" in page
        if command.default_command is None:
            continue
        for argument in command.assemble_argument_collection(parse_docstring=True):
            option = next((each for each in argument.names if each.startswith("--")), None)
            assert option is None or f"`{option}" in page, (path, option)


def test_every_setting_is_told_with_its_default(made: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    for name in os.environ:
        if name.startswith(PREFIX) or name == "DATABASE_URL":
            monkeypatch.delenv(name)
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*) \|$", made["reference/settings.md"], re.MULTILINE))
    assert rows.keys() == {variable(name) for name in Settings.model_fields}
    defaults = Settings.load()
    for each in described():
        assert (f"`{each.default}`" if each.default else "empty") in rows[each.variable]
        # A default that is told can be given back, and means the same.
        if each.default and each.field != "data":
            monkeypatch.setenv(each.variable, each.default)
    assert Settings.load() == defaults


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages_name_only_settings_that_exist(path: Path):
    known = {variable(name) for name in Settings.model_fields} | {f"{PREFIX}DATABASE_URL", f"{PREFIX}…"}
    named = set(re.findall(rf"{PREFIX}[A-Z…][A-Z_]*", path.read_text("utf-8")))
    assert named <= known


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages_name_only_commands_that_exist(path: Path):
    known = {("licet", *each) for each in _commands(application())}
    known |= {("licet-registry", *each) for each in _commands(service)}
    for line in re.findall(
        r"^(licet(?:-registry)? .*)$|`(licet(?:-registry)? [^`]*)`", path.read_text("utf-8"), re.MULTILINE
    ):
        words = tuple((line[0] or line[1]).split())
        plain = []
        for word in words:
            if not re.fullmatch(r"[a-z][a-z-]*", word):
                break
            plain.append(word)
        if len(plain) < 2:
            continue
        assert tuple(plain[:2]) in known, words
        group = any(len(each) == 3 and each[:2] == tuple(plain[:2]) for each in known)
        if group and len(plain) > 2:
            assert tuple(plain[:3]) in known, words


def test_every_operation_of_the_interface_is_told(made: dict[str, str]):
    document = json.loads((ROOT / "openapi" / "openapi.json").read_text("utf-8"))
    operations = [(method, path) for path, item in document["paths"].items() for method in item]
    assert operations
    for method, path in operations:
        assert f"### `{method.upper()} {path}`\n" in made["reference/http.md"]
    for name in document["components"]["schemas"]:
        assert f"### {name}\n" in made["reference/http.md"]


def test_every_public_name_is_told(made: dict[str, str]):
    told = made["reference/python.md"] + made["reference/errors.md"]
    for name in licet.__all__:
        assert name == "__version__" or f"## {name}\n" in told or f"`{name}`" in told
