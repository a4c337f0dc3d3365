"""HTTP: documents of terms behind a work, and the files that crawlers ask every site for. Everybody may read them."""

from __future__ import annotations

from email.utils import format_datetime
from typing import Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from licet import identifiers
from licet.signals.writers import Subject, write
from licet.signals.writers.policies import JSON as PLAIN_JSON
from licet.wire.publishing import PublishedTerms
from registry.publishing import hosting
from registry.publishing.documents import JSON, NAMES, document, published
from registry.services import Services

# Asked about again each time: what was tightened meanwhile must not be read from somebody's cache.
_FRESH: Final = "public, no-cache"
_DAILY: Final = "public, max-age=86400"
_SAFE: Final = {"Content-Security-Policy": "default-src 'none'; sandbox"}
_READABLE: Final = "ETag, Last-Modified, Link, Content-Usage, Content-Signal, tdm-reservation, tdm-policy"
_HEADERS: Final = {
    "ETag": "Names what is said; for If-None-Match.",
    "Last-Modified": "When the terms in force were stated. Disputes, claims and dates change what counts as well: "
    "If-Modified-Since alone is answered in full.",
    "Content-Usage": "AIPREF, of the work.",
    "Content-Signal": "Content Signals, of the work.",
    "X-Robots-Tag": "noai, noimageai where training and input are denied.",
    "tdm-reservation": "TDMRep, of the work.",
    "tdm-policy": "The policy behind the reservation, where something is on offer.",
    "Link": "The RSL document of the work.",
}


def _of_work(name: str, operation: str, says: str) -> HTTPRouteHandler:
    """Return the handler of the document ``name`` of works."""
    media_type = PLAIN_JSON if name == JSON else _media_type(NAMES[name])

    async def handler(
        request: Request[Any, Any, Any], services: NamedDependency[Services], work: FromPath[str]
    ) -> Response[bytes]:
        return await _answer(request, services, work, name, media_type)

    async def told(
        request: Request[Any, Any, Any], services: NamedDependency[Services], work: FromPath[str]
    ) -> Response[PublishedTerms]:
        return await _answer(request, services, work, name, media_type)

    chosen: Any = told if name == JSON else handler
    chosen.__doc__ = f"{says}\n\n{_ABOUT}"
    return get(
        f"/works/{{work:str}}/{name}",
        operation_id=operation,
        tags=["terms"],
        media_type=media_type,
        opt={"partly": (304,), "headers": _HEADERS},
    )(chosen)


def _media_type(dialect: str) -> str:
    return write(dialect, Subject(terms=hosting.DENIED)).media_type


async def _answer(
    request: Request[Any, Any, Any], services: Services, work: str, name: str, media_type: str
) -> Response[Any]:
    found = await published(services, identifiers.to_uuid(work, "wrk", field="path:work"))
    made = document(found, name, services.settings.url)
    tag = f'"{made.tag}"'
    headers = {
        **dict(made.headers),
        **_SAFE,
        "Cache-Control": _FRESH,
        "ETag": tag,
        "Last-Modified": format_datetime(made.signed_at, usegmt=True),
        "Access-Control-Expose-Headers": _READABLE,
    }
    if tag in _named(request.headers.get("if-none-match", "")):
        return Response(b"", status_code=304, media_type=media_type, headers=headers)
    return Response(made.content, media_type=media_type, headers=headers)


def _named(value: str) -> set[str]:
    """Return the tags of ``If-None-Match``, weak ones as if they were strong (RFC 9110, section 13.1.2)."""
    return {each.strip().removeprefix("W/") for each in value.split(",")}


_ABOUT: Final = """\
It says what counts at this moment, and is never looser than a decision about the work: what is contested, on its way
into force or not yet proven is denied. The headers say the same to crawlers. A work that is not public is no work."""
TERMS: Final = (
    _of_work(JSON, "getWorkTerms", "The terms of a work as they count, with why not more of them does."),
    _of_work("terms.rsl.xml", "getWorkTermsRsl", "The terms of a work in RSL 1.0."),
    _of_work("terms.tdmrep.json", "getWorkTermsTdmrep", "The TDMRep reservation of a work, as a file of rules."),
    _of_work("terms.tdm-policy.json", "getWorkTermsTdmPolicy", "The policy behind the TDMRep reservation of a work."),
    _of_work("terms.odrl.json", "getWorkTermsOdrl", "The terms of a work as a policy in ODRL 2.2."),
    _of_work("terms.cawg.json", "getWorkTermsCawg", "The data of a work's assertion `cawg.training-mining`."),
    _of_work("terms.croissant.json", "getWorkTermsCroissant", "What a Croissant description takes over of a work."),
    _of_work("terms.xmp", "getWorkTermsXmp", "The terms of a work as XMP, with PLUS data mining."),
)


@get("/robots.txt", operation_id="getRobots", tags=["terms"], media_type="text/plain", sync_to_thread=False)
def robots() -> Response[str]:
    """What crawlers may fetch here, and what the pictures here may be used for."""
    return Response(hosting.robots_txt().decode(), media_type="text/plain", headers={"Cache-Control": _DAILY})


@get("/ai.txt", operation_id="getAiTxt", tags=["terms"], media_type="text/plain", sync_to_thread=False)
def ai_txt() -> Response[str]:
    """No picture here is for training."""
    return Response(hosting.ai_txt().decode(), media_type="text/plain", headers={"Cache-Control": _DAILY})


@get(
    "/.well-known/tdmrep.json",
    operation_id="getTdmrep",
    tags=["terms"],
    media_type="application/json",
    sync_to_thread=False,
)
def tdmrep() -> Response[bytes]:
    """The TDMRep reservation of the pictures that lie here."""
    return Response(hosting.tdmrep_json(), media_type="application/json", headers={"Cache-Control": _DAILY})


ROUTES: Final = [*TERMS, robots, ai_txt, tdmrep]
