"""What is printed: names of strangers' files and works, which a terminal must show and never obey."""

from __future__ import annotations

import json
from pathlib import Path

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
