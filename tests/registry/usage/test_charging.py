"""A whole batch at once comes to what its events come to one by one: charges, totals, fees, transfers."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from licet import identifiers
from licet.errors import InputError
from licet.statements.event_columns import EventColumns
from licet.statements.kinds import LicenceLine
from licet.statements.licences import events_root
from licet.statements.owed import begins, totals
from registry.database.copying import pieces
from registry.errors import RegistryError
from registry.licensing import accrual, accruing
from registry.licensing.types import Posting
from registry.splits.sharing import Sharing
from registry.usage import charging, reading
from registry.usage.coverage import Cover, Coverage
from registry.usage.events import checked
from registry.usage.outside import Outside, Revoked, RunOf
from registry.usage.refusals import InvalidEvents
from tests.registry.usage.test_events import AT, LICENCE, LINES, NOW, ORGANISATION, OTHER_LICENCE, SECRET, batch, used

WORKS = [line.work for line in LINES]
STATEMENT = LINES[0].statement
ARTISTS = [identifiers.new_uuid() for _ in range(3)]
MOMENT = datetime.fromisoformat(AT)

events = st.builds(
    used,
    source=st.sampled_from([LICENCE, LICENCE, OTHER_LICENCE, STATEMENT]),
    work=st.sampled_from([*WORKS, identifiers.new_id("wrk")]),
    run=st.sampled_from(["1", "2"]),
    unit=st.sampled_from(["work", "run", "output"]),
    seq=st.integers(0, 2),
    at=st.sampled_from([AT, "2026-11-22T11:58:59.123Z"]),
    match=st.sampled_from(["exact", "near"]),
)
lines = st.builds(
    LicenceLine,
    work=st.sampled_from(WORKS),
    account=st.sampled_from([identifiers.from_uuid("art", each) for each in ARTISTS]),
    statement=st.just(STATEMENT),
    terms_hash=st.just("00" * 32),
    atom=st.sampled_from(["train-gen", "train-gen", "mine"]),
    model=st.sampled_from(["free", "per-work", "per-training-run", "per-output"]),
    currency=st.sampled_from(["USD", "EUR", None]),
    amount=st.integers(0, 10**6) | st.sampled_from([2**52, 2**53 - 1]),
    match=st.just("exact"),
    escrow=st.just(False),
).filter(lambda line: line.currency is not None or not line.amount)
held = st.fixed_dictionaries(
    {
        "atoms": st.sampled_from([["train-gen"], ["mine", "train-gen"], ["mine"]]),
        "run": st.just("1"),
        "fee_bps": st.sampled_from([0, 333, 10_000]),
        "issued_at": st.sampled_from([MOMENT, MOMENT + timedelta(days=1, seconds=-30), MOMENT + timedelta(days=2)]),
        "valid_until": st.sampled_from([None, MOMENT, MOMENT - timedelta(seconds=30)]),
    }
)
revoked = st.dictionaries(
    st.tuples(st.sampled_from([LICENCE, OTHER_LICENCE]), st.sampled_from(WORKS)).map(
        lambda pair: (identifiers.to_uuid(pair[0]), identifiers.to_uuid(pair[1]))
    ),
    st.builds(Revoked, st.sampled_from([MOMENT, MOMENT - timedelta(hours=1)]), st.booleans()),
)
runs = st.dictionaries(
    st.tuples(st.sampled_from([LICENCE, OTHER_LICENCE]).map(identifiers.to_uuid), st.sampled_from(["1", "2"])),
    st.builds(
        RunOf,
        st.sampled_from([None, "version", "territory"]),
        st.sampled_from([None, MOMENT - timedelta(days=1), MOMENT + timedelta(days=1)]),
    ),
)
beyond = st.builds(
    Outside,
    revoked,
    runs,
    st.sampled_from([{}, {identifiers.to_uuid(LICENCE): "1", identifiers.to_uuid(OTHER_LICENCE): "2"}]),
)


def covers(chosen: list[LicenceLine], licences: dict[str, dict[str, Any]], escrow: bool) -> dict[Any, Cover]:
    found = {}
    for number, row in licences.items():
        for line in chosen:
            found[identifiers.to_uuid(number), identifiers.to_uuid(line.work)] = Cover(
                line=line,
                artist=identifiers.to_uuid(line.account),
                atoms=frozenset(row["atoms"]),
                first_run=row["run"],
                fee_bps=row["fee_bps"],
                begins=begins(row["issued_at"]),
                ends=row["valid_until"],
                escrow=escrow and line.work == WORKS[0],
            )
    return found


def rows_of(known: dict[Any, Cover], pairs: Any, uses: Any) -> list[Any]:
    found: list[Any] = []
    licensed = [
        (uses.sources[source], uses.works[work])
        for source, work in zip(pairs.source, pairs.work, strict=True)
        if source < uses.licences
    ]
    for place, pair in enumerate(licensed, 1):
        cover = known.get(pair)
        if cover is not None:
            line = cover.line
            fields = (place, cover.artist, "art", line.atom, line.model, line.currency, line.amount, cover.escrow)
            names = ("place", "account", "kind", "atom", "model", "currency", "amount", "held_back")
            found.append(dict(zip(names, fields, strict=True)))
    return found


@given(
    st.lists(events, min_size=1, max_size=10, unique_by=lambda event: event.id),
    st.lists(lines, max_size=3, unique_by=lambda line: line.work),
    st.dictionaries(st.sampled_from([LICENCE, OTHER_LICENCE]), held),
    beyond,
    st.booleans(),
    st.booleans(),
)
def test_a_batch_at_once_comes_to_what_its_events_do(uses, chosen, licences, outside, escrow, shared):
    uses.sort(key=lambda event: event.id)
    payload = batch(uses, events_root(SECRET, uses))
    known = covers(chosen, licences, escrow)
    owners = {identifiers.to_uuid(work): (ARTISTS[0], identifiers.from_uuid("art", ARTISTS[0])) for work in WORKS}
    reported = checked(payload, uses, SECRET, NOW)
    columns = reading.checked(payload, EventColumns.of(uses), SECRET, NOW)
    pairs = charging._pairs(columns)
    rows: Any = {work: {"account": account, "kind": "art"} for work, (account, _) in owners.items()}
    held_rows: Any = {identifiers.to_uuid(number): row for number, row in licences.items()}
    found = charging._Found(
        pairs,
        rows_of(known, pairs, columns),
        set(),
        held_rows,
        outside,
        {},
        rows,
    )
    coverage = Coverage(known, {}, owners, outside)
    refused = None
    try:
        accruals = coverage.accruals(reported)
        owed = totals(coverage.claims(reported))
    except (RegistryError, InputError) as error:
        refused = str(error).partition(", got")[0]
    told: str | None = None
    try:
        charges, signed = charging._charged(found, columns)
    except InvalidEvents as error:
        told = str(error).partition(", got")[0]
    assert told == refused
    if told is not None:
        return
    assert signed == owed
    for row, each in enumerate(accruals):
        artist, currency, reason = (
            int(column[row]) for column in (charges.artist, charges.currency, charges.memorandum)
        )
        assert (charges.artists[artist] if artist >= 0 else None) == each.artist
        assert (charges.payees[artist] if artist >= 0 else "") == each.payee
        assert (charges.currencies[currency] if currency >= 0 else None) == each.currency
        assert (charges.memoranda[reason] if reason >= 0 else None) == each.memorandum
        assert (charges.amount[row], charges.escrow[row]) == (each.amount, each.escrow)
        assert not each.amount or charges.fee_bps[row] == each.fee_bps
    sharing = Sharing(ARTISTS[0], bytes(32), {"art_a": 3_333, "art_b": 6_667})
    splits: dict[UUID, Sharing] = {identifiers.to_uuid(WORKS[1]): sharing} if shared else {}
    posting = Posting(payload.batch, ARTISTS[0], ORGANISATION, ARTISTS[1], datetime(2026, 11, 22, tzinfo=UTC), 10**15)
    records, transfers = accrual._prepared(posting, accruals, splits)
    ready = accruing._prepared(posting, columns, charges, np.arange(len(uses)), splits)
    assert by_key(ready.transfers) == by_key(transfers)
    assert decoded(ready.columns) == sorted(records)


def by_key(transfers: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = defaultdict(list)
    for each in transfers:
        found[each.key].append((each.kind, each.at, each.source, sorted(each.entries)))
    return found


_TEXTS = (5, 6, 7, 11, 14, 18)
_UUIDS = (1, 2, 3, 4, 12, 13, 20)
_TIMES = (10, 19)


def decoded(columns: Any) -> list[tuple[Any, ...]]:
    """Read rows of COPY as its documentation has them, by themselves."""
    data = b"".join(pieces(columns))
    rows, at = [], 0
    while at < len(data):
        count, at = int.from_bytes(data[at : at + 2]), at + 2
        row: list[Any] = []
        for place in range(count):
            size, at = int.from_bytes(data[at : at + 4], signed=True), at + 4
            value, at = data[at : at + max(size, 0)], at + max(size, 0)
            if size < 0:
                row.append(None)
            elif place in _TEXTS:
                row.append(value.decode())
            elif place in _UUIDS:
                row.append(UUID(bytes=value))
            elif place in _TIMES:
                since = timedelta(microseconds=int.from_bytes(value, signed=True))
                row.append(datetime(2000, 1, 1, tzinfo=UTC) + since)
            elif place == 0:
                row.append(value)
            else:
                row.append(int.from_bytes(value, signed=True))
        rows.append(tuple(row))
    return sorted(rows)
