"""Devices and keys: what may sign for an account, one more of them, and the end of one.

Each change is a statement about keys that is shown word for word and byte for byte first; a passkey that was just used
opens the way to it, and another use of it signs.
"""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from licet import times
from licet.canonical import from_base64
from licet.statements.keys import keyid_of
from licet.statements.kinds import KeyRegister, KeyRevoke
from licet.statements.webauthn import Passkey, to_base64url
from licet.wire.accounts import KeyInfo
from registry.accounts import keys, letting_in, profile
from registry.accounts.identity import Caller
from registry.accounts.stepping import hold_fresh
from registry.errors import Invalid
from registry.portal.artists import queries
from registry.portal.artists.room import OWNERS, ROOM
from registry.portal.frame import forms, signing
from registry.portal.frame.languages import OTHER, everywhere
from registry.portal.frame.notes import led
from registry.portal.frame.pages import HTML, language_of
from registry.portal.frame.taking import takes_form
from registry.services import Services

_BODY: Final = 1 << 16
_KINDS: Final[dict[str, tuple[type[KeyRegister | KeyRevoke], str]]] = {
    "key-register": (KeyRegister, "key_added"),
    "key-revoke": (KeyRevoke, "key_ended"),
}


@get(everywhere("/account/keys"), include_in_schema=False, media_type=HTML, guards=[OWNERS])
async def keys_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], caller: NamedDependency[Caller]
) -> Response[bytes]:
    """The keys of the account, when each came, and with which one somebody signed in here."""
    me = await profile.me(services, caller)
    async with services.database.acquire() as conn:
        used = await conn.fetchval(queries.SESSION_KEY, caller.session, caller.account)
        came = {row["keyid"]: times.to_text(row["at"]) for row in await conn.fetch(queries.KEYS_CAME, caller.account)}
    return ROOM.page(
        request,
        "keys",
        here="account",
        keys=[(each, came.get(each.keyid), each.keyid == used) for each in me.keys],
        last=_last(me.keys),
        name=me.name,
    )


@takes_form("/account/keys/new", OWNERS, most=_BODY)
async def new_key(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[bytes]:
    """What the passkey that was just made, and one of the account's own, have to sign; nothing is kept."""
    form = forms.read(request, body)
    payload = signing.read(form, KeyRegister)
    if payload.account != caller.id or payload.key_class != "root" or not isinstance(payload.key, Passkey):
        raise Invalid("payload: expected a new passkey for this account, got something else")
    drafted = from_base64(form.get("payload"), "payload")
    shown = await signing.signable(services, caller, drafted, "key-register", fresh=True)
    keyid = keyid_of(payload.key)
    first = [(to_base64url(bytes.fromhex(payload.key.credential)), keyid)]
    # Asked for by address, in the other language, it would not be there: what was posted is not kept.
    other = f"/{OTHER[language_of(request)]}/account/keys"
    return ROOM.page(
        request, "key", here="account", shown=shown, key=keyid, first=first, here_used=False, other_url=other
    )


@get(everywhere("/account/keys/{keyid:str}/end"), include_in_schema=False, media_type=HTML, guards=[OWNERS])
async def end_key(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    keyid: FromPath[str],
) -> Response[bytes]:
    """What ends a key, to be signed; of the last one, that another has to come first."""
    if _last((await profile.me(services, caller)).keys) == keyid:
        return ROOM.page(request, "key_last", here="account", key=keyid)
    ending = await letting_in.end(services, caller, keyid)
    async with services.database.acquire() as conn:
        used = await conn.fetchval(queries.SESSION_KEY, caller.session, caller.account)
    shown = await signing.signable(services, caller, ending.payload, "key-revoke", fresh=True)
    return ROOM.page(request, "key", here="account", shown=shown, key=keyid, first=None, here_used=used == keyid)


@takes_form("/account/keys", OWNERS, most=_BODY, seconds=300)
async def take_key(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    body: RawBody,
) -> Response[Any]:
    """Take a signed statement about keys; the last key that may do everything is not ended here."""
    form = forms.read(request, body)
    kind = form.get("kind")
    if kind not in _KINDS:
        raise Invalid.field("kind", " or ".join(_KINDS), kind)
    payload: KeyRegister | KeyRevoke = signing.read(form, _KINDS[kind][0])
    hold_fresh(caller)
    if isinstance(payload, KeyRevoke) and _last((await profile.me(services, caller)).keys) == payload.keyid:
        return ROOM.page(request, "key_last", status=409, here="account", key=payload.keyid)
    await keys.accept(services, caller.account, signing.envelope_of(form, kind))
    return led(f"/{language_of(request)}/account/keys", _KINDS[kind][1])


def _last(known: list[KeyInfo]) -> str | None:
    """Return the one key that is left to do everything with, None where there are more: without it nobody gets in."""
    live = [each.keyid for each in known if each.revoked_from is None and each.key_class != "delegate"]
    return live[0] if len(live) == 1 else None


ROUTES: Final = [keys_page, new_key, end_key, take_key]
