"""A close that lies is refused, one vector a way to lie: by who has a line in it, and by who has a batch in it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.audit import closed
from licet.audit.closed import verify_batch, verify_own
from licet.canonical import to_base64
from licet.errors import LicetError, MalformedError, VerificationError
from licet.log import merkle
from licet.log.sums import SumLine, SumTree
from licet.statements.kinds import PeriodClose, RegistryRef
from licet.statements.periods import (
    Moved,
    batch_leaf,
    batches_root,
    check_lines,
    check_totals,
    lines_of,
    placed,
    salt_of,
    stated,
)
from licet.wire.periods import BatchProof, LineProof, PeriodLines, ProofNode

SECRET = bytes(range(32))
PAYEES = [f"art_{name}" for name in "abcdefg"]
ENTRIES = [(7, b"one"), (9, b"two"), (12, b"three")]


def books(sums: dict[str, int]) -> list[Moved]:
    owed = [Moved(f"payable:{payee}", "USD", -5, -amount, 1, 2) for payee, amount in sums.items()]
    total = [sum(column) for column in zip(*(each[2:] for each in owed), strict=True)]
    return [*owed, Moved("receivable:org_x", "USD", *(-each for each in total))]


def close_of(accounts: list[Moved], **changes: Any) -> tuple[PeriodClose, dict[Any, Any]]:
    trees = {place: placed(place[0], lines, SECRET) for place, lines in lines_of(accounts).items()}
    fields: dict[str, Any] = {
        "registry": RegistryRef("o", "00" * 32),
        "period": "2024-03",
        "previous": None,
        "trees": [stated(*place, SumTree([each.node for each in lying]).root) for place, lying in trees.items()],
        "log_first": 5,
        "log_end": 20,
        "batches": len(ENTRIES),
        "batches_root": batches_root([(index, merkle.leaf_hash(entry)) for index, entry in ENTRIES]).hex(),
        "issued_at": "2024-04-04T00:00:00.000Z",
        **changes,
    }
    return PeriodClose(**fields), trees


def lines_for(payee: str, close: PeriodClose, trees: dict[Any, Any]) -> PeriodLines:
    lying = trees["payee", "USD"]
    tree = SumTree([each.node for each in lying])
    (place,) = [at for at, each in enumerate(lying) if each.line.payee == payee]
    nodes = [ProofNode(to_base64(node.hash), list(node.sums)) for node in tree.proof(place)]
    salt = to_base64(salt_of(SECRET, "payee", payee, "USD"))
    proof = LineProof("payee", lying[place].line, salt, place, nodes)
    return PeriodLines(payee, "2024-03", SimpleNamespace(payload=close), [proof])  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def logged(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Signatures and the log hold: other tests lie about those. What is logged, and when, may be set."""
    found: dict[str, Any] = {"kind": "period-close", "log_index": 30, "logged_at": "2024-04-04T00:00:01.000Z"}
    monkeypatch.setattr(
        closed, "verify_statement_file", lambda file, trust: SimpleNamespace(payload=file.payload, checks=[], **found)
    )
    return found


HONEST, TREES = close_of(books({payee: 10 + place for place, payee in enumerate(PAYEES)}))


@pytest.mark.parametrize("payee", PAYEES)
def test_every_payee_proves_her_line(payee: str):
    month = verify_own(lines_for(payee, HONEST, TREES), payee, "2024-03", None)
    assert [each.payee for each in month.lines] == [payee]


def other_books(**changes: int) -> tuple[PeriodClose, dict[Any, Any]]:
    sums = {payee: 10 + place for place, payee in enumerate(PAYEES)}
    return close_of(books({payee: amount for payee, amount in (sums | changes).items() if amount}))


def unbalanced() -> PeriodClose:
    trees = [msgspec.structs.replace(HONEST.trees[0], owed=str(int(HONEST.trees[0].owed) + 1)), *HONEST.trees[1:]]
    return msgspec.structs.replace(HONEST, trees=trees)


LIES: dict[str, tuple[Any, str]] = {
    "another root": (
        lambda: msgspec.structs.replace(
            HONEST, trees=[msgspec.structs.replace(tree, root="ab" * 32) for tree in HONEST.trees]
        ),
        "leads to the total",
    ),
    "a line left out": (lambda: other_books(art_c=0)[0], "leads to the total|expected a proof"),
    "a line made smaller": (lambda: other_books(art_c=11)[0], "leads to the total"),
    "sums that are not the root's": (unbalanced, "add up"),
    "licensees that owe less than others are owed": (
        lambda: msgspec.structs.replace(HONEST, trees=[each for each in HONEST.trees if each.side == "payee"]),
        "all others are owed",
    ),
    "another month": (lambda: msgspec.structs.replace(HONEST, period="2024-02"), "closes 2024-03, got that of 2024-02"),
    "no total of the side": (lambda: msgspec.structs.replace(HONEST, trees=[]), "a total in the close"),
    "figures that are none": (
        lambda: msgspec.structs.replace(
            HONEST, trees=[msgspec.structs.replace(tree, owed="01") for tree in HONEST.trees]
        ),
        "a root with figures",
    ),
    "another kind": (lambda: RegistryRef("o", "k"), "closes 2024-03, got one of kind"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_close_that_lies_is_refused(lie: str):
    make, said = LIES[lie]
    with pytest.raises(VerificationError, match=said) if lie != "a line left out" else pytest.raises(LicetError):
        verify_own(lines_for("art_c", make(), TREES), "art_c", "2024-03", None)


@pytest.mark.parametrize(("field", "value"), [("logged_at", "2024-03-31T23:59:59.999Z"), ("log_index", 19)])
def test_a_close_before_the_month_was_over_is_refused(logged: dict[str, Any], field: str, value: Any):
    logged[field] = value
    with pytest.raises(VerificationError, match="closed after its end"):
        verify_own(lines_for("art_c", HONEST, TREES), "art_c", "2024-03", None)


def test_a_line_of_somebody_else_or_shown_twice_is_refused():
    found = lines_for("art_b", HONEST, TREES)
    with pytest.raises(VerificationError, match="expected lines of art_c"):
        verify_own(found, "art_c", "2024-03", None)
    with pytest.raises(VerificationError, match="each once"):
        verify_own(msgspec.structs.replace(found, lines=found.lines * 2), "art_b", "2024-03", None)


def test_a_close_names_each_tree_once_and_in_order():
    encoded = msgspec.to_builtins(HONEST)
    for trees in (encoded["trees"][::-1], encoded["trees"] * 2):
        with pytest.raises(msgspec.ValidationError, match="each side and currency once"):
            msgspec.convert({**encoded, "trees": trees}, PeriodClose)


def every_line() -> list[tuple[Any, SumLine, bytes]]:
    return [
        (side, each.line, salt_of(SECRET, side, each.line.payee, currency))
        for (side, currency), lying in TREES.items()
        for each in lying
    ]


def test_an_auditor_builds_every_root_from_all_lines_and_misses_none():
    lines = every_line()
    assert check_lines(HONEST, lines) == {("licensee", "USD"): 1, ("payee", "USD"): 7}
    for wrong in (lines[1:], [*lines, lines[-1]], [lines[0], *lines[:0:-1]], []):
        with pytest.raises(VerificationError, match="all lines of the tree"):
            check_lines(HONEST, wrong)


def test_a_batch_is_proven_by_its_receipt_alone():
    leaves = [batch_leaf(index, merkle.leaf_hash(entry)) for index, entry in ENTRIES]
    tree = merkle.Tree(leaves)
    for place, (index, entry) in enumerate(ENTRIES):
        path = [to_base64(each) for each in tree.inclusion_proof(place)]
        proof = BatchProof("bat_x", index, to_base64(entry), place, path)
        verify_batch(proof, entry, HONEST)
        for changed in ({"log_index": index + 1}, {"log_index": 20}, {"entry": to_base64(b"x")}, {"path": path[1:]}):
            with pytest.raises((VerificationError, MalformedError)):
                verify_batch(msgspec.structs.replace(proof, **changed), entry, HONEST)
        with pytest.raises(MalformedError, match="expected hex"):
            verify_batch(proof, entry, msgspec.structs.replace(HONEST, batches_root="x"))


AMOUNTS = st.integers(-(2**53), 2**53)
MOVED = st.builds(
    Moved,
    st.sampled_from(["payable:art_a", "escrow:art_a", "payable:art_b", "fee:registry", "bank:de1"]),
    st.sampled_from(["USD", "CNY"]),
    AMOUNTS,
    AMOUNTS,
    AMOUNTS,
    AMOUNTS,
)


@given(st.lists(MOVED, max_size=12, unique_by=lambda each: each[:2]))
def test_whatever_moves_no_column_is_negative_lines_add_up_and_the_close_balances(accounts):
    sums: dict[str, list[int]] = {}
    for each in accounts:
        own = sums.setdefault(each.currency, [0, 0, 0, 0])
        own[:] = [one - other for one, other in zip(own, each[2:], strict=True)]
    whole = [*accounts, *(Moved("receivable:org_x", currency, *own) for currency, own in sums.items())]
    close, trees = close_of(whole)
    check_totals(close)
    for lying in trees.values():
        for each in lying:
            assert min(each.line.sums) >= 0
    owed = {
        (each.line.payee, currency): each.line.owed - each.line.overpaid
        for (side, currency), lying in trees.items()
        if side == "payee"
        for each in lying
    }
    for payee in ("art_a", "art_b"):
        for currency in sums:
            names = (f"payable:{payee}", f"escrow:{payee}")
            expected = -sum(sum(each[2:]) for each in accounts if each.account in names and each.currency == currency)
            assert owed.get((payee, currency), 0) == expected
