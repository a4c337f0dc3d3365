"""Terms: four cards, what each would mean before it is signed, and the exact text that is signed.

Only the text on screen may be signed: the form carries the very bytes, and whatever is chosen after they were made
makes new ones first. Without scripts the page comes again; with them the preview is swapped.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter, RawBody

from licet import identifiers, money, times
from licet.canonical import from_base64
from licet.errors import InputError
from licet.signals.writers import Subject
from licet.statements.envelope import pae
from licet.statements.kinds import Consent
from licet.statements.webauthn import to_base64url
from licet.terms import ATOMS, conditions_text
from licet.wire.works import StatementDrafted
from registry.accounts import queries as account_queries
from registry.accounts.identity import Caller
from registry.consent import drafting
from registry.consent.intake import shown_name
from registry.consent.together import Signed
from registry.errors import Invalid
from registry.portal.artists import choosing, conditions, fields, queries
from registry.portal.artists.choosing import CARDS, Choice, chosen, hold_few
from registry.portal.artists.room import ARTISTS, ROOM
from registry.portal.frame import forms, machine
from registry.portal.frame.doors import use_door
from registry.portal.frame.forms import Form
from registry.portal.frame.languages import TAGS, everywhere
from registry.portal.frame.pages import HTML, language_of
from registry.portal.frame.taking import takes_form
from registry.services import Services
from registry.settlement.escrow import RETURNS_AFTER

BODY: Final = 1 << 20
MOST_NAMED: Final = 100  # works of one address: those that were ticked on a page of them
_SHOWN: Final = 12  # works whose names stand above the cards
Of = Annotated[list[str] | None, QueryParameter(name="work", max_items=MOST_NAMED)]
Undoes = Annotated[str | None, QueryParameter(name="undoes", max_length=30)]
Every = Annotated[str | None, QueryParameter(name="scope", pattern="^(all|unsigned)$")]


class Found(NamedTuple):
    """The statement over the works that are chosen, how many they are, and what was said of them."""

    drafted: StatementDrafted
    works: int
    met: int
    signed: Signed | None


@get(everywhere("/terms"), include_in_schema=False, media_type=HTML, guards=[ARTISTS])
async def terms_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    work: Of = None,
    every: Every = None,
    undoes: Undoes = None,
    card: FromQuery[str | None] = None,
) -> Response[bytes]:
    """Terms for works that are named, for all, for those that nobody signed for; or what is in force, signed again."""
    asked = [("scope", "undo" if undoes else every or "works"), ("undoes", undoes or "")]
    asked += [("w", each) for each in work or []]
    asked += [("card", card)] if card else []
    return await page(request, services, caller, Form(asked))


@takes_form("/terms", ARTISTS, most=BODY, kept=True)
async def choose(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[bytes]:
    """The same page with another card chosen, or something else changed."""
    return await page(request, services, caller, forms.read(request, body))


async def page(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    form: Form,
    *,
    why: str | None = None,
    status: int = 200,
) -> Response[bytes]:
    """Return the page for what ``form`` says, with a statement drafted; ``why``: words for it being shown again."""
    async with services.database.acquire() as conn:
        choice = await chosen(conn, caller.account, form)
    choice, found = await _found(request, services, caller, choice)
    if found is None:
        return ROOM.page(request, "nothing", here="works", undo=choice.scope == "undo", lost=choice.lost)
    values = await _shown(request, services, caller, choice, found)
    return ROOM.page(request, "terms", status=status, here="works", why=why, **values)


async def _found(
    request: Request[Any, Any, Any], services: Services, caller: Caller, choice: Choice
) -> tuple[Choice, Found | None]:
    """Return ``choice`` with how many of its works were lost, and what is found of them; None where there are none."""
    tag = TAGS[language_of(request)]
    if choice.together is not None:
        together = choice.together, choice.most, choice.terms
        drafted, found = await drafting.draft_together(services, caller, *together, tag)
        hold_few(choice, found.works + found.lost)
        choice = choice._replace(lost=found.lost)
        there = None if drafted is None else Found(drafted, found.works, found.met, found.signed)
        return choice, there
    if not choice.works:
        return choice, None
    drafted = await drafting.draft_of(services, caller, choice.works, choice.terms, tag)
    async with services.database.acquire() as conn:
        met: int = await conn.fetchval(queries.MET, choice.works, caller.account)
        last = await conn.fetchrow(queries.SIGNED_LAST, choice.works, caller.account)
    signed = None if last is None else Signed(last["id"], last["accepted_at"])
    return choice, Found(drafted, len(choice.works), met, signed)


async def _shown(
    request: Request[Any, Any, Any], services: Services, caller: Caller, choice: Choice, found: Found
) -> dict[str, Any]:
    tag, drafted, signed = TAGS[language_of(request)], found.drafted, found.signed
    body = from_base64(drafted.payload, "payload")
    consent = msgspec.json.decode(body, type=Consent)
    async with services.database.acquire() as conn:
        passkeys = await conn.fetch(account_queries.PASSKEYS, caller.account)
    return {
        "choice": choice,
        "names": [identifiers.from_uuid("wrk", each) for each in choice.works],
        "count": found.works,
        "met": found.met,
        "cards": CARDS,
        "form": choice.filled,
        "currencies": fields.CURRENCIES,
        "others": sorted(money.CURRENCIES - set(fields.CURRENCIES)),
        "says": conditions,
        "back": _address(f"/{language_of(request)}", choice),
        "signed": signed and (identifiers.from_uuid("stm", signed.statement), times.to_text(signed.accepted_at)),
        "most_sets": choosing.MOST_SETS,
        "atoms": ATOMS,
        "doors": [(atom, use_door(choice.terms.rules[atom])) for atom in ATOMS],
        "asks": {atom: conditions_text(rule, tag) for atom, rule in choice.terms.rules.items()},
        "text": drafted.text,
        "payload": drafted.payload,
        "effect": consent.effect,
        "challenge": to_base64url(sha256(pae(drafted.payload_type, body)).digest()),
        "passkeys": [(to_base64url(each["credential"]), each["keyid"]) for each in passkeys],
        "site": services.settings.site.rp_id,
        "forms": machine.forms(Subject(terms=choice.terms, artist=shown_name(caller.name) or None)),
        "hours": int(services.settings.loosening_hold.total_seconds() // 3600),
        "minutes": max(1, int(services.settings.snapshot_delay.total_seconds() // 60)),
        "most": choosing.MOST,
        "trusted": caller.level >= 2,
        "fee": services.settings.fee_bps,
        "days": RETURNS_AFTER.days,
    }


def _address(root: str, choice: Choice) -> str:
    """Return where the page is opened again, for whoever comes back to it once it is signed."""
    if choice.scope == "works":
        named = urlencode([("work", identifiers.from_uuid("wrk", each)) for each in choice.works])
        return f"{root}/terms?{named}" if len(choice.works) <= MOST_NAMED else f"{root}/works"
    asked = {"undoes": choice.undoes} if choice.scope == "undo" else {"scope": choice.scope}
    return f"{root}/terms?{urlencode(asked)}"


def consent_in(payload: str) -> Consent:
    """Return the consent that a form carries; raises ``Invalid`` for anything else."""
    try:
        return msgspec.json.decode(from_base64(payload, "payload"), type=Consent)
    except (InputError, msgspec.MsgspecError, ValueError):
        raise Invalid("payload: expected the consent that the page was made with, got something else") from None


ROUTES: Final = [terms_page, choose]
