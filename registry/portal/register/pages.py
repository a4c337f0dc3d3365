"""The register's pages, for people: Chinese and English, made here whole, without a script.

What they show is what the JSON of the same address says, through the same statements: what is held back from the
public is in neither.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect

from licet import identifiers, times
from licet.decisions import VERDICTS
from licet.errors import InputError
from licet.wire.register import ModelVersionInfo
from registry.errors import Invalid, NotFound
from registry.http.paging import LONGEST_SEARCH, Asked, Cursor
from registry.portal.frame.languages import everywhere, preferred
from registry.portal.frame.pages import ENVIRONMENT, HTML, Room, following, language_of
from registry.portal.register.words import WORDS
from registry.register import shown
from registry.register.shown import Reader
from registry.services import Services

ROOM: Final = Room("register", WORDS)
_A_PAGE: Final = 50
_MODEL_PAGE: Final = 10
_RUNS: Final = 20
_PUBLIC: Final = Reader()
Sought = Annotated[str | None, QueryParameter(max_length=LONGEST_SEARCH)]
Sort = Literal["newest", "name"]


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}%" if whole else "0%"


ENVIRONMENT.globals["percent"] = _percent


def _gone(request: Request[Any, Any, Any], error: Exception | None = None) -> Response[bytes]:
    words = ROOM.speaks(language_of(request))
    said = words("gone_text") if error is None else words("bad", why=str(error))
    return ROOM.page(request, "gone", here="register", status=404 if error is None else 400, said=said)


@get("/register", include_in_schema=False, media_type=HTML, sync_to_thread=False)
def to_register(request: Request[Any, Any, Any]) -> Redirect:
    """Lead to the register in the language that the reader likes best."""
    language = preferred(request.headers.get("accept-language"))
    return Redirect(f"/{language}/register", status_code=303, headers={"Vary": "Accept-Language"})


@get(everywhere("/register"), include_in_schema=False, media_type=HTML)
async def models_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    q: Sought = None,
    sort: FromQuery[Sort] = "newest",
    cursor: Cursor = None,
) -> Response[bytes]:
    """The models."""
    asked = _asked(request, "-stated" if sort == "newest" else "name", cursor)
    try:
        async with services.database.acquire() as conn:
            page = await shown.models(conn, _PUBLIC, asked, q=q or None)
    except Invalid as error:
        return _gone(request, error)
    return _listed(request, "models", page, q, sort)


@get(everywhere("/register/datasets"), include_in_schema=False, media_type=HTML)
async def datasets_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    q: Sought = None,
    sort: FromQuery[Sort] = "newest",
    cursor: Cursor = None,
) -> Response[bytes]:
    """The versions of datasets."""
    asked = _asked(request, "-decided" if sort == "newest" else "name", cursor)
    try:
        async with services.database.acquire() as conn:
            page = await shown.datasets(conn, _PUBLIC, asked, q=q or None)
    except Invalid as error:
        return _gone(request, error)
    return _listed(request, "datasets", page, q, sort)


@get(everywhere("/register/models/{model:str}"), include_in_schema=False, media_type=HTML)
async def model_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], model: FromPath[str], cursor: Cursor = None
) -> Response[bytes]:
    """A model, with what its versions were trained on."""
    try:
        number = identifiers.to_uuid(model, "mdl")
        asked = Asked(request.url.path, "-stated", _MODEL_PAGE, cursor)
        async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
            found = await shown.model(conn, _PUBLIC, number)
            versions = await shown.versions(conn, _PUBLIC, number, asked)
            runs = await shown.runs(conn, _PUBLIC, Asked("", "-accepted", _RUNS), model=number)
    except (NotFound, InputError):
        return _gone(request)
    except Invalid as error:
        return _gone(request, error)
    return ROOM.page(
        request,
        "model",
        model=found,
        versions=versions.items if cursor or versions.next else sorted(versions.items, key=_numbers, reverse=True),
        runs=runs.items,
        more_runs=runs.next is not None,
        more=following(request, versions.next),
        start=request.url.path if cursor else None,
    )


@get(everywhere("/register/datasets/{dataset:str}"), include_in_schema=False, media_type=HTML)
async def dataset_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], dataset: FromPath[str]
) -> Response[bytes]:
    """A version of a dataset, with what was found and what was trained on it."""
    try:
        number = identifiers.to_uuid(dataset, "dst")
        async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
            found = await shown.dataset(conn, _PUBLIC, number)
    except (NotFound, InputError):
        return _gone(request)
    use = found.use or {}
    return ROOM.page(
        request,
        "dataset",
        dataset=found,
        verdicts=VERDICTS,
        known=WORDS,
        uses=_texts(use.get("uses")),
        purpose=_texts(use.get("purpose")),
    )


def _asked(request: Request[Any, Any, Any], sort: str, cursor: str | None) -> Asked:
    return Asked.of(request, sort, _A_PAGE, cursor)


def _listed(request: Request[Any, Any, Any], here: str, page: Any, q: str | None, sort: str) -> Response[bytes]:
    return ROOM.page(
        request,
        "list",
        here=here,
        action=request.url.path,
        items=page.items,
        q=q or "",
        sort=sort,
        sorts=(("newest", "newest"), ("name", "by_name")),
        at=ROOM.speaks(language_of(request)).moment(times.now()),
        more=following(request, page.next),
        start=request.url.path if "cursor" in request.query_params else None,
    )


def _numbers(each: ModelVersionInfo) -> list[tuple[bool, int, str]]:
    """Order versions as people count them: 10 after 9."""
    parts = re.findall(r"[0-9]+|[^0-9.]+", each.version)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def _texts(value: Any) -> list[str]:
    found = value if isinstance(value, list) else [] if value is None else [value]
    return [each for each in found if isinstance(each, str)]


ROUTES: Final[list[Any]] = [to_register, models_page, datasets_page, model_page, dataset_page]
