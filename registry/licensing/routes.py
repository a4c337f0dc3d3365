"""HTTP of licensing: questions, offers, licences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter, RawBody
from litestar.status_codes import HTTP_200_OK

from licet import decisions, identifiers
from licet.terms import ATOMS, AUDIENCES
from licet.wire.common import Page
from licet.wire.licensing import (
    Answers,
    LicenceAccept,
    LicenceGranted,
    LicenceInfo,
    OptOuts,
    Query,
    Quote,
    QuoteInfo,
    QuoteRequest,
    RangeSize,
)
from registry.accounts import metering
from registry.accounts.idempotency import READS
from registry.accounts.identity import Caller, require
from registry.accounts.metering import Meter
from registry.http.paging import DEFAULT_LIMIT, Asked, Cursor, Limit, Search, linked
from registry.licensing import accept, asking, licences, opt_outs, quotes, ranges
from registry.services import Services

Model = Annotated[str | None, QueryParameter(max_length=200)]


def _of(known: Iterable[str]) -> dict[str, Any]:
    return {"items": {"type": "string", "enum": sorted(known)}}


# What is said in `schema_extra` is described, and refused by the question itself, in its own words.
Uses = Annotated[list[str], QueryParameter(name="use", min_items=1, max_items=10, schema_extra=_of(ATOMS))]
Purpose = Annotated[list[str] | None, QueryParameter(max_items=300, schema_extra=_of(AUDIENCES))]
Territory = Annotated[
    list[str] | None, QueryParameter(max_items=300, schema_extra={"items": {"$ref": "#/components/schemas/Country"}})
]
AtVersion = Annotated[str | None, QueryParameter(schema_extra={"pattern": f"^{asking.MODEL}@{asking.VERSION}$"})]
Level = Annotated[int, QueryParameter(schema_extra={"minimum": asking.LEVELS[0], "maximum": asking.LEVELS[-1]})]
_SEES = require("license", "usage")  # whoever may take licences, and whoever may see what they earn


@post(
    "/v1/licensing/query",
    operation_id="query",
    tags=["licensing"],
    opt=READS,
    status_code=HTTP_200_OK,
    request_max_body_size=16 << 20,
)
async def query(
    services: NamedDependency[Services],
    optional_caller: NamedDependency[Caller | None],
    meter: NamedDependency[Meter],
    data: JSONBody[Query],
) -> Response[Answers]:
    """Verdicts with reasons, matches and prices for at most 10,000 rows; 1,000 without a token.

    A row with a digest, hash, code or address that is none is `review`, `malformed`, and the others are answered.
    """
    await meter.spend("keys", len(data.rows))
    body: Any = await asking.query(services, optional_caller, data)  # written as JSON already
    return Response(body, media_type="application/json")


@post(
    "/v1/licensing/lookup",
    operation_id="lookup",
    tags=["licensing"],
    opt=READS,
    status_code=HTTP_200_OK,
    request_max_body_size=asking.MAX_KEYS * asking.KEY_BYTES,
    media_type="application/octet-stream",
)
async def lookup(
    request: Request[Any, Any, Any],
    optional_caller: NamedDependency[Caller | None],
    body: RawBody,
    uses: Uses,
    purpose: Purpose = None,
    territory: Territory = None,
    model: AtVersion = None,
    model_scope: FromQuery[Literal["one-version", "family"]] = "one-version",
    open_weights: FromQuery[bool | None] = None,
    sublicense: FromQuery[bool | None] = None,
    exclusive: FromQuery[bool | None] = None,
    at: FromQuery[str | None] = None,
    min_claim_level: Level = 0,
) -> Response[bytes]:
    """One verdict byte for each 32-byte SHA-256 of a file or of decoded pixels.

    0 allow, 1 unknown, 2 license, 3 review, 4 deny; at most 65,536 keys, 1,000 without a token.
    """
    asked = decisions.Request(
        uses=uses,
        purpose=purpose or (),
        model=model,
        model_scope=model_scope,
        open_weights=open_weights,
        territory=territory,
        sublicense=sublicense,
        exclusive=exclusive,
        at=at or asking.this_moment(),
    )
    # Not as dependencies: each takes the framework longer than itself.
    services: Services = request.app.state.services
    await metering.meter_of(request).spend("keys", len(body) // asking.KEY_BYTES)
    found = await asking.lookup(services, optional_caller, body, asked, min_claim_level)
    headers = {"Licet-Consent-Version": str(found.consent_version), "Licet-Log-Size": str(found.log_size)}
    return Response(found.codes, headers=headers, media_type="application/octet-stream")


@post(
    "/api/v2/query/urls",
    operation_id="queryUrls",
    tags=["licensing"],
    opt={**READS, "body": "text/plain", "api_key": True},
    guards=[require("query")],
    status_code=HTTP_200_OK,
    request_max_body_size=opt_outs.MAX_BYTES,
)
async def query_urls(services: NamedDependency[Services], meter: NamedDependency[Meter], body: RawBody) -> OptOuts:
    """Whether addresses opt out of training generative models, for clients of Spawning's opt-out API.

    At most 10,000 addresses, a line each, as text in UTF-8; one item comes back for each line. The token may also
    be sent as `Authorization: API <token>`.
    """
    await meter.spend("keys", body.removesuffix(b"\n").count(b"\n") + 1)
    return await opt_outs.opt_outs(services, body)


@get("/v1/licensing/ranges", operation_id="getRangeSize", tags=["licensing"], opt={"problems": (503,)})
async def range_size(services: NamedDependency[Services]) -> Response[RangeSize]:
    """How many hexadecimal digits of a key are told for a range now, so that at least 128 keys begin with them."""
    return Response(await ranges.size(services), headers={"Cache-Control": ranges.CACHE})


@get(
    "/v1/licensing/ranges/{prefix:str}",
    operation_id="getRange",
    tags=["licensing"],
    opt={"problems": (503,), "partly": (304,)},
    media_type="application/octet-stream",
)
async def key_range(
    request: Request[Any, Any, Any], services: NamedDependency[Services], prefix: FromPath[str]
) -> Response[bytes]:
    """A segment of everything that is in force for the keys that begin with `prefix`, padded to whole 16 KiB.

    `prefix` has as many digits as `/v1/licensing/ranges` says; `all` where it says none. Whoever asks looks its own
    key up in it. `ETag` is the digest of what it says: it stays the same until that changes.
    """
    known = request.headers.get("if-none-match", "").removeprefix("W/").strip('"')
    found = await ranges.within(services, prefix, known)
    headers = {
        "Cache-Control": ranges.CACHE,
        "ETag": f'W/"{found.digest}"',
        "Licet-Consent-Version": str(found.consent_version),
        "Licet-Log-Size": str(found.log_size),
    }
    if not found.body:
        return Response(b"", status_code=304, headers=headers)
    return Response(found.body, headers=headers, media_type="application/octet-stream")


@post(
    "/v1/quotes",
    operation_id="createQuote",
    tags=["licensing"],
    opt={**READS, "quota": "quotes", "problems": (404,)},  # the request whose offer is to be taken
    guards=[require("license", kinds=("org",))],
    request_max_body_size=32 << 20,
)
async def create_quote(
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    meter: NamedDependency[Meter],
    data: JSONBody[QuoteRequest],
) -> Quote:
    """What at most 100,000 works cost now, for 15 minutes; works that cannot be licensed are named with the reason."""
    await meter.spend("keys", len(data.works))
    return await quotes.quote(services, caller, data)


@get("/v1/quotes", operation_id="listQuotes", tags=["licensing"], guards=[require("license", kinds=("org",))])
async def list_quotes(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    active: FromQuery[bool | None] = None,
    sort: FromQuery[Literal["-issued", "issued"]] = "-issued",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[QuoteInfo]]:
    """Quotes that were made to the organisation and not forgotten: an offer that nobody took stays for a day."""
    asked = Asked.of(request, sort, limit, cursor)
    async with services.database.acquire() as conn:
        return linked(request, await quotes.listed(conn, caller.account, asked, active=active))


@get(
    "/v1/quotes/{quote:str}",
    operation_id="getQuote",
    tags=["licensing"],
    guards=[require("license", kinds=("org",))],
)
async def get_quote(
    services: NamedDependency[Services], caller: NamedDependency[Caller], quote: FromPath[str]
) -> Quote:
    """One quote, as it was made."""
    return await quotes.stored(services, caller.account, identifiers.to_uuid(quote, "quo", field="path:quote"))


@post(
    "/v1/licences",
    operation_id="acceptQuote",
    tags=["licensing"],
    opt={"problems": (404, 410)},  # the quote; the licence that was made of it, when it comes again
    guards=[require("license", kinds=("org",))],
    request_max_body_size=16 << 20,
)
async def accept_quote(
    services: NamedDependency[Services], caller: NamedDependency[Caller], data: JSONBody[LicenceAccept]
) -> LicenceGranted:
    """Take the licence that a quote offers, with the organisation's signature; per-work prices and run 1 are posted.

    409 `works-changed` names what is no longer as quoted, 409 `expired` and `over-budget` say so; nothing was taken.
    """
    return await accept.accept(services, caller, data)


@get("/v1/licences", operation_id="listLicences", tags=["licensing"], guards=[_SEES])
async def list_licences(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    q: Search = None,
    model: Model = None,
    version: Model = None,
    active: FromQuery[bool | None] = None,
    sort: FromQuery[Literal["-granted", "granted"]] = "-granted",
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[LicenceInfo]]:
    """Licences that the caller holds, or that hold the caller's works; `q` is part of the model's name."""
    asked = Asked.of(request, sort, limit, cursor)
    wanted = licences.Wanted(model, version, q, active)
    async with services.database.acquire() as conn:
        return linked(request, await licences.listed(conn, caller, asked, wanted))


@get(
    "/v1/licences/{licence:str}",
    operation_id="getLicence",
    tags=["licensing"],
    guards=[_SEES],
    opt={"problems": (410,)},
)
async def get_licence(
    services: NamedDependency[Services], caller: NamedDependency[Caller], licence: FromPath[str]
) -> LicenceGranted:
    """One licence: both signatures, its lines, what was posted when it was accepted, its place in the log."""
    return await licences.granted(services, caller, identifiers.to_uuid(licence, "lic", field="path:licence"))


ROUTES = [
    query,
    lookup,
    query_urls,
    range_size,
    key_range,
    create_quote,
    list_quotes,
    get_quote,
    accept_quote,
    list_licences,
    get_licence,
]
