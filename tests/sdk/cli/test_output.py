"""What is printed: names of strangers' files and works, which a terminal must show and never obey."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from licet.cli.output import COMMON, Common, fail, note, show
from licet.errors import InputError

HOSTILE = "a\x1b]0;owned\x07\x1b[2J\x9b1m\r\u202egpj.\udcff 允许 😀\u200d"
SHOWN = "a\ufffd]0;owned\ufffd\ufffd[2J\ufffd1m\ufffd\ufffdgpj.\ufffd 允许 😀\u200d"


def test_no_name_reaches_the_terminal_as_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    show(COMMON, {}, [f"kept  {HOSTILE}\n\tand more"])
    note(HOSTILE)
    assert fail(InputError(HOSTILE), False) == 2
    out, err = capsys.readouterr()
    assert out == f"kept  {SHOWN}\n\tand more\n"
    assert err == f"{SHOWN}\nerror: {SHOWN}\n"


def test_a_name_that_is_no_text_is_shown_in_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    error = InputError("a\udcff.csv: expected a table, got none", path=Path("a\udcff.csv"), names=["\udcff"])
    assert fail(error, True) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["error"]["message"].startswith("a?.csv: expected")
    assert document["error"]["names"] == ["?"]


def test_a_document_on_a_terminal_commands_nothing_and_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    show(Common(json=True), {"title": SHOWN + "\x9b1m\x7f\u202e\u200d\n"}, [])
    out = capsys.readouterr().out
    assert not set(out) & set("\x1b\x7f\x9b\u202e")
    assert json.loads(out)["title"] == SHOWN + "\x9b1m\x7f\u202e\u200d\n"


class Long(Sequence[Any]):
    """Values that are made as they are read."""

    def __init__(self, count: int, value: Any) -> None:
        self._count, self._value = count, value
        self.read = 0

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, at: Any) -> Any:
        raise AssertionError("expected to be read from the first to the last")

    def __iter__(self) -> Iterator[Any]:
        for number in range(self._count):
            self.read += 1
            yield {"number": number, "value": self._value}


@pytest.mark.parametrize("count", [0, 1, 255, 256, 600])
@pytest.mark.parametrize("value", [HOSTILE, "plain", [1, {"a": None}], [], "two\nlines"])
def test_a_long_list_is_printed_as_it_is_read_and_as_a_list_would_be(
    capsys: pytest.CaptureFixture[str], count: int, value: Any
) -> None:
    rows = [{"number": number, "value": value} for number in range(count)]
    for document in (
        lambda drop: {"before": 1, "drop": drop, "after": HOSTILE},
        lambda drop: {"results": [{"drop": drop, "new": drop}, {"drop": drop, "name": "x"}]},
    ):
        show(Common(json=True), document(rows), [])
        whole = capsys.readouterr().out
        long = Long(count, value)
        show(Common(json=True), document(long), [])
        assert capsys.readouterr().out == whole
        assert long.read in (count, 3 * count)
