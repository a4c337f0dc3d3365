"""A payee's lines under a close that is really signed and logged: whoever did not sign it so is refused by its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from licet.audit import layout
from licet.audit.closed import verify_own
from licet.canonical import to_base64
from licet.errors import LicetError
from licet.log.sums import SumTree
from licet.statements.periods import salt_of
from licet.wire.common import StatementFile
from licet.wire.periods import LineProof, PeriodLines, ProofNode
from tests.sdk.audit.stage import PERIOD, identifier, unpacked
from tests.sdk.audit.test_closed_bundle import SALTS, ClosedStage

WHO = "Mei"


class Unsigned(ClosedStage):
    """The log took the close without a signature too, and once signed twice by the same key."""

    def _play(self) -> None:
        super()._play()
        envelope = self.log.logged[self.statements[identifier("stm", "honest")][1]][0]
        for name, signatures in (("not signed", []), ("signed twice", envelope.signatures * 2)):
            logged = msgspec.structs.replace(envelope, signatures=signatures)
            self.statements[identifier("stm", name)] = (envelope.kind, self.log.add(logged, self.log.times[-1]))
            self.payloads[identifier("stm", name)] = self.payloads[identifier("stm", "honest")]


@pytest.fixture(scope="module")
def over() -> ClosedStage:
    return Unsigned()


def shown(over: ClosedStage, folder: Path, close: str = "honest", **changes: Any) -> PeriodLines:
    """The lines of an artist under the close called ``close``, with parts of its file changed."""
    members = unpacked(over.write(over.closed(WHO, close), folder / "b.zip"))
    file = msgspec.json.decode(members[layout.statement_member("period-close", identifier("stm", close))])
    for name, change in changes.items():
        file[name] = change(file[name])
    own, lines = over.people[WHO].id, []
    for (side, _), lying in over.trees.items():
        for place, each in enumerate(lying):
            if each.line.payee == own:
                nodes = SumTree([one.node for one in lying]).proof(place)
                salt = to_base64(salt_of(SALTS, side, own, each.line.currency))
                proof = [ProofNode(to_base64(node.hash), list(node.sums)) for node in nodes]
                lines.append(LineProof(side, each.line, salt, place, proof))
    return PeriodLines(own, PERIOD, msgspec.convert(file, StatementFile), lines)


def test_lines_under_the_close_that_was_signed_are_proven(over: ClosedStage, tmp_path: Path) -> None:
    found = shown(over, tmp_path)
    month = verify_own(found, over.people[WHO].id, PERIOD, over.trust)
    assert month.lines == [each.line for each in found.lines] != []
    assert month.logged.log_index == over.statements[identifier("stm", "honest")][1]


LIES: dict[str, tuple[str, dict[str, Any], str]] = {
    "not signed": ("not signed", {}, "sign"),
    "signed twice by the same": ("signed twice", {}, "sign"),
    "with its signature taken away": (
        "honest",
        {"envelope": lambda envelope: envelope | {"signatures": []}},
        "commits to another statement",
    ),
    "not logged": ("honest", {"proof": lambda proof: proof.replace("index ", "index 1", 1)}, "inclusion|index|proof"),
    "logged as another": ("honest", {"entry": lambda entry: to_base64(b"{}")}, "does not fit its schema"),
    "without the registry's keys": ("honest", {"keys": lambda _: []}, "key"),
    "signed by another key of the registry": ("another key", {}, "sign"),
    "of another registry": ("another registry", {}, "registry.example/two"),
    "of another month": ("another month", {}, "closes 2026-11, got that of 2026-10"),
    "with other sums": ("other sums", {}, "leads to the total"),
    "with sums that do not add up": ("sums that do not add up", {}, "add up"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_close_that_nobody_signed_so_is_refused(over: ClosedStage, tmp_path: Path, lie: str) -> None:
    close, changes, said = LIES[lie]
    with pytest.raises(LicetError) as refusal:
        verify_own(shown(over, tmp_path, close, **changes), over.people[WHO].id, PERIOD, over.trust)
    assert any(each in refusal.value.message for each in said.split("|")), refusal.value.message


def test_a_month_that_was_closed_twice_counts_no_line_in_both(over: ClosedStage, tmp_path: Path) -> None:
    """Both closes are signed and logged: lines of one are in no total of the other, so who shows one cannot hide it."""
    first, second = (shown(over, tmp_path, name) for name in ("honest", "other sums"))
    assert first.close.envelope.payload_digest != second.close.envelope.payload_digest
    with pytest.raises(LicetError, match="leads to the total"):
        verify_own(msgspec.structs.replace(first, close=second.close), over.people[WHO].id, PERIOD, over.trust)
