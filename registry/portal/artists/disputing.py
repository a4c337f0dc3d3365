"""How disputes look to their parties and to auditors: one dispute, the form that opens one, what would be signed."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from uuid import UUID

from litestar import Request, Response

from licet import identifiers, times
from licet.errors import LicetError
from licet.statements.authority import tightens_only
from licet.statements.disputes import REVIEWED_WITHIN
from licet.statements.kinds import DisputeStep
from licet.statements.kinds.disputes import MOST_TEXT
from licet.wire.disputes import DisputeInfo
from registry.accounts.identity import Caller
from registry.database import Connection
from registry.disputes.service import Told
from registry.errors import Conflict, NotFound
from registry.portal.artists import queries
from registry.portal.artists.room import ROOM
from registry.portal.frame import signing
from registry.portal.frame.forms import Form
from registry.portal.frame.languages import OTHER
from registry.portal.frame.pages import language_of
from registry.portal.frame.steps import label_of
from registry.services import Services

#: Where what whoever won a picture can do now is done.
_LEADS: Final = {
    "dispute_means_won_register": "/add", "dispute_means_won_money": "/level",
    "dispute_means_won_licences": "/licences",
}  # fmt: skip


class Said(NamedTuple):
    """A step as its page shows it: who took it, and what the document says (None once it was erased)."""

    step: str
    own: bool
    by: str | None
    at: str | None
    payload: DisputeStep | None

    @property
    def label(self) -> str:
        """Which words say what was done."""
        return label_of(self.step, self.payload)


async def sign_page(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    payload: DisputeStep,
    against: str | None,
    back: str,
    *,
    why: str | None = None,
    status: int = 200,
) -> Response[bytes]:
    """Return the page that shows what would be signed; ``why``: which words say why it was not."""
    language = language_of(request)
    return ROOM.page(
        request,
        "dispute_sign",
        status=status,
        here="account",
        shown=await signing.signable(services, caller, payload, "dispute-step"),
        step=payload,
        against=against,
        attested=tightens_only(payload),
        back=f"/{language}{back}",
        why=why,
        other_url=f"/{OTHER[language]}{back}",
    )


async def dispute_page_of(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    found: Told,
    form: Form | None = None,
    error: Exception | None = None,
) -> Response[bytes]:
    """Return the page of a dispute with all that was said, and what one can do next."""
    info = found.dispute
    async with services.database.acquire() as conn:
        names = await names_of(conn, [info.account, info.against])
    said = []
    for each in found.steps:
        payload = each.payload
        by = names.get(each.account) if each.account is not None else None
        at = None if payload is None else payload.issued_at
        said.append(Said(each.step, each.account == caller.id, by, at, payload))
    return ROOM.page(
        request,
        "dispute",
        status=200 if error is None else 400,
        here="disputes" if caller.kind == "aud" else "account",
        dispute=info,
        names=names,
        opened=info.account == caller.id,
        lost=info.lost_by == caller.id,
        won=_won(info, caller.id),
        ends=_ends(info, caller.id),
        leads=_LEADS if caller.kind == "art" else {},
        late=info.appeal_until is None or times.to_text(times.now()) >= info.appeal_until,
        review_until=info.appealed_at and times.to_text(times.from_text(info.appealed_at) + REVIEWED_WITHIN),
        said=said,
        form=form or Form([]),
        most=MOST_TEXT,
        **_wrong(error),
    )


def _won(info: DisputeInfo, who: str) -> bool | None:
    """Whether a party that reads won what has ended; None: nobody did, or somebody else reads."""
    if who not in (info.account, info.against) or info.state not in ("upheld", "dismissed"):
        return None
    return (info.state == "upheld") == (who == info.account)


def _ends(info: DisputeInfo, who: str) -> tuple[str, ...]:
    """Return which words say what the end of a dispute means for a party that reads; none for others, and before."""
    if who not in (info.account, info.against) or info.ended_at is None:
        return ()
    if info.state == "withdrawn":
        return ("dispute_means_withdrawn",)
    side = "opener" if who == info.account else "other"
    if info.subject.startswith("tra_"):
        return (f"dispute_means_charge_{info.state}_{side}",)
    if info.state == "upheld" and side == "opener":
        return tuple(f"dispute_means_won_{each}" for each in ("register", "money", "licences"))
    return (f"dispute_means_work_{info.state}_{side}",)


def form_page(request: Request[Any, Any, Any], form: Form, error: Exception | None = None) -> Response[bytes]:
    """Return the form that opens a dispute, with what was written and what is wrong about it."""
    language = language_of(request)
    about = form.get("subject")[:40]
    return ROOM.page(
        request,
        "dispute_new",
        status=200 if error is None else 400,
        here="account",
        form=form,
        most=MOST_TEXT,
        other_url=f"/{OTHER[language]}/disputes/new" + (f"?about={about}" if about.isalnum() else ""),
        **_wrong(error),
    )


def _wrong(error: Exception | None) -> dict[str, str | None]:
    """Return the words for what was wrong with a form, and the message that says exactly what, in English."""
    if error is None:
        return {"wrong": None, "exactly": None}
    exactly = str(error) if isinstance(error, LicetError) else getattr(error, "detail", str(error))
    if isinstance(error, NotFound):
        return {"wrong": "dispute_wrong_unknown", "exactly": exactly}
    if isinstance(error, Conflict):
        return {"wrong": "dispute_wrong_state", "exactly": exactly}
    field = exactly.partition(":")[0].partition("[")[0]
    named = field if field in ("subject", "text", "evidence", "position") else "subject"
    return {"wrong": f"dispute_wrong_{named}", "exactly": exactly}


async def names_of(conn: Connection, accounts: list[str]) -> dict[str, str]:
    """Return what the parties are called."""
    ids = {name: identifiers.to_uuid(name, "art", "org") for name in accounts}
    rows: dict[UUID, str] = {
        row["id"]: row["name"] for row in await conn.fetch(queries.ORGANISATIONS, list(ids.values()))
    }
    return {name: rows.get(number, name) for name, number in ids.items()}
