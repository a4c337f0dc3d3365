"""Datasets and training runs: signed by the organisation, held to what can be checked here, kept in the log."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from licet import identifiers, times
from licet.decisions import VERDICTS, Request
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.kinds import DatasetManifest, Run
from licet.wire.common import Page
from licet.wire.usage import DatasetInfo, Logged, OutsideLicence, RunInfo
from registry import translog
from registry.accounts.identity import Caller
from registry.database import Connection, Row
from registry.errors import Conflict, Invalid
from registry.http import moments
from registry.http.paging import Asked, page_of
from registry.licensing.offers import name
from registry.licensing.queries import LOCK_ORGANISATION
from registry.licensing.signatures import opened
from registry.services import Services
from registry.usage import manifests, models, queries
from registry.usage.outside import named_by
from registry.usage.refusals import SnapshotExpired

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


async def log_dataset(services: Services, caller: Caller, envelope: Envelope) -> Logged:
    """Return once the dataset manifest is in the published log; sending it again has no second effect.

    Raises ``Invalid`` for figures that contradict each other, a snapshot that this registry never issued, or licences
    that the caller does not hold; ``Conflict`` for the dataset's id with another manifest.
    """
    async with services.database.transaction() as conn:
        await conn.fetchval(LOCK_ORGANISATION, caller.account)
        payload = await opened(conn, DatasetManifest, envelope, caller, services.keys.ref)
        number = identifiers.to_uuid(payload.dataset, "dst", field="payload.dataset")
        digest = bytes.fromhex(envelope.payload_digest)
        present = await conn.fetchrow(queries.OWN_DATASET, number, caller.account)
        if present is not None and present["payload_digest"] == digest:
            pending = present["pending"]
        elif await conn.fetchval(queries.DATASET_TAKEN, number):
            raise Conflict("this dataset identifier was used for another manifest")
        else:
            _hold_together(payload)
            await _snapshot(conn, payload.snapshot)
            await _own_licences(conn, caller, payload.licences)
            sealed = envelopes.encode(envelope)
            pending = await translog.submit(conn, "dataset-manifest", payload.dataset, sealed, caller.account)
            await conn.execute(
                queries.ADD_DATASET,
                number,
                caller.account,
                payload.name,
                pending,
                digest,
                payload.rows,
                payload.kept,
                msgspec.json.encode(payload.counts).decode(),
                moments.past(payload.decided_at, "payload.decided_at"),
                times.now(),
                manifests.is_listed(payload),
                msgspec.json.encode(manifests.about(payload)).decode(),
                msgspec.json.encode(await manifests.terms(conn, caller.account, payload.licences)).decode(),
            )
    return Logged(payload.dataset, await translog.wait(services.database, pending))


async def log_run(services: Services, caller: Caller, envelope: Envelope) -> Logged:
    """Return once the training run is in the published log.

    The same run of the same model version on the same manifest is one run, however often it is sent, also with
    another signature. A licence that it names and that does not cover it is kept with the reason: nothing is dropped.
    Raises ``Invalid`` for a dataset, snapshot or licence that the caller or the registry does not
    have, ``SnapshotExpired`` for a run that began after its snapshot's end.
    """
    async with services.database.transaction() as conn:
        await conn.fetchval(LOCK_ORGANISATION, caller.account)
        payload = await opened(conn, Run, envelope, caller, services.keys.ref)
        key = _run_key(payload)
        present = await conn.fetchrow(queries.OWN_RUN, caller.account, *key)
        if present is not None:
            number, pending = present["id"], present["pending"]
        else:
            number, pending = await _add_run(conn, caller, payload, envelope)
    run = identifiers.from_uuid("run", number)
    return Logged(run, await translog.wait(services.database, pending))


async def datasets(
    conn: Connection, caller: Caller, asked: Asked, *, q: str | None = None, name: str | None = None
) -> Page[DatasetInfo]:
    """Return one page of the caller's datasets, every version of them; ``q`` is part of their name, ``name`` all of it.

    Raises ``Invalid`` for the parameter.
    """
    rows, more = await page_of(conn, queries.DATASETS, asked, caller.account, q, name)
    items = [
        DatasetInfo(
            dataset=identifiers.from_uuid("dst", row["id"]),
            name=row["name"],
            organisation=caller.id,
            rows=row["rows"],
            kept=row["kept"],
            counts=msgspec.json.decode(row["counts"]),
            decided_at=times.to_text(row["decided_at"]),
            log_index=row["index"],
            version=row["version"],
        )
        for row in rows
    ]
    return Page(items, more)


class RunsWanted(NamedTuple):
    """Which runs a list holds; None where it does not matter. ``q`` is part of the run's or the model's name."""

    model: str | None = None
    version: str | None = None
    dataset: UUID | None = None
    q: str | None = None


async def runs(conn: Connection, caller: Caller, asked: Asked, wanted: RunsWanted) -> Page[RunInfo]:
    """Return one page of the caller's training runs; raises ``Invalid`` naming the parameter."""
    rows, more = await page_of(conn, queries.RUNS, asked, caller.account, *wanted)
    outside: dict[UUID, list[OutsideLicence]] = defaultdict(list)
    for each in await conn.fetch(queries.OUTSIDE, [row["id"] for row in rows]):
        outside[each["run"]].append(OutsideLicence(identifiers.from_uuid("lic", each["licence"]), each["outside"]))
    return Page([_run_info(caller, row, outside[row["id"]]) for row in rows], more)


def _run_info(caller: Caller, row: Row, outside: list[OutsideLicence]) -> RunInfo:
    return RunInfo(
        run=row["name"],
        organisation=caller.id,
        model=row["model"],
        version=row["version"],
        dataset=identifiers.from_uuid("dst", row["dataset"]),
        log_index=row["index"],
        issued_at=times.to_text(row["issued_at"]),
        outside=outside,
    )


def _run_key(payload: Run) -> tuple[str, str, str, bytes]:
    name(payload.run, "payload.run")
    Request(uses="train-gen", model=f"{payload.model}@{payload.version}")
    return payload.model, payload.version, payload.run, _digest(payload.manifest, "payload.manifest")


async def _add_run(conn: Connection, caller: Caller, payload: Run, envelope: Envelope) -> tuple[UUID, int]:
    dataset = identifiers.to_uuid(payload.dataset, "dst", field="payload.dataset")
    known = await conn.fetchrow(queries.OWN_DATASET, dataset, caller.account)
    if known is None or known["payload_digest"].hex() != payload.manifest:
        raise Invalid.field("payload.manifest", "the digest of a manifest that the caller has logged", payload.manifest)
    issued_at = moments.past(payload.issued_at, "payload.issued_at")
    if payload.dropped < 0:
        raise Invalid.field("payload.dropped", "0 or more", payload.dropped)
    if issued_at >= await _snapshot(conn, payload.snapshot):
        raise SnapshotExpired("the run began after the end of the snapshot it was re-checked against; re-check it")
    await _own_licences(conn, caller, payload.licences)
    number = identifiers.new_uuid()
    subject = identifiers.from_uuid("run", number)
    pending = await translog.submit(conn, "run", subject, envelopes.encode(envelope), caller.account)
    digest = bytes.fromhex(envelope.payload_digest)
    key = _run_key(payload)
    await conn.execute(queries.ADD_RUN, number, caller.account, *key[:3], dataset, key[3], pending, digest, issued_at)
    records = [(number, *each) for each in await named_by(conn, caller.account, payload, dataset)]
    await conn.copy_records_to_table("run_licences", records=records, columns=queries.RUN_LICENCES)
    await models.named(conn, caller.account, *key[:2], issued_at)
    return number, pending


def _hold_together(payload: DatasetManifest) -> None:
    """Return if the manifest's figures can be true together."""
    name(payload.name, "payload.name")
    Request.from_json(payload.use)
    for field in ("decisions_root", "row_root"):
        _digest(getattr(payload, field), f"payload.{field}")
    if not 0 <= payload.kept <= payload.rows:
        raise Invalid.field("payload.kept", f"0 to {payload.rows}", payload.kept)
    counts = payload.counts
    if (
        not counts.keys() <= set(VERDICTS)
        or min(counts.values(), default=0) < 0
        or sum(counts.values()) != payload.rows
    ):
        raise Invalid.field("payload.counts", f"rows per verdict that add up to {payload.rows}", counts)
    for field, total in (("rows", payload.rows), ("kept", payload.kept)):
        if _sum(payload.parts, field) != total:
            raise Invalid.field("payload.parts", f"parts whose {field} add up to {total}", _sum(payload.parts, field))


def _sum(parts: Iterable[dict[str, Any]], field: str) -> int | None:
    values = [part.get(field) for part in parts]
    numbers = [value for value in values if type(value) is int and value >= 0]
    return sum(numbers) if len(numbers) == len(values) else None


def _digest(text: str, field: str) -> bytes:
    if not _DIGEST.fullmatch(text):
        raise Invalid.field(field, "a SHA-256 in lower-case hex", text)
    return bytes.fromhex(text)


async def _snapshot(conn: Connection, digest: str) -> datetime:
    """Return when the snapshot of this digest ends; raises ``Invalid`` if this registry never issued it."""
    ends: datetime | None = await conn.fetchval(queries.SNAPSHOT, _digest(digest, "payload.snapshot"))
    if ends is None:
        raise Invalid.field("payload.snapshot", "the digest of a snapshot that this registry issued", digest)
    return ends


async def _own_licences(conn: Connection, caller: Caller, licences: list[str]) -> None:
    numbers = {identifiers.to_uuid(each, "lic", field="payload.licences"): each for each in licences}
    rows = await conn.fetch(queries.OWN_LICENCES, list(numbers), caller.account)
    missing = numbers.keys() - {row["id"] for row in rows}
    if missing:
        raise Invalid.field(
            "payload.licences", "licences that the caller holds", sorted(numbers[each] for each in missing)
        )
