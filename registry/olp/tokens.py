"""Licence tokens: issued for what is granted at this moment, and asked about by whoever serves the picture."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from licet import identifiers, times
from licet.errors import InputError
from licet.fingerprints.urls import canonical_url
from licet.wire.olp import Introspect, Introspection, LicenceToken, TokenRequest
from registry.accounts.identity import Caller
from registry.accounts.tokens import digest_of, new_token
from registry.errors import Invalid
from registry.olp import queries
from registry.olp.asking import Wanted, wanted
from registry.olp.covering import Cover, cover
from registry.olp.refusals import SCHEME, Denied, InvalidTarget, LicenceRequired
from registry.services import Services

PREFIX: Final = "lcl_"
LIFETIME: Final = timedelta(hours=1)
_FORGOTTEN_AFTER: Final = timedelta(minutes=5)
INACTIVE: Final = Introspection(active=False)


async def issue(services: Services, caller: Caller, form: TokenRequest) -> LicenceToken:
    """Return a token for what ``form`` asks, which ``caller`` may do at this moment; it is shown this once.

    It ends after an hour, or with the licence. Raises ``Invalid`` naming the parameter, ``InvalidTarget`` where nothing
    registered lies at the address, ``Denied``, and ``LicenceRequired`` where a licence is on offer and none is held.
    """
    asked = wanted(form)
    found = await _covered(services, caller, asked)
    _hold_to(services, asked, found)
    token, now = new_token(PREFIX), times.now()
    expires = min(now + LIFETIME, found.until or now + LIFETIME)
    async with services.database.acquire() as conn:
        await conn.execute(queries.FORGET, now - _FORGOTTEN_AFTER)
        await conn.execute(
            queries.ADD,
            digest_of(token, PREFIX),
            caller.account,
            asked.resource,
            asked.uses,
            asked.purpose,
            asked.territory,
            asked.model,
            found.works,
            now,
            expires,
        )
    return LicenceToken(
        access_token=token,
        token_type=SCHEME,
        expires_in=int((expires - now).total_seconds()),
        scope=" ".join(asked.uses),
        resource=asked.resource,
        licences=[identifiers.from_uuid("lic", each) for each in found.licences],
    )


async def introspect(services: Services, caller: Caller, form: Introspect) -> Introspection:
    """Return what a token stands for at this moment: for who holds it, and for owners of a work that it is about.

    To everybody else, and where it ran out, the licence ended or the terms changed, it is not active.
    """
    digest = digest_of(form.token, PREFIX)
    if digest is None:
        return INACTIVE
    async with services.database.acquire() as conn:
        row = await conn.fetchrow(queries.STANDS_FOR, digest, caller.account)
    if row is None or (form.resource is not None and not _same(form.resource, row["resource"])):
        return INACTIVE
    asked = Wanted(row["resource"], row["uses"], row["purpose"], row["territory"], row["model"])
    try:
        found = await cover(services, row["organisation"], asked)
    except InvalidTarget:  # the work was withdrawn meanwhile
        return INACTIVE
    if not found.granted:
        return INACTIVE
    return Introspection(
        active=True,
        token_type=SCHEME,
        client_id=identifiers.from_uuid("org", row["organisation"]),
        scope=" ".join(asked.uses),
        resource=asked.resource,
        licences=[identifiers.from_uuid("lic", each) for each in found.licences],
        purpose=found.purpose,
        territory=asked.territory,
        iat=int(row["issued_at"].timestamp()),
        exp=int(row["expires_at"].timestamp()),
    )


async def _covered(services: Services, caller: Caller, asked: Wanted) -> Cover:
    try:
        return await cover(services, caller.account, asked)
    except InputError as error:  # the model, or what goes not together
        raise Invalid(error.message) from None


def _hold_to(services: Services, asked: Wanted, found: Cover) -> None:
    if found.granted:
        return
    if found.verdict == "unknown":
        raise InvalidTarget.field("resource", "an address where a registered work lies", asked.resource)
    if found.verdict == "license":
        works = ", ".join(identifiers.from_uuid("wrk", each) for each in found.works[:10])
        raise LicenceRequired(
            f"expected a licence for {' '.join(asked.uses)} of {works}, got none that is held: "
            "take one by POST /v1/quotes, or ask the artist by POST /v1/licence-requests",
            services.settings.url,
        )
    raise Denied(f"expected a use that the terms allow, got {found.verdict} ({found.reason})")


def _same(one: str, other: str) -> bool:
    """Return whether both addresses are one, however they are written."""
    try:
        return canonical_url(one) == canonical_url(other)
    except (InputError, ValueError):
        return False
