"""HTTP of the Open License Protocol; the addresses are those that RSL 1.0 gives a licence server."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import RawBody
from litestar.status_codes import HTTP_200_OK

from licet.wire.olp import Introspect, Introspection, LicenceToken, TokenRequest
from registry.accounts.idempotency import READS
from registry.accounts.identity import Caller
from registry.accounts.metering import Meter
from registry.olp import tokens
from registry.olp.asking import FORM, MAX_BODY, client, read
from registry.services import Services

_UNKEPT: Final = {"Cache-Control": "no-store"}  # RFC 6749, section 5.1
_OPT: Final[dict[str, Any]] = {**READS, "body": FORM, "client": True}


@post(
    "/token",
    operation_id="issueLicenceToken",
    tags=["licensing"],
    opt={**_OPT, "form": TokenRequest, "problems": (401, 402, 403)},
    status_code=HTTP_200_OK,
    request_max_body_size=MAX_BODY,
)
async def issue_token(
    services: NamedDependency[Services],
    optional_caller: NamedDependency[Caller | None],
    meter: NamedDependency[Meter],
    body: RawBody,
) -> Response[LicenceToken]:
    """A token of RSL's Open License Protocol, for a licence that is held or terms that allow the use to everybody.

    Client credentials are an organisation's identifier and a token of scope `license`, as HTTP Basic or in the form.
    402 says that a licence is on offer and none is held; 403 that the terms deny the use.
    """
    form = read(body, TokenRequest)
    caller = await client(services, optional_caller, form, "license", kinds=("org",))
    await meter.spend("keys")
    return Response(await tokens.issue(services, caller, form), headers=_UNKEPT)


@post(
    "/introspect",
    operation_id="introspectLicenceToken",
    tags=["licensing"],
    opt={**_OPT, "form": Introspect, "problems": (401, 403)},
    status_code=HTTP_200_OK,
    request_max_body_size=MAX_BODY,
)
async def introspect_token(
    services: NamedDependency[Services],
    optional_caller: NamedDependency[Caller | None],
    meter: NamedDependency[Meter],
    body: RawBody,
) -> Response[Introspection]:
    """What a token of RSL's Open License Protocol stands for at this moment (RFC 7662).

    Asked by who holds it, or by who owns a work that it is about, with a token of scope `query`; to all others, and
    once the licence or the terms no longer carry it, it is not active.
    """
    form = read(body, Introspect)
    caller = await client(services, optional_caller, form, "query")
    await meter.spend("keys")
    return Response(await tokens.introspect(services, caller, form), headers=_UNKEPT)


ROUTES: Final = [issue_token, introspect_token]
