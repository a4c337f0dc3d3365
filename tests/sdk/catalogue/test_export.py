"""Taking everything home: what the service calls things never decides where they are written."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from licet.catalogue.export import export_works
from licet.errors import MalformedError
from licet.wire.works import StatementInfo


class Lying:
    """A service that names a statement like a place on the caller's machine."""

    url = "http://127.0.0.1:9"

    def __init__(self, statement: str) -> None:
        self._statement = statement

    def works(self, **_: Any) -> list[Any]:
        return []

    def statements(self) -> list[StatementInfo]:
        return [StatementInfo(self._statement, "initial", "works", 0, "0" * 64, 1, "2026-11-30T12:00:00Z", None)]

    def statement_file(self, _: str) -> bytes:
        return b'{"hooks": "of another program"}'

    def need_account(self) -> Any:
        return SimpleNamespace(account="art_x")


@pytest.mark.parametrize("name", ["../../settings", "{elsewhere}/settings", "", "a/b", "a\0b", "a\nb"])
def test_a_statement_named_like_a_path_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    lying: Any = Lying(name.format(elsewhere=elsewhere))
    with pytest.raises(MalformedError, match="expected an identifier"):
        export_works(lying, tmp_path / "in" / "out")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
