"""Who signs for a team: keys and delegations, a key that asks to be let in, and the end of one.

A program's key asks by the link that ``licet account join`` prints, signed by itself; the page shows what it asks for,
and a passkey of the account signs the same bytes. What is signed goes where the API takes it (``/v1/keys``).
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, RawBody

from licet.errors import LicetError
from licet.money import currency, to_decimal, to_micro
from licet.statements.keys import keyid_of
from licet.statements.kinds import Budget
from registry.accounts import delegations, letting_in, profile
from registry.accounts.identity import Caller
from registry.accounts.letting_in import ToSign
from registry.errors import Conflict, Invalid
from registry.http.paging import Asked
from registry.portal.frame import forms
from registry.portal.frame.forms import Form
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML, language_of
from registry.portal.frame.taking import takes_form
from registry.portal.organisations.room import A_PAGE, CURRENCIES, ROOM, TEAMS
from registry.services import Services

DAYS: Final = (7, 30, 90)
#: What a team's programs sign; works are registered by artists.
SCOPES: Final = ("licence", "dataset-manifest", "run", "usage-batch")
_BODY: Final = 1 << 15
KeyId = Annotated[str | None, QueryParameter(name="key", pattern=r"^[0-9a-f]{64}$")]


@get(everywhere("/organisation/keys"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def keys_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[bytes]:
    """Every key of the account, what each may do, and until when."""
    me = await profile.me(services, caller)
    async with services.database.acquire() as conn:
        given = await delegations.listed(conn, caller.account, Asked("", "-given", A_PAGE), None)
    newest = {each.keyid: each for each in reversed(given.items)}
    live = [each for each in me.keys if each.revoked_from is None]
    return ROOM.page(
        request, "keys", here="tokens", keys=live, ended=[each for each in me.keys if each not in live],
        delegations=newest, roots=sum(each.key_class == "root" for each in live),
    )  # fmt: skip


@get(everywhere("/organisation/keys/add"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def add_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[bytes]:
    """Where the link of ``licet account join`` leads: its script puts what stands behind the ``#`` into the form."""
    return ROOM.page(request, "key_add", here="tokens", url=services.settings.url, account=caller.id, wrong=None)


@takes_form("/organisation/keys/look", TEAMS, most=_BODY, kept=True)
async def look(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[bytes]:
    """Show which key asks, and for what; nothing is kept."""
    form = forms.read(request, body)
    try:
        found = await letting_in.asked(services, caller, letting_in.read(form.get("request")))
    except (LicetError, Invalid, Conflict) as error:
        wrong = "key_changed" if isinstance(error, Conflict) else "key_unread"
        return ROOM.page(
            request, "key_add", status=409 if isinstance(error, Conflict) else 400, here="tokens",
            url=services.settings.url, account=caller.id, wrong=wrong,
        )  # fmt: skip
    keyid = keyid_of(found.payload.key)
    to = f"?key={keyid}" if found.payload.key_class == "delegate" else ""
    return to_sign(
        request, services, found, what="let_in", path="/v1/keys", keyid=keyid,
        to=f"/{language_of(request)}/organisation/keys{'/delegate' if to else ''}{to}",
    )  # fmt: skip


@get(everywhere("/organisation/keys/delegate"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def delegate_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], caller: NamedDependency[Caller],
    key: KeyId = None,
) -> Response[bytes]:  # fmt: skip
    """Choose what a delegate key may sign, up to which price, and until when."""
    me = await profile.me(services, caller)
    open_to = [each.keyid for each in me.keys if each.key_class == "delegate" and each.revoked_from is None]
    return _choose(request, open_to, key)


@takes_form("/organisation/keys/delegate", TEAMS, most=_BODY, kept=True)
async def delegate(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[bytes]:
    """Show the delegation that the form asks for; nothing is kept."""
    form = forms.read(request, body)
    keyid = form.get("key")
    try:
        days, works, budget = _number(form, "days"), form.get("works").strip(), _budget(form)
        found = await letting_in.delegation(
            services, caller, keyid, form.all("scope"), days, _number(form, "works") if works else None, budget
        )
    except Invalid as error:
        name = error.errors[0].pointer.strip("/") if error.errors else ""
        wrong = f"wrong_{name}" if name in ("scope", "works", "amount") else "wrong_delegation"
        me = await profile.me(services, caller)
        open_to = [each.keyid for each in me.keys if each.key_class == "delegate" and each.revoked_from is None]
        return _choose(request, open_to, keyid, form=form, wrong=wrong, status=400)
    return to_sign(
        request, services, found, what="delegation", path="/v1/delegations", keyid=keyid,
        to=f"/{language_of(request)}/organisation/keys",
        budget=[(to_decimal(each.amount), each.currency) for each in found.payload.limit.budget],
    )  # fmt: skip


@get(everywhere("/organisation/keys/{key:str}/end"), include_in_schema=False, media_type=HTML, guards=[TEAMS])
async def end(
    request: Request[Any, Any, Any], services: NamedDependency[Services], caller: NamedDependency[Caller],
    key: FromPath[str],
) -> Response[bytes]:  # fmt: skip
    """Show the end of a key before it is signed."""
    found = await letting_in.end(services, caller, key)
    return to_sign(
        request, services, found, what="end", path=f"/v1/keys/{key}/revoke", keyid=key,
        to=f"/{language_of(request)}/organisation/keys",
    )  # fmt: skip


def to_sign(
    request: Request[Any, Any, Any], services: Services, found: ToSign, *, what: str, **values: Any
) -> Response[bytes]:
    """Return the page on which a passkey signs what it shows."""
    envelope = {
        "payload": found.body,
        "payloadType": found.payload_type,
        "signatures": msgspec.to_builtins(found.signatures),
    }
    return ROOM.page(
        request, "key_sign", here="tokens", what=what, said=found.payload, envelope=envelope,
        challenge=found.challenge, passkeys=found.passkeys, rp=services.settings.site.rp_id,
        **{"invitation": None, **values},
    )  # fmt: skip


def _choose(
    request: Request[Any, Any, Any], open_to: list[str], keyid: str | None, *, form: Form | None = None,
    wrong: str | None = None, status: int = 200,
) -> Response[bytes]:  # fmt: skip
    """Return the form of a delegation, as it was filled in."""
    chosen = form or Form([*(("scope", each) for each in SCOPES), ("days", "90"), ("currency", "USD")])
    return ROOM.page(
        request, "key_delegate", status=status, here="tokens", keys=open_to, keyid=keyid, form=chosen, wrong=wrong,
        scopes=SCOPES, days=DAYS, currencies=CURRENCIES,
    )  # fmt: skip


def _number(form: Form, field: str) -> int:
    given = form.get(field).strip()
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        raise Invalid.field(field, "a whole number", given)
    return int(given)


def _budget(form: Form) -> list[Budget]:
    given = form.get("amount").strip()
    if not given:
        return []
    try:
        return [Budget(currency(form.get("currency")), to_micro(given, "amount"))]
    except LicetError as error:
        raise Invalid.field("amount", "an amount such as 100 or 12.50", given) from error


ROUTES: Final = [keys_page, add_page, look, delegate_page, delegate, end]
