"""One test for each way in which a bundle can lie, and which check finds it.

Where the lie is the registry's own, everything that it can sign again is signed again: what catches it is what others
have signed (artists, organisations, the log), or plain arithmetic.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from licet.audit import layout, verify_bundle
from licet.audit.layout import BundleLine, Consistency, PeriodReport
from licet.audit.readme import render
from licet.audit.tables import EVENTS, GROUP, EventRow, LedgerRow, ParquetOut, TransferRow
from licet.canonical import encode, to_base64
from licet.errors import VerificationError
from licet.statements import kinds
from licet.statements.licences import event_id
from licet.wire.common import StatementFile
from tests.sdk.audit.stage import (
    CATALOGUE,
    MADE_AT,
    Records,
    Stage,
    balances_of,
    identifier,
    key,
    packed,
    repacked,
    unpacked,
)

change = msgspec.structs.replace


def caught(path: Path, stage: Stage, check: str, member: str | None = None) -> VerificationError:
    """The bundle is refused by ``check``, on ``member``."""
    with pytest.raises(VerificationError) as refusal:
        verify_bundle(path, stage.trust)
    details = refusal.value.details
    assert (details["check"], details["member"] if member else None) == (check, member), refusal.value.message
    assert check in refusal.value.message
    assert details["member"] in refusal.value.message
    return refusal.value


# -- the file, the keys, the manifest --------------------------------------------------------------------------------


def test_a_bundle_of_another_registry(bundle: Path) -> None:
    caught(bundle, Stage("two"), "registry-keys", layout.REGISTRY_KEYS)


def test_a_manifest_that_another_key_signed(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    for signer in (stage.working["snapshot"], stage.root, key("a stranger")):
        path = repacked(tmp_path / "b.zip", unpacked(bundle), signer)
        caught(path, stage, "manifest-signature", layout.MANIFEST)


def test_a_manifest_for_another_registry(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    other = kinds.RegistryRef("registry.example/two", stage.ref.key)
    path = repacked(tmp_path / "b.zip", unpacked(bundle), stage.working["office"], registry=other)
    caught(path, stage, "manifest-signature", layout.MANIFEST)


def test_every_byte_counts(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    honest = bundle.read_bytes()
    path = tmp_path / "b.zip"
    places = {*range(0, len(honest), 2999), *range(64), *range(len(honest) - 4096, len(honest), 53), len(honest) - 1}
    for place in sorted(places):
        flipped = bytearray(honest)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        with pytest.raises(VerificationError):
            verify_bundle(path, stage.trust)


@pytest.mark.parametrize("cut", [0, 1, 21, 22, 5000, -1, -22, -300])
def test_a_file_that_is_cut_off(stage: Stage, bundle: Path, tmp_path: Path, cut: int) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(bundle.read_bytes()[:cut])
    caught(path, stage, "bundle-form")


@pytest.mark.parametrize("name", [layout.README, layout.EVENTS_CSV, layout.OPENING, layout.BEANCOUNT])
def test_a_member_that_is_missing(stage: Stage, bundle: Path, tmp_path: Path, name: str) -> None:
    members = unpacked(bundle)
    del members[name]
    caught(repacked(tmp_path / "b.zip", members, stage.working["office"]), stage, "bundle-form", name)


@pytest.mark.parametrize(
    "name", ["notes.txt", "log/more.bin", "statements/consent/lic_00000000000000000000000000.json"]
)
def test_a_member_that_no_bundle_has(stage: Stage, bundle: Path, tmp_path: Path, name: str) -> None:
    members = {name: b"{}", **unpacked(bundle)}
    caught(repacked(tmp_path / "b.zip", members, stage.working["office"]), stage, "bundle-form", name)


def test_a_member_that_was_not_signed_for(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    name = layout.lines_member(identifier("lic", "slipped in"))
    path = packed(tmp_path / "b.zip", {name: b"", **unpacked(bundle)})
    caught(path, stage, "member-digests", name)


def test_a_member_that_was_changed_after_signing(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    members = unpacked(bundle)
    members[layout.TRANSFERS] = members[layout.TRANSFERS].replace(b"usage", b"usagf", 1)
    caught(packed(tmp_path / "b.zip", members), stage, "member-digests", layout.TRANSFERS)


def test_members_in_another_order(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    members = unpacked(bundle)
    first, *middle, last = members
    path = packed(tmp_path / "b.zip", {name: members[name] for name in (*middle, first, last)})
    caught(path, stage, "member-digests")


# -- the log ---------------------------------------------------------------------------------------------------------


def resigned(stage: Stage, bundle: Path, tmp_path: Path, **changed: bytes) -> Path:
    """Return the bundle with some members replaced, signed again by the registry's office."""
    members = unpacked(bundle)
    members.update({getattr(layout, name): data for name, data in changed.items()})
    return repacked(tmp_path / "b.zip", members, stage.working["office"])


def test_a_checkpoint_of_another_log(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    other = Stage("two").log.note(stage.closing).encode()
    caught(resigned(stage, bundle, tmp_path, CLOSING=other), stage, "checkpoints", layout.CLOSING)


def test_a_checkpoint_with_a_line_that_nobody_can_check(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    more = stage.log.note(stage.closing) + Stage("two").log.note(3).rpartition("\n\n")[2]
    caught(resigned(stage, bundle, tmp_path, CLOSING=more.encode()), stage, "checkpoints", layout.CLOSING)


def test_two_checkpoints_that_do_not_belong_together(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    wrong = encode(Consistency(stage.opening, stage.closing, [to_base64(bytes(32))] * 4))
    caught(resigned(stage, bundle, tmp_path, CONSISTENCY=wrong), stage, "log-consistency", layout.CONSISTENCY)
    other = encode(Consistency(stage.opening - 1, stage.closing, []))
    caught(resigned(stage, bundle, tmp_path, CONSISTENCY=other), stage, "log-consistency", layout.CONSISTENCY)


def test_a_log_that_begins_otherwise(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    honest = unpacked(bundle)[layout.FRONTIER]
    wrong = honest[:-1] + bytes([honest[-1] ^ 1])
    caught(resigned(stage, bundle, tmp_path, FRONTIER=wrong), stage, "log-entries", layout.ENTRIES)
    caught(resigned(stage, bundle, tmp_path, FRONTIER=bytes(8)), stage, "log-entries", layout.FRONTIER)


def test_an_entry_that_was_changed_removed_or_added(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    honest = unpacked(bundle)[layout.ENTRIES]
    first = 2 + int.from_bytes(honest[:2], "big")
    for wrong in (honest.replace(b"licence", b"consent", 1), honest[first:], honest + honest[:first], honest[:-1]):
        caught(resigned(stage, bundle, tmp_path, ENTRIES=wrong), stage, "log-entries", layout.ENTRIES)


@pytest.mark.parametrize("period", ["2026-10", "2026-12", "2025-11"])
def test_another_period_than_it_says(stage: Stage, bundle: Path, tmp_path: Path, period: str) -> None:
    path = repacked(tmp_path / "b.zip", unpacked(bundle), stage.working["office"], period=period)
    caught(path, stage, "log-period", layout.ENTRIES)


def test_a_period_that_begins_too_late(stage: Stage, tmp_path: Path) -> None:
    records = stage.records()
    records.opening += 1  # leaves the first licence of the month before it
    caught(stage.write(records, tmp_path / "b.zip"), stage, "log-period", layout.ENTRIES)


# -- signed statements -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("left_out", ["lic late", "bat second", "run 2", "dst lantern-train"])
def test_a_statement_of_the_period_that_is_left_out(stage: Stage, tmp_path: Path, left_out: str) -> None:
    kind, name = left_out.split(" ")
    records = stage.records()
    records.statements = [each for each in records.statements if each[1] != identifier(kind, name)]
    caught(stage.write(records, tmp_path / "b.zip"), stage, "log-coverage", layout.ENTRIES)


def edited(stage: Stage, bundle: Path, tmp_path: Path, name: str, edit: Callable[[StatementFile], Any]) -> Path:
    members = unpacked(bundle)
    members[name] = encode(edit(msgspec.json.decode(members[name], type=StatementFile)))
    return repacked(tmp_path / "b.zip", members, stage.working["office"])


def test_a_statement_that_nobody_signed(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    name = layout.statement_member("licence", identifier("lic", "late"))

    def swap(file: StatementFile) -> StatementFile:
        return change(file, envelope=change(file.envelope, signatures=file.envelope.signatures[::-1]))

    caught(edited(stage, bundle, tmp_path, name, swap), stage, "statements", name)


def test_a_statement_under_another_checkpoint(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    name = layout.statement_member("run", identifier("run", "2"))
    index = stage.statements[identifier("run", "2")][1]
    path = edited(stage, bundle, tmp_path, name, lambda _: stage.file(index, stage.closing - 1))
    caught(path, stage, "statements", name)


def test_a_statement_in_the_place_of_another(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    for kind, prefix, (one, other) in (
        ("usage-batch", "bat", ("second", "third")),
        ("licence", "lic", ("early", "late")),
    ):
        members = unpacked(bundle)
        names = [layout.statement_member(kind, identifier(prefix, each)) for each in (one, other)]
        members[names[0]] = members[names[1]]
        caught(repacked(tmp_path / "b.zip", members, stage.working["office"]), stage, "statements", names[0])


def test_one_log_entry_for_two_runs(stage: Stage, tmp_path: Path) -> None:
    records = stage.records()
    index = stage.statements[identifier("run", "2")][1]
    records.statements.append(("run", identifier("run", "again"), index))
    caught(stage.write(records, tmp_path / "b.zip"), stage, "log-coverage")


def test_a_statement_that_is_not_one(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    members = unpacked(bundle)
    name = layout.statement_member("run", identifier("run", "2"))
    for wrong in (b"{}", b"", b"\xff", b'{"envelope":1}', b"[" * 5000):
        members[name] = wrong
        caught(repacked(tmp_path / "b.zip", members, stage.working["office"]), stage, "statements", name)


# -- licences and consents -------------------------------------------------------------------------------------------


def line_of(records: Records, licence: str, place: int = 0) -> tuple[list[BundleLine], BundleLine]:
    lines = records.lines[identifier("lic", licence)]
    return lines, lines[place]


@pytest.mark.parametrize(
    "edit",
    [
        lambda line: change(line, amount=line.amount - 1),
        lambda line: change(line, currency="JPY"),
        lambda line: change(line, escrow=not line.escrow),
        lambda line: change(line, statement=identifier("stm", "open")),
        lambda line: change(line, account=identifier("art", "Mei")),
    ],
)
def test_a_line_that_was_changed(
    stage: Stage, tmp_path: Path, edit: Callable[[kinds.LicenceLine], kinds.LicenceLine]
) -> None:
    records = stage.records()
    lines, first = line_of(records, "late")
    lines[0] = BundleLine(edit(first.line))
    name = layout.lines_member(identifier("lic", "late"))
    caught(stage.write(records, tmp_path / "b.zip"), stage, "licence-lines", name)


def test_a_line_that_is_missing_doubled_or_out_of_order(stage: Stage, tmp_path: Path) -> None:
    name = layout.lines_member(identifier("lic", "late"))
    for edit in (lambda x: x[1:], lambda x: [x[0], *x], lambda x: x[::-1], lambda x: []):
        records = stage.records()
        records.lines[identifier("lic", "late")] = edit(line_of(records, "late")[0])
        path = stage.write(records, tmp_path / "b.zip")
        if not records.lines[identifier("lic", "late")]:  # no line at all: then its uses have none
            with pytest.raises(VerificationError):
                verify_bundle(path, stage.trust)
        else:
            caught(path, stage, "licence-lines", name)


def test_lines_of_a_licence_that_is_not_there(stage: Stage, tmp_path: Path) -> None:
    records = stage.records()
    records.lines[identifier("lic", "nobody's")] = []
    name = layout.lines_member(identifier("lic", "nobody's"))
    caught(stage.write(records, tmp_path / "b.zip"), stage, "licence-lines", name)


def test_a_line_with_the_proof_of_another(stage: Stage, tmp_path: Path) -> None:
    records = stage.part("Tomas")
    lines, first = line_of(records, "late")
    for wrong in (change(first, path=lines[1].path), change(first, index=lines[1].index), change(first, path=None)):
        lines[0] = wrong
        name = layout.lines_member(identifier("lic", "late"))
        caught(stage.write(records, tmp_path / "b.zip"), stage, "licence-lines", name)


class Colluding(Stage):
    """A registry and an organisation that sign whatever suits them."""

    def __init__(self, edit: Callable[[kinds.LicenceLine], kinds.LicenceLine]) -> None:
        self.edit = edit
        super().__init__()

    def line(self, name: str, work: str) -> kinds.LicenceLine:
        return self.edit(super().line(name, work))


@pytest.mark.parametrize(
    "edit",
    [
        lambda line: change(line, amount=line.amount - 1),
        lambda line: change(line, currency="JPY"),
        lambda line: change(line, atom="mine"),
        lambda line: change(line, terms_hash="0" * 64),
    ],
)
def test_a_price_that_the_artist_never_asked(
    tmp_path: Path, edit: Callable[[kinds.LicenceLine], kinds.LicenceLine]
) -> None:
    colluding = Colluding(lambda line: edit(line) if line.model == "per-training-run" else line)
    path = colluding.write(colluding.records(), tmp_path / "b.zip")
    caught(path, colluding, "prices-consented")


def test_terms_that_nobody_stated_for_the_work(tmp_path: Path) -> None:
    swapped = Colluding(
        lambda line: change(line, terms_hash=CATALOGUE.hash, amount=70_000) if line.amount == 50_000 else line
    )
    caught(swapped.write(swapped.records(), tmp_path / "b.zip"), swapped, "prices-consented")


def test_a_consent_over_other_works(tmp_path: Path) -> None:
    other = identifier("stm", "open")
    swapped = Colluding(lambda line: change(line, statement=other) if line.model == "per-work" else line)
    caught(swapped.write(swapped.records(), tmp_path / "b.zip"), swapped, "works-consented")


def test_a_consent_that_is_not_there(stage: Stage, tmp_path: Path) -> None:
    records = stage.records()
    records.statements = [each for each in records.statements if each[1] != identifier("stm", "Tomas")]
    records.works = [work for work in records.works if work.statement != identifier("stm", "Tomas")]
    caught(stage.write(records, tmp_path / "b.zip"), stage, "works-consented")


class Hasty(Stage):
    """Licenses first and asks later: the consent that its licences name is in the log after them."""

    def _reverse(self, time: str) -> None:
        super()._reverse(time)
        mei = identifier("stm", "Mei")
        self.statement("stm", "Mei", change(self.payloads[mei], nonce="later"), self.people["Mei"].key, time)


def test_a_consent_that_came_after_the_licence(tmp_path: Path) -> None:
    hasty = Hasty()
    caught(hasty.write(hasty.records(), tmp_path / "b.zip"), hasty, "works-consented")


def test_a_work_that_its_consent_does_not_cover(stage: Stage, tmp_path: Path) -> None:
    for edit in (
        lambda work: change(work, path=work.path[::-1] + work.path[:1]),
        lambda work: change(work, index=work.index ^ 1),
        lambda work: change(work, work=change(work.work, sha256="0" * 64)),
        lambda work: change(work, statement=identifier("stm", "Ada")),
        lambda work: change(work, work=change(work.work, account=identifier("art", "Ada"))),
    ):
        records = stage.records()
        place = next(at for at, work in enumerate(records.works) if work.statement == identifier("stm", "Mei"))
        records.works[place] = edit(records.works[place])
        caught(stage.write(records, tmp_path / "b.zip"), stage, "works-consented", layout.WORKS)
    records = stage.records()
    records.works = [work for work in records.works if work.statement != identifier("stm", "Mei")]
    caught(stage.write(records, tmp_path / "b.zip"), stage, "works-consented")


@pytest.mark.parametrize(
    "edit",
    [
        lambda payload: change(payload, totals=[change(payload.totals[0], amount=1), *payload.totals[1:]]),
        lambda payload: change(payload, terms=payload.terms[:1]),
        lambda payload: change(payload, budget=[]),
    ],
)
def test_a_licence_that_adds_up_otherwise(tmp_path: Path, edit: Callable[[kinds.Licence], kinds.Licence]) -> None:
    class Careless(Stage):
        """Grants what does not add up."""

        def statement(self, kind: str, name: str, payload: Any, *signed: Any) -> str:
            return super().statement(kind, name, edit(payload) if name == "late" else payload, *signed)

    careless = Careless()
    name = layout.lines_member(identifier("lic", "late"))
    caught(careless.write(careless.records(), tmp_path / "b.zip"), careless, "licence-totals", name)


# -- uses ------------------------------------------------------------------------------------------------------------

SECOND, THIRD = identifier("bat", "second"), identifier("bat", "third")
EARLY, LATE = identifier("lic", "early"), identifier("lic", "late")

EVENT_LIES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a smaller amount": ({"source": SECOND, "currency": "USD"}, {"amount": 1}, "event-amounts"),
    "no amount": ({"source": SECOND, "currency": "USD"}, {"amount": 0, "fee": 0, "currency": None}, "event-amounts"),
    "another currency": ({"source": SECOND, "currency": "USD"}, {"currency": "EUR"}, "event-amounts"),
    "another payee": ({"source": SECOND, "currency": "USD"}, {"payee": identifier("art", "Tomas")}, "event-amounts"),
    "a larger fee": ({"source": SECOND, "currency": "USD"}, {"fee": 49_999}, "event-amounts"),
    "escrow against the licence": ({"source": LATE, "currency": "EUR"}, {"escrow": True}, "event-amounts"),
    "called a memorandum": (
        {"source": SECOND, "currency": "USD"},
        {"effect": "memorandum", "memorandum": "ended", "amount": 0, "fee": 0, "currency": None},
        "event-amounts",
    ),
    "called free": (
        {"source": SECOND, "effect": "memorandum"},
        {"effect": "new", "memorandum": None},
        "event-amounts",
    ),
    "a memorandum without a reason": ({"effect": "memorandum"}, {"memorandum": None}, "event-amounts"),
    "called known": (
        {"source": THIRD, "effect": "new"},
        {"effect": "known", "first": EARLY, "payee": None, "currency": None, "amount": 0, "fee": 0, "escrow": False},
        "event-effects",
    ),
    "known from a batch that does not have it": ({"source": THIRD, "first": LATE}, {"first": SECOND}, "event-effects"),
    "known from itself": ({"source": THIRD, "effect": "known"}, {"first": THIRD}, "event-amounts"),
    "known and charged": ({"source": THIRD, "effect": "known"}, {"amount": 5, "currency": "USD"}, "event-amounts"),
    "known, now charged again": ({"source": THIRD, "effect": "known"}, {"effect": "new", "first": None}, "event-"),
    "called earlier, all the same": ({"source": THIRD, "first": LATE}, {"effect": "earlier", "first": None}, "event-"),
    "another salt": ({"source": SECOND}, {"salt": "00" * 32}, "event-roots"),
    "a short salt": ({"source": SECOND}, {"salt": "00"}, "event-roots"),
    "no salt": ({"source": SECOND}, {"salt": None}, "event-roots"),
    "a salt at acceptance": ({"source": LATE}, {"salt": "00" * 32}, "event-amounts"),
    "another time": ({"source": SECOND}, {"at": "2026-11-06T00:00:00.001Z"}, "event-roots"),
    "another quantity": ({"source": SECOND}, {"quantity": 2}, "event-"),
    "another match": ({"source": SECOND}, {"match": "near"}, "event-roots"),
    "another run": ({"source": SECOND}, {"run": "9"}, "event-ids"),
    "another work": ({"source": SECOND}, {"work": identifier("wrk", "Mei 0")}, "event-ids"),
    "another id": ({"source": SECOND}, {"id": "0" * 64}, "event-ids"),
    "no licence and no statement": ({"source": SECOND, "currency": "USD"}, {"licence": None}, "event-ids"),
    "posted in another month": ({"source": SECOND}, {"posted_at": "2026-12-06T10:00:00.000Z"}, "event-amounts"),
    "a batch that is not there": ({"source": THIRD}, {"source": identifier("bat", "x")}, "event-"),
}  # fmt: skip


@pytest.mark.parametrize("lie", EVENT_LIES)
def test_an_event_that_lies(stage: Stage, tmp_path: Path, lie: str) -> None:
    wanted, changes, check = EVENT_LIES[lie]
    records = stage.records()
    place = records.find(**wanted)
    records.event(place, **changes)
    if "posted_at" in changes:
        for at, row in enumerate(records.events):
            if row.source == wanted["source"]:
                records.event(at, posted_at=changes["posted_at"])
    records.events.sort(key=lambda row: (row.source, row.id))
    with pytest.raises(VerificationError) as refusal:
        verify_bundle(stage.write(records, tmp_path / "b.zip"), stage.trust)
    assert refusal.value.details["check"].startswith(check), refusal.value.message
    assert refusal.value.details["member"].startswith("usage/")


@pytest.mark.parametrize("source", [SECOND, THIRD, LATE])
def test_an_event_that_was_removed(stage: Stage, tmp_path: Path, source: str) -> None:
    records = stage.records()
    del records.events[records.find(source=source)]
    expected = "event-ids" if source == LATE else "event-roots"
    caught(stage.write(records, tmp_path / "b.zip"), stage, expected)


@pytest.mark.parametrize("source", [SECOND, THIRD, LATE])
def test_all_events_of_a_source_removed(stage: Stage, tmp_path: Path, source: str) -> None:
    records = stage.records()
    records.events = [row for row in records.events if row.source != source]
    caught(stage.write(records, tmp_path / "b.zip"), stage, "event-roots", layout.EVENTS_CSV)


def test_an_event_that_nobody_reported(stage: Stage, tmp_path: Path) -> None:
    records = stage.records()
    row = records.events[records.find(source=SECOND, currency="USD")]
    row = change(row, source=THIRD, run="9", posted_at=records.events[records.find(source=THIRD)].posted_at)
    number = event_id(stage.people["Lantern Labs"].id, row.licence or "", row.work, "9", row.atom, row.unit, row.seq)
    records.events.append(change(row, id=number))
    records.events.sort(key=lambda each: (each.source, each.id))
    caught(stage.write(records, tmp_path / "b.zip"), stage, "event-roots")


def test_evidence_of_an_earlier_report_is_needed_and_proven(stage: Stage, tmp_path: Path) -> None:
    records = stage.records()
    place = records.find(effect="earlier")
    del records.events[place]
    wanted = records.proofs.pop(0)
    caught(stage.write(records, tmp_path / "b.zip"), stage, "event-effects")
    records = stage.records()
    records.proofs[0] = change(wanted, index=wanted.index ^ 1)
    caught(stage.write(records, tmp_path / "b.zip"), stage, "event-roots", layout.EVENT_PROOFS)
    records = stage.records()
    del records.proofs[0]
    caught(stage.write(records, tmp_path / "b.zip"), stage, "event-roots", layout.EVENT_PROOFS)
    records = stage.records()
    records.proofs.append(wanted)
    caught(stage.write(records, tmp_path / "b.zip"), stage, "event-roots", layout.EVENT_PROOFS)


def test_a_parquet_table_that_says_something_else(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    honest = stage.records().events
    wrong: list[list[EventRow]] = [
        [change(honest[0], amount=honest[0].amount + 1), *honest[1:]],
        honest[:-1],
        [*honest, honest[-1]],
        [],
    ]
    for rows in wrong:
        out = io.BytesIO()
        parquet = ParquetOut(EVENTS, out)
        parquet.write(rows)
        parquet.close()
        path = resigned(stage, bundle, tmp_path, EVENTS_PARQUET=out.getvalue())
        caught(path, stage, "event-tables", layout.EVENTS_PARQUET)
    for data in (b"", b"PAR1", unpacked(bundle)[layout.EVENTS_PARQUET][:-9]):
        path = resigned(stage, bundle, tmp_path, EVENTS_PARQUET=data)
        caught(path, stage, "event-tables", layout.EVENTS_PARQUET)


def test_a_text_that_a_parquet_table_repeats_is_not_written_out_for_every_row(
    stage: Stage, bundle: Path, tmp_path: Path
) -> None:
    row, out, pool = stage.records().events[0], io.BytesIO(), pa.default_memory_pool()
    parquet = ParquetOut(EVENTS, out)
    parquet.write([change(row, memorandum="x" * 5000)] * GROUP)
    parquet.close()
    assert len(out.getvalue()) < 50_000
    path = resigned(stage, bundle, tmp_path, EVENTS_PARQUET=out.getvalue())
    counted = pa.proxy_memory_pool(pool)
    pa.set_memory_pool(counted)
    try:
        caught(path, stage, "event-tables", layout.EVENTS_PARQUET)
    finally:
        pa.set_memory_pool(pool)
    assert 0 < counted.max_memory() < 5000 * GROUP // 4


@pytest.mark.parametrize(
    "table", [b"", b"\n", b"source\n", b"\xff\n", b'"', EVENTS.header.encode() + b"1,2\n", EVENTS.header.encode()[:-1]]
)
def test_a_table_that_does_not_parse(stage: Stage, bundle: Path, tmp_path: Path, table: bytes) -> None:
    caught(resigned(stage, bundle, tmp_path, EVENTS_CSV=table), stage, "event-tables", layout.EVENTS_CSV)


# -- the ledger ------------------------------------------------------------------------------------------------------


def shifted(rows: list[LedgerRow], **by: int) -> list[LedgerRow]:
    """Return entries with some micro-units more on accounts that begin with a word."""
    return [change(row, amount=row.amount + by.get(row.account.partition(":")[0], 0)) for row in rows]


def accrual(records: Records, kind: str = "usage", side: str = "escrow") -> int:
    """Return the place of a transfer of ``kind`` that credits ``side``."""
    return next(
        place
        for place, (transfer, rows) in enumerate(records.transfers)
        if transfer.kind == kind and any(row.account.startswith(f"{side}:") for row in rows)
    )


@pytest.mark.parametrize(
    "by", [{"fee": -1, "escrow": 1}, {"receivable": -1, "escrow": 1}, {"receivable": 1, "fee": -1}]
)
def test_a_transfer_that_is_not_what_its_uses_come_to(stage: Stage, tmp_path: Path, by: dict[str, int]) -> None:
    records = stage.records()
    place = accrual(records)
    transfer, rows = records.transfers[place]
    records.transfers[place] = (transfer, shifted(rows, **by))
    caught(stage.write(records, tmp_path / "b.zip"), stage, "transfer-sums", layout.TRANSFERS)


@pytest.mark.parametrize(("side", "other"), [("escrow", "payable"), ("payable", "escrow")])
def test_escrow_that_is_paid_out_and_payables_that_are_held_back(
    stage: Stage, tmp_path: Path, side: str, other: str
) -> None:
    records = stage.records()
    place = accrual(records, side=side)
    transfer, rows = records.transfers[place]
    moved = [change(row, account=row.account.replace(side, other)) for row in rows]
    for name in (transfer.key, transfer.key.replace(side, other)):
        records.transfers[place] = (change(transfer, key=name), moved)
        caught(stage.write(records, tmp_path / "b.zip"), stage, "transfer-sums", layout.TRANSFERS)


def test_money_that_goes_to_somebody_else(stage: Stage, tmp_path: Path) -> None:
    records = stage.records()
    place = accrual(records)
    transfer, rows = records.transfers[place]
    thief = f"escrow:{identifier('art', 'Late')}"
    moved = [change(row, account=thief) if row.account.startswith("escrow:") else row for row in rows]
    for name in (transfer.key, f"{transfer.source}/{thief}/USD"):
        records.transfers[place] = (change(transfer, key=name), moved)
        caught(stage.write(records, tmp_path / "b.zip"), stage, "transfer-sums", layout.TRANSFERS)


def test_a_transfer_that_is_missing_or_made_up(stage: Stage, tmp_path: Path) -> None:
    records = stage.records()
    del records.transfers[accrual(records)]
    caught(stage.write(records, tmp_path / "b.zip"), stage, "transfer-sums", layout.TRANSFERS)
    records = stage.records()
    transfer, rows = records.transfers[accrual(records)]
    number = identifier("tra", "made up")
    records.transfers.append((change(transfer, transfer=number), [change(row, transfer=number) for row in rows]))
    caught(stage.write(records, tmp_path / "b.zip"), stage, "transfer-sums", layout.TRANSFERS)


def test_a_transfer_at_another_time(stage: Stage, tmp_path: Path) -> None:
    records = stage.records()
    place = accrual(records)
    transfer, rows = records.transfers[place]
    records.transfers[place] = (change(transfer, at="2026-11-29T00:00:00.000Z"), rows)
    caught(stage.write(records, tmp_path / "b.zip"), stage, "transfer-sums", layout.TRANSFERS)
    records.transfers[place] = (change(transfer, at="2026-12-06T10:00:00.000Z"), rows)
    caught(stage.write(records, tmp_path / "b.zip"), stage, "transfer-sums", layout.TRANSFERS)
    records.transfers[place] = (change(transfer, at="2026-10-06T10:00:00.000Z"), rows)
    caught(stage.write(records, tmp_path / "b.zip"), stage, "transfer-sums", layout.TRANSFERS)


def test_books_out_of_balance(stage: Stage, tmp_path: Path) -> None:
    for edit in (
        lambda rows: shifted(rows, fee=1),
        lambda rows: rows[:-1],
        lambda rows: [],
        lambda rows: [*rows, rows[0]],
        lambda rows: [change(row, currency="EUR") if at == 0 else row for at, row in enumerate(rows)],
        lambda rows: [*rows, change(rows[0], currency="JPY", amount=0)],
    ):
        records = stage.records()
        place = accrual(records)
        transfer, rows = records.transfers[place]
        records.transfers[place] = (transfer, edit(rows))
        records.balances = balances_of(stage.records(), records.about.period)
        with pytest.raises(VerificationError, match=r"^double-entry: ledger/"):
            verify_bundle(stage.write(records, tmp_path / "b.zip"), stage.trust)


def test_a_transfer_twice(stage: Stage, tmp_path: Path) -> None:
    records = stage.records()
    records.transfers.append(records.transfers[-2])
    caught(stage.write(records, tmp_path / "b.zip"), stage, "double-entry", layout.TRANSFERS)


def test_entries_of_no_transfer(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    honest = unpacked(bundle)[layout.LEDGER_ENTRIES]
    line = honest.splitlines(keepends=True)[-1]
    for wrong in (honest + line.replace(line[:8], b"tra_0000", 1), honest + b"tra_x,a:b,USD,1\n"):
        path = resigned(stage, bundle, tmp_path, LEDGER_ENTRIES=wrong)
        with pytest.raises(VerificationError, match=r"^double-entry: "):
            verify_bundle(path, stage.trust)


def reversal(records: Records) -> int:
    return next(place for place, (transfer, _) in enumerate(records.transfers) if transfer.kind == "reversal")


@pytest.mark.parametrize(
    "edit",
    [
        lambda transfer, rows: (transfer, shifted(rows, escrow=1, fee=-1)),
        lambda transfer, rows: (change(transfer, reverses=None), rows),
        lambda transfer, rows: (change(transfer, reverses=identifier("tra", "nothing")), rows),
        lambda transfer, rows: (change(transfer, kind="usage"), rows),
    ],
)
def test_a_reversal_that_is_none(
    stage: Stage,
    tmp_path: Path,
    edit: Callable[[TransferRow, list[LedgerRow]], tuple[TransferRow, list[LedgerRow]]],
) -> None:
    records = stage.records()
    place = reversal(records)
    records.transfers[place] = edit(*records.transfers[place])
    caught(stage.write(records, tmp_path / "b.zip"), stage, "reversals", layout.TRANSFERS)


def test_a_reversal_twice(stage: Stage, tmp_path: Path) -> None:
    records = stage.records()
    transfer, rows = records.transfers[reversal(records)]
    number = identifier("tra", "again")
    records.transfers.append((change(transfer, transfer=number), [change(row, transfer=number) for row in rows]))
    caught(stage.write(records, tmp_path / "b.zip"), stage, "reversals", layout.TRANSFERS)


def test_a_transfer_before_the_period_that_nothing_reverses(stage: Stage, tmp_path: Path) -> None:
    records = stage.records()
    del records.transfers[reversal(records)]
    caught(stage.write(records, tmp_path / "b.zip"), stage, "reversals", layout.TRANSFERS)


@pytest.mark.parametrize(
    "edit",
    [
        lambda rows: [change(rows[0], opening=rows[0].opening + 1, closing=rows[0].closing + 1), *rows[1:]],
        lambda rows: [change(rows[0], closing=rows[0].closing + 1), *rows[1:]],
        lambda rows: [change(rows[0], accrued=rows[0].accrued + 1, closing=rows[0].closing + 1), *rows[1:]],
        lambda rows: [change(row, settled=1, opening=row.opening - 1) for row in rows],
        lambda rows: rows[1:],
        lambda rows: rows[::-1],
        lambda rows: [rows[0], *rows],
    ],
)
def test_a_balance_that_does_not_follow(stage: Stage, tmp_path: Path, edit: Callable[[list[Any]], list[Any]]) -> None:
    records = stage.records()
    records.balances = edit(balances_of(records, records.about.period))
    caught(stage.write(records, tmp_path / "b.zip"), stage, "balances", layout.BALANCES)


def test_a_part_with_somebody_elses_balance(stage: Stage, tmp_path: Path) -> None:
    records = stage.part("Tomas")
    everything = balances_of(stage.records(), records.about.period)
    records.balances = [row for row in everything if "escrow" in row.account][:1]
    caught(stage.write(records, tmp_path / "b.zip"), stage, "balances", layout.BALANCES)


def test_a_part_without_its_own_balance(stage: Stage, tmp_path: Path) -> None:
    records = stage.part("Tomas")
    records.balances = []
    caught(stage.write(records, tmp_path / "b.zip"), stage, "balances", layout.BALANCES)


# -- what is written from all of it ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["HLEDGER", "BEANCOUNT"])
def test_a_journal_that_says_something_else(stage: Stage, bundle: Path, tmp_path: Path, name: str) -> None:
    honest = unpacked(bundle)[getattr(layout, name)]
    for wrong in (
        honest.replace(b".050000 ", b".050001 ", 1) if b".050000 " in honest else honest.replace(b"0 USD", b"1 USD", 1),
        honest + b"\ninclude /etc/passwd\n",
        b'plugin "os"\n' + honest,
        honest[:-1],
    ):
        assert wrong != honest
        path = resigned(stage, bundle, tmp_path, **{name: wrong})
        caught(path, stage, "journals", getattr(layout, name))


@pytest.mark.parametrize(
    "changes",
    [
        {"nothing_happened": True},
        {"totals": []},
        {"counts": {}},
        {"opening_size": 0},
        {"closing_size": 1},
        {"period": "2026-10"},
        {"account": "org_x"},
        {"uses": False},
    ],
)
def test_a_report_with_other_figures(stage: Stage, bundle: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    honest = msgspec.json.decode(unpacked(bundle)[layout.PERIOD], type=PeriodReport)
    path = resigned(stage, bundle, tmp_path, PERIOD=encode(change(honest, **changes)))
    with pytest.raises(VerificationError) as refusal:
        verify_bundle(path, stage.trust)
    assert refusal.value.details["check"] in ("period-report", "journals")


def test_a_period_that_is_called_closed(stage: Stage, tmp_path: Path) -> None:
    records = stage.records("2026-09")
    path = stage.write(records, tmp_path / "nil.zip")
    honest = msgspec.json.decode(unpacked(path)[layout.PERIOD], type=PeriodReport)
    members = unpacked(path)
    members[layout.PERIOD] = encode(change(honest, state="closed"))
    members[layout.HLEDGER] = members[layout.HLEDGER].replace(b"is open", b"is closed")
    members[layout.BEANCOUNT] = members[layout.BEANCOUNT].replace(b"is open", b"is closed")
    members[layout.README] = render(change(honest, state="closed"), stage.ref.origin, MADE_AT).encode()
    path = repacked(path, members, stage.working["office"], state="closed")
    caught(path, stage, "period-close", layout.MANIFEST)


def test_a_page_for_people_that_says_something_else(stage: Stage, bundle: Path, tmp_path: Path) -> None:
    honest = unpacked(bundle)[layout.README]
    for wrong in (honest.replace(b"0.", b"1.", 1), honest + b"<script>alert(1)</script>", b""):
        path = resigned(stage, bundle, tmp_path, README=wrong)
        caught(path, stage, "readme", layout.README)
