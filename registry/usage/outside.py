"""Uses that name a licence which does not cover them: revoked and the notice over, or in a run of something else.

Events do not say which version of a model a run was of; the run does that names the licence (`runs`, what it said is
in `run_licences`). So does it say when the run began: where a licence may have no new runs, what was trained before
the notice was over goes on to make outputs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
import numpy as np

from licet import identifiers, times
from licet.decisions import Request
from licet.statements import envelope as envelopes
from licet.statements.covering import outside as why_outside
from licet.statements.kinds import DatasetManifest, Licence, Run
from registry.database import Connection, Row
from registry.licensing.columns import Ints, Truths, Uses
from registry.licensing.types import Reported
from registry.usage import queries

_NEVER: Final = np.iinfo(np.int64).max
_OUTLIVES: Final = "stop-new-runs"


class Revoked(NamedTuple):
    """When the notice for a work under a licence is over, and whether runs that began before may go on."""

    over_at: datetime
    outlived: bool


class RunOf(NamedTuple):
    """What runs of one name said of a licence: why none of them is covered, and when the first was logged."""

    outside: str | None
    began: datetime | None


class Outside(NamedTuple):
    """What is known of some licences of an organisation, and of the runs that name them."""

    revoked: Mapping[tuple[UUID, UUID], Revoked]  # licence, work
    runs: Mapping[tuple[UUID, str], RunOf]
    first: Mapping[UUID, str]  # the run that a licence was granted with, which it covers

    def why(self, reported: Reported) -> str | None:
        """Return why the licence of ``reported`` does not cover it, None where nothing says so."""
        event, source = reported.event, reported.source
        first = event.run == self.first.get(source)
        run = self.runs.get((source, event.run))
        revoked = self.revoked.get((source, reported.work))
        if revoked is not None and reported.at >= revoked.over_at:
            before = first or (run is not None and run.began is not None and run.began < revoked.over_at)
            if not (revoked.outlived and event.unit == "output" and before):
                return "revoked"
        return None if first or run is None else run.outside

    def mark(
        self, memorandum: Ints, covered: Truths, uses: Uses, pairs: tuple[Ints, Ints, Ints], names: Sequence[str]
    ) -> None:
        """``memorandum`` has for every use what `why` says of it, by its place in ``names``, unless it had a reason.

        ``pairs`` are source and work of each pair, and of every use the place of its own.
        """
        if not self.revoked and not any(each.outside for each in self.runs.values()):
            return
        source, work, place = pairs
        over, outlived = np.full(len(source), _NEVER, np.int64), np.zeros(len(source), bool)
        for pair, (one, other) in enumerate(zip(source.tolist(), work.tolist(), strict=True)):
            found = self.revoked.get((uses.sources[one], uses.works[other]))
            if found is not None:
                over[pair], outlived[pair] = times.to_microseconds(found.over_at), found.outlived
        runs = uses.columns.run
        which, of = np.unique(uses.source * len(runs.values) + runs.codes, return_inverse=True)
        began, reason = np.full(len(which), _NEVER, np.int64), np.full(len(which), -1, np.int64)
        for at, each in enumerate(which.tolist()):
            licence, run = uses.sources[each // len(runs.values)], runs.values[each % len(runs.values)]
            said = self.runs.get((licence, run))
            if self.first.get(licence) == run:
                began[at] = 0
            elif said is not None:
                began[at] = _NEVER if said.began is None else times.to_microseconds(said.began)
                reason[at] = -1 if said.outside is None else names.index(said.outside)
        ends = over[place]
        goes_on = outlived[place] & uses.columns.unit.wrong(lambda unit: unit == "output") & (began[of] < ends)
        free = covered & (memorandum < 0)
        late = free & (uses.at >= ends) & ~goes_on
        memorandum[late] = names.index("revoked")
        elsewhere = free & ~late & (reason[of] >= 0)
        memorandum[elsewhere] = reason[of][elsewhere]


async def outside(conn: Connection, organisation: UUID, licences: Collection[UUID], runs: Collection[str]) -> Outside:
    """Return what is known of ``licences`` of the organisation and of its runs of these names."""
    if not licences:
        return Outside({}, {}, {})
    revoked = await conn.fetch(queries.REVOKED, organisation, list(licences))
    named = await conn.fetch(queries.RUNS_UNDER, organisation, list(licences), list(runs))
    first = await conn.fetch(queries.FIRST_RUNS, organisation, list(licences)) if revoked or named else []
    return Outside(
        {(row["licence"], row["work"]): Revoked(row["over_at"], row["effect"] == _OUTLIVES) for row in revoked},
        {(row["licence"], row["name"]): RunOf(row["outside"], row["began"]) for row in named},
        {row["id"]: row["run"] for row in first},
    )


async def named_by(conn: Connection, organisation: UUID, payload: Run, dataset: UUID) -> list[tuple[UUID, str | None]]:
    """Return the licences that a run names, each with why it does not cover the run; None where it does.

    Held against what the dataset's manifest declares, with the model and the moment that the run states. What nobody
    can read any more is not held against anybody.
    """
    numbers = [identifiers.to_uuid(each, "lic", field="payload.licences") for each in payload.licences]
    if not numbers:
        return []
    declared = await conn.fetchrow(queries.DECLARED, dataset)
    asked = None if declared is None else _request(declared, payload)
    at = times.from_text(payload.issued_at)
    found = await conn.fetch(queries.NAMED, numbers, organisation, at)
    return [(row["id"], _why(row, asked)) for row in found]


def _why(row: Row, asked: Request | None) -> str | None:
    if row["envelope"] is not None and asked is not None:
        found = why_outside(envelopes.read_as(Licence, envelopes.parse(row["envelope"])), asked)
        if found is not None:
            return found
    return "revoked" if row["revoked"] else None


def _request(row: Row, payload: Run) -> Request | None:
    """Return what the run asks of a licence, as its dataset declares it; None where nothing is left of that."""
    use = None if row["about"] is None else msgspec.json.decode(row["about"]).get("use")
    if use is None and row["envelope"] is not None:
        use = envelopes.read_as(DatasetManifest, envelopes.parse(row["envelope"])).use
    if use is None:
        return None
    declared = Request.from_json(use)
    return msgspec.structs.replace(declared, model=f"{payload.model}@{payload.version}", at=payload.issued_at)
