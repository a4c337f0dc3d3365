"""What a person reads first: numbers of things, and where an option belongs."""

from __future__ import annotations

import pytest

from licet.cli.entry import main
from licet.counted import many


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 entries"), (1, "1 entry"), (2, "2 entries"), (1_000_000, "1,000,000 entries")]
)
def test_one_is_not_many(count: int, words: str) -> None:
    assert many(count, "entry", "entries") == words


@pytest.mark.parametrize("option", [["--profile", "mei"], ["--profile=mei"], ["--json"]])
def test_an_option_before_the_command_is_told_where_it_belongs(
    option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*option, "works", "list"])
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert "expected a command before it" in told.out + told.err
