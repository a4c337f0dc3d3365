"""A list that comes page by page, as a description of what to ask next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from licet.errors import InputError, ServiceError
from licet.exchange.calls import Call, Filters, get
from licet.wire.common import Page

T = TypeVar("T")
MAX_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A list that comes page by page; ``limit`` is the most items wanted, None for all."""

    first: Call[Page[T]]
    limit: int | None = None

    def following(self, page: Page[T] | None, taken: int) -> Call[Page[T]] | None:
        """Return the call for what follows ``page`` (None: the first) after ``taken`` items; None at the end."""
        if (self.limit is not None and taken >= self.limit) or (page is not None and page.next is None):
            return None
        size: Filters = {"limit": MAX_PAGE if self.limit is None else min(MAX_PAGE, self.limit)}
        place: Filters = {} if page is None or page.next is None else {"cursor": page.next}
        return replace(self.first, params={**self.first.params, **size, **place})

    def wanted(self, page: Page[T], taken: int) -> Sequence[T]:
        """Return the items of ``page`` that are still wanted after ``taken``, whatever number was sent."""
        return page.items if self.limit is None else page.items[: self.limit - taken]

    @contextmanager
    def resumable(self, taken: int) -> Iterator[None]:
        """Say of a refused cursor that the list has to be asked for anew: it was the service's, not the caller's."""
        try:
            yield
        except InputError as error:
            if taken and any(each.get("pointer") == "?cursor" for each in error.errors):
                raise ServiceError(
                    f"{self.first.path}: the service no longer knows where the list stood after {taken} items; "
                    f"ask for the list again",
                    **error.details,
                ) from None
            raise


def listed(
    operation: str, path: str, schema: type[T], filters: Filters | None, limit: int | None, *, scope: str | None
) -> Listing[T]:
    """Return the list at ``path`` of items that read as ``schema``."""
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        raise InputError.field("limit", "a count of items, None for all", limit)
    page: Any = Page[schema]  # type: ignore[valid-type]  # msgspec builds it at run time
    return Listing(get(operation, path, page, filters, scope=scope), limit)
