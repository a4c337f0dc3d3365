"""The journals are what hledger, ledger and beancount take, and what they refuse when a millionth is missing."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from licet import identifiers
from licet.audit import layout, verify_bundle
from licet.audit.journals import EQUITY, Beancount, FormerHledger, Hledger, account_name
from licet.audit.layout import period_of
from licet.audit.tables import BALANCES, BalanceRow, LedgerRow, TransferRow
from licet.errors import InputError
from tests.conftest import TIMES
from tests.sdk.audit.stage import Records, Stage, unpacked

NOVEMBER = period_of("2026-11")
PROGRAMS = {
    "hledger": (layout.HLEDGER, ["hledger", "check", "accounts", "commodities", "balanced", "ordereddates", "-f"]),
    "ledger": (layout.HLEDGER, ["ledger", "--strict", "--args-only", "balance", "-f"]),
    "beancount": (layout.BEANCOUNT, ["bean-check"]),
}


def told(command: list[str], journal: bytes, path: Path) -> subprocess.CompletedProcess[str]:
    """What a program says of ``journal``; the test is skipped where it is not installed."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed (Debian: hledger, ledger, beancount)")
    path.write_bytes(journal)
    return subprocess.run([*command, str(path)], capture_output=True, text=True, timeout=120, check=False)


def accepted(program: str, journal: bytes, folder: Path) -> bool:
    """Whether ``program`` takes its journal and has nothing to say against it."""
    name, command = PROGRAMS[program]
    done = told(command, journal, folder / name)
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
@pytest.mark.parametrize("program", PROGRAMS)
def test_the_program_takes_it(parts: dict[str, dict[str, bytes]], part: str, program: str, tmp_path: Path) -> None:
    assert accepted(program, parts[part][PROGRAMS[program][0]], tmp_path)


@pytest.mark.parametrize("part", ["everything", "artist"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_millionth_is_missed(parts: dict[str, dict[str, bytes]], part: str, program: str, tmp_path: Path) -> None:
    journal = parts[part][PROGRAMS[program][0]].decode()
    amounts = [match for match in re.finditer(r"(?<=[ =] )-?\d+\.\d{6}(?= [~A-Z])", journal) if float(match[0])]
    for match in (amounts[0], amounts[len(amounts) // 2], amounts[-1]):
        assert not accepted(program, more(journal, match).encode(), tmp_path)


def more(journal: str, match: re.Match[str]) -> str:
    """The journal with a millionth more at ``match``."""
    return f"{journal[: match.start()]}{Decimal(match[0]) + Decimal('0.000001'):.6f}{journal[match.end() :]}"


def test_every_amount_is_explicit(bundle: Path) -> None:
    for name in (layout.HLEDGER, layout.BEANCOUNT):
        journal = unpacked(bundle)[name].decode()
        postings = [line for line in journal.splitlines() if line.startswith("    ") and ":" in line]
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
    for program in PROGRAMS:
        text = written(program, balances, [(transfer, rows)], evil)
        assert '"os' not in text
        assert "\nplugin" not in text
        assert accepted(program, text.encode(), tmp_path)


def written(
    program: str, balances: list[BalanceRow], transfers: list[tuple[TransferRow, list[LedgerRow]]], title: str = "t"
) -> str:
    """The journal for ``program``."""
    pieces: list[str] = []
    kind = Beancount if program == "beancount" else Hledger
    journal = kind(pieces.append, title, NOVEMBER, balances)
    for transfer, rows in transfers:
        journal.transfer(transfer, rows)
    journal.close()
    return "".join(pieces)


ACCOUNTS = [f"{side}:{owner}" for side in ("receivable", "payable", "escrow", "fee", "residue") for owner in "abc"]
MOVES = st.lists(
    st.tuples(
        st.integers(1, 30),
        st.lists(
            st.tuples(
                st.sampled_from(ACCOUNTS),
                st.sampled_from(ACCOUNTS),
                st.sampled_from(["CNY", "EUR", "USD"]),
                st.integers(1, 10**9) | st.integers(1, 9 * 10**15),
            ),
            min_size=1,
            max_size=4,
        ),
        st.text(max_size=12),
    ),
    max_size=12,
).filter(lambda moves: any(debit != credit for _, lines, _ in moves for debit, credit, _, _ in lines))


def booked(moves: Any) -> tuple[list[BalanceRow], list[tuple[TransferRow, list[LedgerRow]]], dict[Any, int]]:
    """A ledger of November out of ``moves``: those of days 1 to 5 were before it. With the closing balances."""
    before: Counter[tuple[str, str]] = Counter()
    accrued: Counter[tuple[str, str]] = Counter()
    transfers = []
    for number, (day, lines, text) in enumerate(sorted(moves, key=lambda move: move[0])):
        amounts: Counter[tuple[str, str]] = Counter()
        for debit, credit, currency, amount in lines:
            amounts[debit, currency] += amount
            amounts[credit, currency] -= amount
        (before if day <= 5 else accrued).update(amounts)
        if day > 5 and any(amounts.values()):
            head = TransferRow(f"tra_{number}", f"2026-11-{day:02}T00:00:00.000Z", "usage", text, "k", None, None)
            lines_of = [
                LedgerRow(f"tra_{number}", *place, amount) for place, amount in sorted(amounts.items()) if amount
            ]
            transfers.append((head, lines_of))
    closing = {place: before[place] + accrued[place] for place in [*before, *accrued]}
    rows = [
        BalanceRow(*place, before[place], accrued[place], 0, 0, amount) for place, amount in sorted(closing.items())
    ]
    return rows, transfers, closing


@settings(max_examples=4 * TIMES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES, place=st.integers(0, 10**6))
def test_any_ledger_is_taken_and_any_millionth_is_missed(moves: Any, place: int, tmp_path: Path) -> None:
    balances, transfers, closing = booked(moves)
    for program in PROGRAMS:
        journal = written(program, balances, transfers)
        assert accepted(program, journal.encode(), tmp_path), journal
        amounts = list(re.finditer(r"(?<=[ =] )-?\d+\.\d{6}(?= [~A-Z])", journal))
        assert not accepted(program, more(journal, amounts[place % len(amounts)]).encode(), tmp_path)
    name, _ = PROGRAMS["hledger"]
    done = told(["hledger", "balance", "-E", "-N", "-O", "csv", "-f"], journal_of(balances, transfers), tmp_path / name)
    assert summed(done.stdout) == {
        (account_name(account), currency): amount for (account, currency), amount in closing.items() if amount
    }


def journal_of(balances: list[BalanceRow], transfers: Any) -> bytes:
    return written("hledger", balances, transfers).encode()


def summed(printed: str) -> dict[tuple[str, str], int]:
    """What hledger says each account comes to, in micro-units, without what balances the opening."""
    found = {}
    for account, amounts in list(csv.reader(io.StringIO(printed)))[1:]:
        for amount, currency in re.findall(r"(-?\d+\.\d{6}) ([A-Z]{3})", amounts):
            if account != EQUITY:
                found[account, currency] = int(Decimal(amount) * 1_000_000)
    return found


def test_what_hledger_adds_up_is_what_we_add_up(bundle: Path, tmp_path: Path) -> None:
    members = unpacked(bundle)
    command = ["hledger", "balance", "-E", "-N", "-O", "csv", "-f"]
    done = told(command, members[layout.HLEDGER], tmp_path / layout.HLEDGER)
    ours = {
        (account_name(row.account), row.currency): row.closing
        for row in BALANCES.from_csv([members[layout.BALANCES]])
        if row.closing
    }
    assert summed(done.stdout) == ours
    assert len(ours) > 5


def test_a_bundle_from_before_ledger_was_thought_of_holds(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("licet.audit.writing.Hledger", FormerHledger)
    assert verify_bundle(stage.write(stage.records(), tmp_path / "former.zip"), stage.trust).anchored


def settled(stage: Stage) -> Records:
    """November with everything that settlement posts: money that came, waits, is on its way, went, and its charges."""
    records = stage.records()
    lab, mei = (stage.people[name].id for name in ("Lantern Labs", "Mei"))
    bank = "bank:de02120300000000202051"
    moves = [
        ("payment", bank, f"receivable:{lab}", "USD", 1_234_567),
        ("payment", bank, "suspense:bank", "EUR", 700_001),
        ("suspense-claimed", "suspense:bank", f"receivable:{lab}", "EUR", 700_000),
        ("charges", "charges:bank", bank, "USD", 1),
        ("contested", f"payable:{mei}", f"escrow:{mei}", "USD", 20_000),
        ("escrow-release", f"escrow:{mei}", f"payable:{mei}", "USD", 20_000),
        ("remittance", f"payable:{mei}", f"transit:{mei}", "USD", 34_567),
        ("payout", f"transit:{mei}", bank, "USD", 34_566),
        ("remittance-return", f"transit:{mei}", f"payable:{mei}", "USD", 1),
        ("refund", f"receivable:{lab}", bank, "USD", 999_999),
    ]
    for number, (kind, debit, credit, currency, amount) in enumerate(moves, 1):
        name = identifiers.from_uuid("tra", UUID(int=10_000 + number))
        rows = [LedgerRow(name, debit, currency, amount), LedgerRow(name, credit, currency, -amount)]
        at = f"2026-11-{10 + number}T08:00:00.000Z"
        head = TransferRow(name, at, kind, f"inv_{number}", f"{kind}/{number}", None, None)
        records.transfers.append((head, sorted(rows, key=lambda row: row.account)))
    return records


def test_what_settlement_posts_is_taken_and_adds_up_to_the_millionth(stage: Stage, tmp_path: Path) -> None:
    path = stage.write(settled(stage), tmp_path / "settled.zip")
    assert verify_bundle(path, stage.trust).anchored
    members = unpacked(path)
    for name in ("Assets:Bank:De0", "Liabilities:Suspense:Bank", "Liabilities:Transit:Art-", "Expenses:Charges:Bank"):
        assert name in members[layout.HLEDGER].decode()
        assert name in members[layout.BEANCOUNT].decode()
    for program, (name, _) in PROGRAMS.items():
        journal = members[name].decode()
        assert accepted(program, journal.encode(), tmp_path), program
        of_bank = list(re.finditer(r"(?<=Assets:Bank:De02120300000000202051  )-?\d+\.\d{6}", journal))
        assert len(of_bank) >= 5
        assert not accepted(program, more(journal, of_bank[-1]).encode(), tmp_path), program
    command = ["hledger", "balance", "-E", "-N", "-O", "csv", "-f"]
    done = told(command, members[layout.HLEDGER], tmp_path / layout.HLEDGER)
    rows = list(BALANCES.from_csv([members[layout.BALANCES]]))
    assert summed(done.stdout) == {
        (account_name(row.account), row.currency): row.closing for row in rows if row.closing
    }
    assert sum(row.settled != 0 for row in rows) >= 6
