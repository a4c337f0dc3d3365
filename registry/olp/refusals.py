"""Refusals of the protocol, each with OAuth's word for it (RFC 6749, section 5.2; RFC 8707) beside our own."""

from __future__ import annotations

from typing import ClassVar, Final

from registry.errors import Invalid, NotAllowed, RegistryError

SCHEME: Final = "License"


class UnauthorizedClient(NotAllowed):
    """The client is known, and its token or kind of account may not ask this."""

    oauth: ClassVar[str | None] = "unauthorized_client"


class UnsupportedGrant(Invalid):
    """Another grant than client credentials is asked for."""

    oauth: ClassVar[str | None] = "unsupported_grant_type"


class InvalidScope(Invalid):
    """The uses that are asked for are none that are known."""

    oauth: ClassVar[str | None] = "invalid_scope"


class InvalidTarget(Invalid):
    """Nothing that is registered lies at the address (RFC 8707, section 2)."""

    oauth: ClassVar[str | None] = "invalid_target"


class Denied(NotAllowed):
    """The terms deny the use, or cannot be decided: no licence is to be had for it."""

    oauth: ClassVar[str | None] = "access_denied"


class LicenceRequired(RegistryError):
    """The use is on offer, and the organisation holds no licence for it; the headers say where one is taken."""

    status = 402
    slug = "licence-required"
    title = "Licence required"
    oauth: ClassVar[str | None] = "invalid_grant"

    def __init__(self, detail: str, url: str) -> None:
        # What came from outside is not repeated in a header.
        told = f'{SCHEME} error="license_required", error_description="no licence is held for this use"'
        super().__init__(detail, headers={"WWW-Authenticate": f'{told}, authorization_uri="{url}/v1/quotes"'})
