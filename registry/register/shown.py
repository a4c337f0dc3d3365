"""What the register says, to the public or to an organisation of what is its own.

``Reader`` is who reads: what may be seen is decided in the statements that it reads with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.kinds import DatasetManifest, ModelCard, Run
from licet.wire.common import Page, StatementFile
from licet.wire.register import (
    Base,
    Card,
    Change,
    DatasetShown,
    DatasetVersion,
    ModelInfo,
    ModelVersionInfo,
    OpenDuty,
    Organisation,
    RegisteredRun,
    TrainedModel,
    TrainedOn,
)
from registry.accounts import queries as accounts
from registry.accounts.statements import file_of
from registry.database import Connection, Row
from registry.errors import Gone, NotFound
from registry.http.paging import Asked, page_of
from registry.register import queries
from registry.usage import manifests

MOST_DATASETS: Final = 20  # that one version of a model is shown with
MOST_DUTIES: Final = 20  # that one version is shown with
MOST_MODELS: Final = 100  # that one version of a dataset is shown with
_KINDS: Final = {"dst": "dataset-manifest", "run": "run", "crd": "model-card"}


class Reader(NamedTuple):
    """Who reads: an organisation its own rows, None the public what is listed."""

    account: UUID | None = None

    @property
    def sees(self) -> queries.Seen:
        """The statements that show no more than this reader may see."""
        return queries.PUBLIC if self.account is None else queries.OWN


async def models(
    conn: Connection,
    reader: Reader,
    asked: Asked,
    *,
    q: str | None = None,
    organisation: UUID | None = None,
    status: str | None = None,
) -> Page[ModelInfo]:
    """Return one page of models; ``q`` is part of a model's or an organisation's name."""
    rows, more = await page_of(conn, reader.sees.models, asked, reader.account, q, organisation, status)
    return Page([_model(row) for row in rows], more)


async def model(conn: Connection, reader: Reader, number: UUID) -> ModelInfo:
    """Return one model; raises ``NotFound`` where there is none, or none that may be seen."""
    row = await conn.fetchrow(reader.sees.model, reader.account, number)
    if row is None:
        raise NotFound("there is no such model in the register")
    return _model(row)


async def versions(
    conn: Connection, reader: Reader, number: UUID, asked: Asked, *, version: str | None = None
) -> Page[ModelVersionInfo]:
    """Return one page of a model's versions, each with what it was trained on; raises ``NotFound``."""
    await model(conn, reader, number)
    rows, more = await page_of(conn, reader.sees.versions, asked, reader.account, number, version)
    trained: dict[UUID, list[TrainedOn]] = defaultdict(list)
    used = await conn.fetch(reader.sees.trained_on, reader.account, [row["id"] for row in rows], MOST_DATASETS)
    for row in used:
        trained[row["of"]].append(_trained_on(row))
    cards = await _cards(conn, reader, rows)
    duties: dict[UUID, list[OpenDuty]] = defaultdict(list)
    for row in await conn.fetch(queries.DUTIES_OF_VERSIONS, [row["id"] for row in rows], MOST_DUTIES):
        duties[row["of"]].append(_duty(row))
    items = [
        ModelVersionInfo(
            model=identifiers.from_uuid("mdl", row["model"]),
            name=row["name"],
            version=row["version"],
            status=row["status"],
            listed=row["listed"],
            stated_at=times.to_text(row["stated_at"]),
            card=cards.get(row["id"]),
            cards=row["cards"],
            runs=row["runs"],
            granted=row["granted"],
            datasets=row["datasets"],
            trained_on=trained[row["id"]],
            duties=duties[row["id"]],
        )
        for row in rows
    ]
    return Page(items, more)


async def runs(
    conn: Connection,
    reader: Reader,
    asked: Asked,
    *,
    model: UUID | None = None,
    version: str | None = None,
    dataset: UUID | None = None,
) -> Page[RegisteredRun]:
    """Return one page of training runs."""
    rows, more = await page_of(conn, reader.sees.runs, asked, reader.account, model, version, dataset)
    return Page([_run(row) for row in rows], more)


async def datasets(
    conn: Connection,
    reader: Reader,
    asked: Asked,
    *,
    q: str | None = None,
    organisation: UUID | None = None,
    name: str | None = None,
) -> Page[DatasetVersion]:
    """Return one page of versions of datasets; ``q`` is part of a dataset's or an organisation's name."""
    rows, more = await page_of(conn, reader.sees.datasets, asked, reader.account, q, organisation, name)
    return Page([DatasetVersion(**_dataset(row)) for row in rows], more)


async def dataset(conn: Connection, reader: Reader, number: UUID, against: UUID | None = None) -> DatasetShown:
    """Return one version with its difference from the one before, or from ``against``; raises ``NotFound``."""
    sees, account = reader.sees, reader.account
    row = await conn.fetchrow(sees.dataset, account, number)
    if row is None:
        raise NotFound("there is no such dataset in the register")
    if against is None:
        other = await conn.fetchrow(sees.before, account, row["pending"], row["organisation"], row["name"])
    else:
        other = await conn.fetchrow(sees.other, account, against, row["organisation"])
        if other is None:
            raise NotFound("there is no such dataset of the same organisation in the register")
    used = await conn.fetch(sees.models_of, account, number, MOST_MODELS)
    about, terms = await _about(conn, row)
    return DatasetShown(
        **_dataset(row),
        stage=about.get("stage"),
        use=about.get("use"),
        match=about.get("match"),
        min_claim_level=about.get("min_claim_level"),
        log_size=about.get("log_size"),
        decisions_root=about.get("decisions_root"),
        row_root=about.get("row_root"),
        after=about.get("after"),
        parts=about.get("parts"),
        licences=about.get("licences"),
        terms=terms,
        manifest=row["payload_digest"].hex(),
        change=None if other is None else _change(row, other),
        models=[
            TrainedModel(
                model=identifiers.from_uuid("mdl", each["id"]),
                name=each["name"],
                version=each["version"],
                status=each["status"],
                organisation=_organisation(each),
                runs=each["runs"],
            )
            for each in used
        ],
        models_count=used[0]["total"] if used else 0,
        duties=[_duty(each) for each in await conn.fetch(queries.DUTIES_OF_DATASET, number, MOST_DUTIES)],
    )


async def statement(conn: Connection, subject: str) -> StatementFile:
    """Return the file of a statement that the register shows: a manifest, a run or a card.

    Raises ``NotFound`` where there is none that may be seen, or none in the published log yet, and ``Gone`` after
    erasure.
    """
    kind = identifiers.kind_of(subject)
    number = identifiers.to_uuid(subject, *_KINDS, field="path:statement")
    row = await conn.fetchrow(queries.STATEMENT, number, _KINDS[kind])
    if row is None:
        raise NotFound("there is no such statement in the register")
    if not await conn.fetchval(accounts.SHOWN_TO, row["pending"], None, False):
        raise Gone(f"the statement {subject} was erased; its log entry stays")
    return await file_of(conn, row["pending"], row["kind"])


def _organisation(row: Row) -> Organisation:
    return Organisation(identifiers.from_uuid("org", row["organisation"]), row["organisation_name"])


def _duty(row: Row) -> OpenDuty:
    return OpenDuty(row["effect"], row["works"], times.to_text(row["due_at"]), row["overdue"])


def _card_of(row: Row) -> ModelCard | None:
    if row["envelope"] is None:
        return None
    return envelopes.read_as(ModelCard, envelopes.parse(row["envelope"]))


def _model(row: Row) -> ModelInfo:
    card = _card_of(row)
    return ModelInfo(
        model=identifiers.from_uuid("mdl", row["id"]),
        name=row["name"],
        organisation=_organisation(row),
        family=None if card is None else card.family,
        version=row["version"],
        status=row["status"],
        versions=row["versions"],
        runs=row["runs"],
        stated_at=times.to_text(row["stated_at"]),
    )


async def _cards(conn: Connection, reader: Reader, rows: Sequence[Row]) -> dict[UUID, Card]:
    """Return the latest card of each version in ``rows`` that has one that was not erased."""
    read = {row["id"]: (row, card) for row in rows if (card := _card_of(row)) is not None}
    bases = [card.base for _, card in read.values() if card.base is not None and card.base.organisation is not None]
    found = await conn.fetch(
        queries.BASES,
        [identifiers.to_uuid(base.organisation or "", "org") for base in bases],
        [base.model for base in bases],
        [base.version for base in bases],
        reader.account,
    )
    known = {
        (identifiers.from_uuid("org", row["organisation"]), row["name"], row["version"]): identifiers.from_uuid(
            "mdl", row["id"]
        )
        for row in found
    }
    return {
        number: Card(
            card=identifiers.from_uuid("crd", row["card"]),
            status=card.status,
            listed=card.listed,
            dated=card.dated,
            family=card.family,
            summary=card.summary,
            card_url=card.card_url,
            open_weights=card.open_weights,
            base=None
            if card.base is None
            else Base(
                card.base.model,
                card.base.version,
                card.base.organisation,
                card.base.url,
                known.get((card.base.organisation or "", card.base.model, card.base.version or "")),
            ),
            issued_at=card.issued_at,
            log_index=row["index"],
        )
        for number, (row, card) in read.items()
    }


def _trained_on(row: Row) -> TrainedOn:
    return TrainedOn(
        dataset=identifiers.from_uuid("dst", row["id"]),
        name=row["name"],
        version=row["version"],
        rows=row["rows"],
        kept=row["kept"],
        counts=msgspec.json.decode(row["counts"]),
        unknown_policy=row["policy"],
        runs=row["runs"],
        outside=row["outside"],
    )


def _run(row: Row) -> RegisteredRun:
    signed = None if row["envelope"] is None else envelopes.read_as(Run, envelopes.parse(row["envelope"]))
    return RegisteredRun(
        run=identifiers.from_uuid("run", row["id"]),
        name=row["name"],
        organisation=_organisation(row),
        model=identifiers.from_uuid("mdl", row["model"]),
        model_name=row["model_name"],
        version=row["version"],
        dataset=identifiers.from_uuid("dst", row["dataset"]),
        dataset_name=row["dataset_name"],
        dataset_version=row["dataset_version"],
        manifest=row["manifest"].hex(),
        snapshot=None if signed is None else signed.snapshot,
        dropped=None if signed is None else signed.dropped,
        licences=None if signed is None else len(signed.licences),
        issued_at=times.to_text(row["issued_at"]),
        log_index=row["index"],
        outside=row["outside"],
    )


def _dataset(row: Row) -> dict[str, Any]:
    about = msgspec.json.decode(row["about"] or b"{}")
    return {
        "dataset": identifiers.from_uuid("dst", row["id"]),
        "name": row["name"],
        "version": row["version"],
        "organisation": _organisation(row),
        "listed": row["listed"],
        "rows": row["rows"],
        "kept": row["kept"],
        "counts": msgspec.json.decode(row["counts"]),
        "unknown_policy": about.get("unknown_policy"),
        "snapshot": about.get("snapshot"),
        "decided_at": times.to_text(row["decided_at"]),
        "log_index": row["index"],
    }


async def _about(conn: Connection, row: Row) -> tuple[dict[str, Any], dict[str, int]]:
    """Return what is kept of the manifest, and its terms; of rows of the release before, read from it."""
    about = None if row["about"] is None else msgspec.json.decode(row["about"])
    terms = None if row["terms"] is None else msgspec.json.decode(row["terms"])
    if (about is None or terms is None) and row["envelope"] is not None:
        payload = envelopes.read_as(DatasetManifest, envelopes.parse(row["envelope"]))
        about = about or manifests.about(payload)
        terms = terms or await manifests.terms(conn, row["organisation"], payload.licences)
    return about or {}, terms or {}


def _change(row: Row, other: Row) -> Change:
    now, before = (msgspec.json.decode(each["counts"]) for each in (row, other))
    verdicts = sorted(now.keys() | before.keys())
    return Change(
        dataset=identifiers.from_uuid("dst", other["id"]),
        version=other["version"],
        rows=row["rows"] - other["rows"],
        kept=row["kept"] - other["kept"],
        counts={verdict: now.get(verdict, 0) - before.get(verdict, 0) for verdict in verdicts},
    )
