"""What is typed wrong is named, with the help that lists what was meant."""

from __future__ import annotations

import pytest

from licet.cli.entry import main


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("filter in.csv -o out", ["--use: expected a value, got none", "`licet filter --help`"]),
        ("check", ["INPUTS: expected a value, got none", "`licet check --help`"]),
        ("works list --jsno", ["--jsno", "Did you mean --json?", "`licet works list --help`"]),
        ("works lst", ['"lst"', 'Did you mean "list"?', "`licet works --help`"]),
        ("wroks list", ['"wroks"', 'Did you mean "works"?', "`licet --help`"]),
    ],
)
def test_a_slip_is_named_with_the_help_that_lists_what_was_meant(
    typed: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(typed.split())
    assert stopped.value.code == 2
    told = capsys.readouterr().err
    assert all(word in told for word in words), told
    assert ", ;" not in told


@pytest.mark.parametrize("typed", ["works show", "terms show"])
def test_bytes_that_are_no_text_are_refused_as_what_they_are(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([*typed.split(), "wrk_\udcce"])  # a byte of the command line that is no UTF-8
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("error: expected text in UTF-8, got ")


@pytest.mark.parametrize("command", ["trace", "audit sample"])
def test_a_list_of_files_has_no_second_option_that_empties_it(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    told = capsys.readouterr().out
    assert ("--evidence" in told, "--empty-" in told) == (True, False)
