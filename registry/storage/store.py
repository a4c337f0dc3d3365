"""What every place for files can do, and the headers that its files are served with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

FOREVER: Final = "public, max-age=31536000, immutable"
FRESH: Final = "no-cache"
OCTETS: Final = "application/octet-stream"
TEXT: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json"


@runtime_checkable  # handlers take one
class Store(Protocol):
    """A place for files. Raises ``StoreUnavailable`` where it cannot be reached, is full or refuses.

    ``shown`` names it in messages; it holds no secret.
    """

    @property
    def shown(self) -> str: ...

    async def create(self, name: str, content: bytes, *, media_type: str = OCTETS, cache: str = FOREVER) -> bool:
        """Put an immutable file in its place; what is there already stays. Whether it was new."""
        ...

    async def create_from(self, name: str, path: Path, *, media_type: str = OCTETS, cache: str = FOREVER) -> bool:
        """Put what is in the file ``path``, however large, in its place; what is there already stays.

        For names that say what is in them: of two that come at once, either may be the one that stays.
        """
        ...

    async def create_all(self, files: Sequence[tuple[str, bytes]]) -> list[str]:
        """Put immutable files in their places, several at a time; return the names that were there already."""
        ...

    async def replace(self, name: str, content: bytes, *, media_type: str = OCTETS, cache: str = FRESH) -> None:
        """Put a file in its place, instead of what is there."""
        ...

    async def read(self, name: str) -> bytes | None:
        """Return the whole file, None where there is none."""
        ...

    async def remove(self, name: str) -> None:
        """Take a file away; none is no error."""
        ...

    async def names(self, prefix: str) -> list[str]:
        """Return the names below the folder ``prefix`` (``archive/``), sorted."""
        ...
