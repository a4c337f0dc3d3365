"""Disputes that wait for somebody who is no party: read with all that both said, decided, and after an appeal reviewed.

The registry's office signs what is decided; what whoever lost appeals, another operator decides
(``registry.disputes.deciding``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from licet import identifiers, times
from licet.errors import InputError
from licet.statements.disputes import REVIEWED_WITHIN
from licet.statements.kinds import DisputeStep
from licet.statements.kinds.disputes import MOST_TEXT
from licet.wire.disputes import DisputeInfo
from registry.accounts.identity import Caller
from registry.accounts.stepping import hold_fresh
from registry.consent.shown import shown
from registry.database import Connection
from registry.disputes import deciding, service
from registry.disputes.routes import InState
from registry.errors import Conflict, Invalid, NotAllowed
from registry.http.paging import Asked, Cursor
from registry.portal.frame import forms, signing
from registry.portal.frame.languages import everywhere
from registry.portal.frame.notes import led
from registry.portal.frame.pages import HTML, following, language_of
from registry.portal.frame.steps import label_of
from registry.portal.frame.taking import takes_form
from registry.portal.operators import queries
from registry.portal.operators.room import OPERATORS, ROOM
from registry.services import Services

_BODY: Final = 1 << 16
_A_PAGE: Final = 50
_OUTCOMES: Final = ("upheld", "dismissed")
_STATES: Final = ("appealed", "answered", "open", "decided", "upheld", "dismissed", "withdrawn")


class Said(NamedTuple):
    """A step with its document, None once that was erased."""

    step: str
    account: str | None
    payload: DisputeStep | None

    @property
    def label(self) -> str:
        """Which words say what was done."""
        return label_of(self.step, self.payload)


class Party(NamedTuple):
    """Who is in dispute: the name (None: the account was erased), and its claim level."""

    name: str | None
    level: int


class Likeness(NamedTuple):
    """A work that a dispute is about, or one of the opener's ``own`` that is like it; ``shown``: it is public."""

    work: str
    title: str | None
    own: bool
    registered_at: str
    withdrawn: bool
    shown: bool


@get(everywhere("/operator/disputes"), include_in_schema=False, media_type=HTML, guards=[OPERATORS])
async def queue(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    in_state: InState = None,
    cursor: Cursor = None,
) -> Response[bytes]:
    """All disputes, the oldest first, or those in one state."""
    asked = Asked.of(request, "opened", _A_PAGE, cursor)
    async with services.database.acquire() as conn:
        page = await service.listed(conn, None, asked, state=in_state)
        parties = await _parties(conn, page.items)
    return ROOM.page(
        request, "disputes", here="disputes", state=in_state, states=_STATES,
        disputes=[(each, _due(each)) for each in page.items], parties=parties,
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/operator/disputes/{dispute:str}"), include_in_schema=False, media_type=HTML, guards=[OPERATORS])
async def dispute_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    dispute: FromPath[str],
) -> Response[bytes]:
    """One dispute with what both parties said, and the form that decides or reviews it."""
    return await _shown(request, services, caller, dispute)


@takes_form("/operator/disputes/{dispute:str}", OPERATORS, most=_BODY, seconds=120)
async def decide(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    dispute: FromPath[str],
    body: RawBody,
) -> Response[Any]:
    """Decide, or review; twice has one effect. What is wrong or too early comes back with all that was written."""
    form = forms.read(request, body)
    hold_fresh(caller)
    outcome, again = form.get("outcome"), form.get("step") == "review"
    text = form.words("text")
    try:
        if outcome not in _OUTCOMES:
            raise Invalid.field("outcome", " or ".join(_OUTCOMES), outcome)
        decides = deciding.review if again else deciding.decide
        await decides(services, dispute, caller.id, "upheld" if outcome == "upheld" else "dismissed", text)
    except (InputError, Invalid, Conflict, NotAllowed) as error:
        return await _shown(request, services, caller, dispute, form, error)
    return led(f"/{language_of(request)}/operator/disputes", "dispute_reviewed" if again else "dispute_decided")


def _due(info: DisputeInfo) -> str | None:
    """Return when something may or should be done next; None once it is over."""
    if info.ended_at is not None:
        return None
    if info.appealed_at is not None:
        return times.to_text(times.from_text(info.appealed_at) + REVIEWED_WITHIN)
    return info.appeal_until or info.decided_after


async def _shown(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    dispute: str,
    form: forms.Form | None = None,
    wrong: Exception | None = None,
) -> Response[bytes]:
    found = await service.told(services, None, identifiers.to_uuid(dispute, "dsp", field="path:dispute"))
    info = found.dispute
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        parties, works = await _parties(conn, [info]), await _works(conn, info)
    # Undecidable while the other party can still answer; what was written all the same comes back.
    early = info.state == "open" and times.to_text(times.now()) < info.decided_after and form is None
    step = {"open": "decide", "answered": "decide", "appealed": "review"}.get(info.state)
    return ROOM.page(
        request,
        "dispute",
        status=200 if wrong is None else 403 if isinstance(wrong, NotAllowed) else 400,
        here="disputes",
        dispute=info,
        parties=parties,
        works=works,
        due=_due(info),
        fresh=signing.fresh_for(caller),
        early=early,
        own=info.decided_by == caller.id,
        step=step,
        said=[Said(*each) for each in found.steps],
        form=form or forms.Form([]),
        wrong="" if wrong is None else getattr(wrong, "detail", None) or getattr(wrong, "message", str(wrong)),
        outcomes=_OUTCOMES,
        most=MOST_TEXT,
    )


async def _parties(conn: Connection, disputes: Sequence[DisputeInfo]) -> dict[str, Party]:
    """Return who the parties of ``disputes`` are, by their identifiers."""
    ids = {identifiers.to_uuid(name, "art", "org") for each in disputes for name in (each.account, each.against)}
    rows = await conn.fetch(queries.PARTIES, list(ids))
    return {identifiers.from_uuid(row["kind"], row["id"]): Party(row["name"], row["level"]) for row in rows}


async def _works(conn: Connection, info: DisputeInfo) -> list[Likeness]:
    """Return the work that is disputed and those of whoever opened it that are like it; none of a charge."""
    if not info.subject.startswith("wrk_"):
        return []
    opener = identifiers.to_uuid(info.account, "art", "org")
    rows = await conn.fetch(queries.LIKE_IT, identifiers.to_uuid(info.subject, "wrk"), opener)
    public = await shown(conn, [row["id"] for row in rows])
    return [
        Likeness(
            work=identifiers.from_uuid("wrk", row["id"]),
            title=row["title"],
            own=row["account"] == opener,
            registered_at=times.to_text(row["registered_at"]),
            withdrawn=row["withdrawn"],
            shown=row["id"] in public,
        )
        for row in rows
    ]


ROUTES: Final = [queue, dispute_page, decide]
