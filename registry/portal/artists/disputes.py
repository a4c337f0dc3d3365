"""Disputes: about a work that somebody else registered, or a charge that was wrong; each step is shown, then signed.

Without scripts the registry attests what the session asked for: opening one, and objecting to one, which give nothing
up. To agree, or to take one's own back, takes a passkey.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, RawBody
from litestar.response import Redirect

from licet import identifiers, times
from licet.errors import InputError, LicetError
from licet.statements import envelope as envelopes
from licet.statements.authority import tightens_only
from licet.statements.disputes import draft_answer, draft_opening, draft_withdrawal
from licet.statements.kinds import DisputeStep
from licet.statements.kinds.disputes import MOST_TEXT
from licet.wire.disputes import DisputeShown
from registry.accounts import profile
from registry.accounts.identity import Caller
from registry.accounts.stepping import hold_fresh
from registry.database import Connection
from registry.disputes import service
from registry.disputes.subjects import hold_evidence, subject_of
from registry.errors import Conflict, Invalid, NotFound
from registry.http.paging import Asked, Cursor
from registry.portal.artists import queries
from registry.portal.artists.room import OWNERS, READERS, ROOM
from registry.portal.frame import forms, signing
from registry.portal.frame.forms import Form
from registry.portal.frame.languages import OTHER, everywhere
from registry.portal.frame.notes import led
from registry.portal.frame.pages import HTML, following, language_of
from registry.services import Services

_BODY: Final = 1 << 16
_A_PAGE: Final = 30
_STEPS: Final = ("answer", "withdraw")
_NOTES: Final = {"open": "dispute_opened", "answer": "dispute_answered", "withdraw": "dispute_withdrawn"}
About = Annotated[str | None, QueryParameter(name="about", max_length=40)]


class Said(NamedTuple):
    """A step as its page shows it: who took it, and what the document says (None once it was erased)."""

    step: str
    own: bool
    by: str | None
    at: str | None
    payload: DisputeStep | None


@get(everywhere("/disputes"), include_in_schema=False, media_type=HTML, guards=[READERS])
async def disputes_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    cursor: Cursor = None,
) -> Response[Any]:
    """The disputes that one is a party to or audits, the newest first; operators are led to all of them."""
    if caller.kind == "opr":
        return Redirect(f"/{language_of(request)}/operator/disputes", status_code=303)
    asked = Asked.of(request, "-opened", _A_PAGE, cursor)
    async with services.database.acquire() as conn:
        page = await service.listed(conn, caller.account, asked)
        names = await _names(conn, [name for each in page.items for name in (each.account, each.against)])
    return ROOM.page(
        request, "disputes", here="disputes" if caller.kind == "aud" else "account", disputes=page.items, names=names,
        more=following(request, page.next), start=request.url.path if cursor else None,
    )  # fmt: skip


@get(everywhere("/disputes/new"), include_in_schema=False, media_type=HTML, guards=[OWNERS])
async def new_dispute(request: Request[Any, Any, Any], about: About = None) -> Response[bytes]:
    """The form."""
    return _form(request, Form([("subject", about or "")]))


@post(
    everywhere("/disputes/new"),
    include_in_schema=False,
    media_type=HTML,
    status_code=200,
    guards=[OWNERS],
    opt=forms.KEPT,
    request_max_body_size=_BODY,
)
async def draft_dispute(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[bytes]:
    """What would be signed, once it is sure that it could be; nothing is kept."""
    form = forms.read(request, body)
    me = await profile.me(services, caller)
    try:
        payload = draft_opening(
            registry=services.keys.ref,
            account=caller.id,
            genesis=me.genesis or "",
            subject=form.get("subject").strip(),
            text=_text(form),
            evidence=form.get("evidence").replace(",", " ").split(),
        )
        async with services.database.acquire() as conn:
            subject = await subject_of(conn, caller, payload, times.now())
            await hold_evidence(conn, payload)
            names = await _names(conn, [subject.name])
    except (InputError, Invalid, NotFound, Conflict) as error:
        return _form(request, form, error)
    return await _shown(
        request, services, caller, payload, names[subject.name], f"/disputes/new?about={payload.subject}"
    )


@get(everywhere("/disputes/{dispute:str}"), include_in_schema=False, media_type=HTML, guards=[READERS])
async def dispute_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    dispute: FromPath[str],
) -> Response[Any]:
    """One dispute with everything that was said in it, and what one can do next: auditors read it."""
    if caller.kind == "opr":
        number = identifiers.from_uuid("dsp", _number(dispute))
        return Redirect(f"/{language_of(request)}/operator/disputes/{number}", status_code=303)
    found = await service.shown(services, caller.account, _number(dispute))
    return await _page(request, services, caller, found)


@post(
    everywhere("/disputes/{dispute:str}"),
    include_in_schema=False,
    media_type=HTML,
    status_code=200,
    guards=[OWNERS],
    opt=forms.KEPT,
    request_max_body_size=_BODY,
)
async def draft_step(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    dispute: FromPath[str],
    body: RawBody,
) -> Response[bytes]:
    """The answer, or the withdrawal, that would be signed."""
    form = forms.read(request, body)
    found = await service.shown(services, caller.account, _number(dispute))
    async with services.database.acquire() as conn:
        opening = await service.opening_of(conn, await service.seen(conn, caller.account, _number(dispute)))
    if opening is None:
        raise NotFound("what opened the dispute was erased")
    me = await profile.me(services, caller)
    step, position = form.get("step"), form.get("position")
    if step not in _STEPS:
        raise Invalid.field("step", " or ".join(_STEPS), step)
    try:
        if step == "withdraw":
            payload = draft_withdrawal(opening, found.dispute.document, text=_text(form))
        elif position in ("concede", "contest"):
            payload = draft_answer(
                opening,
                found.dispute.document,
                account=caller.id,
                genesis=me.genesis or "",
                position="concede" if position == "concede" else "contest",
                text=_text(form),
                evidence=form.get("evidence").replace(",", " ").split(),
            )
        else:
            raise Invalid.field("position", "concede or contest", position)
        async with services.database.acquire() as conn:
            await hold_evidence(conn, payload)
    except (InputError, Invalid) as error:
        return await _page(request, services, caller, found, form, error)
    return await _shown(request, services, caller, payload, None, f"/disputes/{dispute}")


@post(
    everywhere("/disputes/sign"),
    include_in_schema=False,
    media_type=HTML,
    guards=[OWNERS],
    opt={**forms.KEPT, "seconds": 120},
    request_max_body_size=_BODY,
)
async def sign_step(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[Any]:
    """Take the step that was on screen, signed by a passkey, or attested where that may be; twice has one effect."""
    form = forms.read(request, body)
    payload = signing.read(form, DisputeStep)
    envelope = signing.envelope_of(form, "dispute-step")
    if not envelope.signatures:
        if not tightens_only(payload):
            back = f"/disputes/{payload.dispute}"
            return await _shown(request, services, caller, payload, None, back, why="dispute_attested", status=403)
        hold_fresh(caller)
        async with services.database.transaction() as conn:
            office = await services.keys.hold(conn, "office")
        envelope = envelopes.countersign(envelope, office)
    if payload.step == "open":
        accepted = await service.open_dispute(services, caller, envelope)
    else:
        accepted = await service.take_step(services, caller, _number(payload.dispute), envelope)
    return led(f"/{language_of(request)}/disputes/{accepted.dispute.dispute}", _NOTES[payload.step])


async def _shown(
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


async def _page(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    found: DisputeShown,
    form: Form | None = None,
    error: Exception | None = None,
) -> Response[bytes]:
    info = found.dispute
    async with services.database.acquire() as conn:
        names = await _names(conn, [info.account, info.against])
    said = []
    for each in found.steps:
        payload = None if each.document is None else envelopes.read_as(DisputeStep, each.document.envelope)
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
        said=said,
        form=form or Form([]),
        most=MOST_TEXT,
        **_wrong(error),
    )


def _form(request: Request[Any, Any, Any], form: Form, error: Exception | None = None) -> Response[bytes]:
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


def _text(form: Form) -> str:
    """Return what somebody wrote: browsers end lines with CR LF, statements with LF, and know no tabs."""
    return form.get("text").replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").strip()


async def _names(conn: Connection, accounts: list[str]) -> dict[str, str]:
    """Return what the parties are called."""
    ids = {name: identifiers.to_uuid(name, "art", "org") for name in accounts}
    rows: dict[UUID, str] = {
        row["id"]: row["name"] for row in await conn.fetch(queries.ORGANISATIONS, list(ids.values()))
    }
    return {name: rows.get(number, name) for name, number in ids.items()}


def _number(dispute: str) -> UUID:
    return identifiers.to_uuid(dispute, "dsp", field="path:dispute")


ROUTES: Final = [disputes_page, new_dispute, draft_dispute, sign_step, dispute_page, draft_step]
