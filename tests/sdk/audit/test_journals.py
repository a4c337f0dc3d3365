"""The journals are what hledger and beancount take, and what they refuse when a millionth is missing."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.audit import layout
from licet.audit.journals import Beancount, Hledger, account_name
from licet.audit.layout import period_of
from licet.audit.tables import BalanceRow, LedgerRow, TransferRow
from licet.errors import InputError
from tests.sdk.audit.stage import Stage, unpacked

NOVEMBER = period_of("2026-11")
PROGRAMS = {
    layout.HLEDGER: ["hledger", "check", "--strict", "-f"],
    layout.BEANCOUNT: ["bean-check"],
}


def accepted(name: str, journal: bytes, folder: Path) -> bool:
    """Whether the program for journal ``name`` takes it; the test is skipped where the program is not installed."""
    command = PROGRAMS[name]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed (Debian: hledger, beancount)")
    path = folder / name
    path.write_bytes(journal)
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode == 0 and not done.stderr


@pytest.fixture(scope="module")
def parts(stage: Stage, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """The journals of everything, of an artist's part, and of a month in which nothing happened."""
    folder = tmp_path_factory.mktemp("parts")
    quiet, nil = stage.records("2026-12"), stage.records("2026-09")
    return {
        "everything": unpacked(bundle),
        "artist": unpacked(stage.write(stage.part("Tomas"), folder / "part.zip")),
        "quiet": unpacked(stage.write(quiet, folder / "quiet.zip")),
        "nil": unpacked(stage.write(nil, folder / "nil.zip")),
    }


@pytest.mark.parametrize("part", ["everything", "artist", "quiet", "nil"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_program_takes_it(parts: dict[str, dict[str, bytes]], part: str, name: str, tmp_path: Path) -> None:
    assert accepted(name, parts[part][name], tmp_path)


@pytest.mark.parametrize("part", ["everything", "artist"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_millionth_is_missed(parts: dict[str, dict[str, bytes]], part: str, name: str, tmp_path: Path) -> None:
    journal = parts[part][name].decode()
    amounts = [match for match in re.finditer(r"(?<=[ =] )-?\d+\.\d{6}(?= [~A-Z])", journal) if float(match[0])]
    for match in (amounts[0], amounts[len(amounts) // 2], amounts[-1]):
        wrong = f"{journal[: match.start()]}{float(match[0]) + 0.000001:.6f}{journal[match.end() :]}"
        assert not accepted(name, wrong.encode(), tmp_path)


def test_every_amount_is_explicit(bundle: Path) -> None:
    for name in PROGRAMS:
        journal = unpacked(bundle)[name].decode()
        postings = [line for line in journal.splitlines() if line.startswith("    ")]
        assert postings
        pattern = r"    [A-Z][A-Za-z0-9:-]+  -?\d+\.\d{6} [A-Z]{3}(?: = -?\d+\.\d{6} [A-Z]{3})?"
        assert all(re.fullmatch(pattern, line) for line in postings)


NAMES = st.from_regex(r"[a-z]{1,8}:[a-z0-9][a-z0-9_]{0,20}", fullmatch=True)


@given(one=NAMES, other=NAMES)
def test_different_accounts_have_different_valid_names(one: str, other: str) -> None:
    assert re.fullmatch(r"[A-Z][a-z]+(:[A-Z0-9][A-Za-z0-9-]*)+", account_name(one))
    assert (account_name(one) == account_name(other)) == (one == other)


@pytest.mark.parametrize(
    "name", ["", "payable", ":x", "payable:", "payable:_x", "pay able:x", "payable:x y", "payable:é"]
)
def test_what_is_no_ledger_account_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="a ledger account"):
        account_name(name)


def test_text_of_a_transfer_cannot_become_syntax(tmp_path: Path) -> None:
    evil = 'x" ; include "/etc/passwd"\nplugin "os'
    balances = [BalanceRow("payable:a", "USD", 0, -1, 0, 0, -1), BalanceRow("receivable:b", "USD", 0, 1, 0, 0, 1)]
    transfer = TransferRow("tra_x", NOVEMBER.start, evil, evil, "k", None, None)
    rows = [LedgerRow("tra_x", "payable:a", "USD", -1), LedgerRow("tra_x", "receivable:b", "USD", 1)]
    for kind, name in ((Hledger, layout.HLEDGER), (Beancount, layout.BEANCOUNT)):
        written: list[str] = []
        journal = kind(written.append, evil, NOVEMBER, balances)
        journal.transfer(transfer, rows)
        journal.close()
        text = "".join(written)
        assert '"os' not in text
        assert "\nplugin" not in text
        assert accepted(name, text.encode(), tmp_path)
