"""Everything that an account signed, of every kind, the newest first: each leads to what it is about, and to its proof.

What the registry signed about the account stands among it, and says so: a claim level, and looser terms that took
effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from licet import identifiers, times
from registry.accounts.identity import Caller
from registry.accounts.statements import BY_REGISTRY
from registry.database import Row
from registry.errors import Invalid
from registry.http.paging import Asked, Cursor, page_of
from registry.portal.artists import queries
from registry.portal.artists.room import OWNERS, ROOM
from registry.portal.artists.signed_words import KINDS
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML, following
from registry.services import Services

_A_PAGE: Final = 50
OfKind = Annotated[str | None, QueryParameter(name="kind", max_length=40)]

# Where what was signed has a page, by the kind of account: ``{subject}`` is what the log calls it, ``{about}`` what it
# was said of. The others have the log's entry alone.
_EVERYBODY: Final = {
    "dispute-step": "/disputes/{about}",
    "licence-answer": "/requests/{about}",
    **dict.fromkeys(("key-register", "key-rotate", "key-revoke"), "/account/keys"),
}
_PAGES: Final[dict[str, Mapping[str, str]]] = {
    "art": {
        **_EVERYBODY,
        **dict.fromkeys(("consent", "work-update"), "/statements/{subject}"),
        "licence-revoke": "/licences/{about}",
        "delegation": "/account/keys",
        "claim": "/level",
    },
    "org": {
        **_EVERYBODY,
        "licence": "/organisation/licences/{subject}",
        "revenue-report": "/organisation/licences/{about}",
        "licence-request": "/organisation/requests/{subject}",
        "licence-reply": "/organisation/requests/{about}",
        "duty-done": "/organisation/duties?state=done",
        "delegation": "/organisation/keys",
        "dataset-manifest": "/organisation/datasets",
        "run": "/organisation/runs",
        "model-card": "/organisation/models",
    },
}


class Signed(NamedTuple):
    """One statement as the list tells it: in which words, with which effect on how many works, and where it leads."""

    words: str
    effect: str | None
    catalogue: bool
    works: int | None
    by_registry: bool
    at: str
    entry: int | None  # its number in the log, once that is published
    page: str | None


@get(everywhere("/statements"), include_in_schema=False, media_type=HTML, guards=[OWNERS])
async def signed(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    caller: NamedDependency[Caller],
    kind: OfKind = None,
    cursor: Cursor = None,
) -> Response[bytes]:
    """Everything that one has signed, or what of it is of one ``kind``."""
    if kind is not None and kind not in KINDS:
        raise Invalid.field("?kind", f"one of {', '.join(KINDS)}", kind)
    asked = Asked.of(request, "-signed", _A_PAGE, cursor)
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        if kind is None:
            rows, more = await page_of(conn, queries.SIGNED, asked, caller.account)
        else:
            rows, more = await page_of(conn, queries.SIGNED_OF, asked, caller.account, kind)
        kinds = [row["kind"] for row in await conn.fetch(queries.SIGNED_KINDS, caller.account, list(KINDS))]
    return ROOM.page(
        request, "signed", here="works" if caller.kind == "art" else "account", kind=kind, kinds=kinds,
        signed=[_told(row, caller.kind) for row in rows],
        more=following(request, more), start=request.url.path if cursor else None,
    )  # fmt: skip


def _told(row: Row, of: str) -> Signed:
    kind, said = row["kind"], row["step"] or row["answer"]
    if kind == "key-register" and not row["subject"].startswith("stm_"):
        said = "first"  # the account's own number: with this key it began
    page = _PAGES.get(of, {}).get(kind)
    return Signed(
        f"signed_{kind}_{said}" if said else f"signed_{kind}",
        row["effect"],
        row["scope"] == "catalogue",
        row["works"],
        kind in BY_REGISTRY,
        times.to_text(row["at"]),
        row["index"],
        None if page is None else page.format(subject=row["subject"], about=_about(row)),
    )


def _about(row: Row) -> str | None:
    found: tuple[tuple[str, UUID | None], ...] = (
        ("dsp", row["dispute"]),
        ("ask", row["request"]),
        ("lic", row["licence"]),
    )
    return next((identifiers.from_uuid(kind, number) for kind, number in found if number is not None), None)


ROUTES: Final = [signed]
