"""A bucket that speaks S3 as a store, through obstore: S3 itself, or anything that answers as it does.

Credentials and endpoint come from the environment, under the names that every tool for S3 reads (``AWS_…``).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from registry.errors import StartError, StoreUnavailable
from registry.storage.store import FOREVER, FRESH, OCTETS

_TIMEOUT: Final = "20s"
_RETRIES: Final = 4
_AT_A_TIME: Final = 16
_PART: Final = 8 << 20  # bytes of a large object at a time


class BucketStore:
    """The objects of one bucket below one prefix."""

    def __init__(self, address: str) -> None:
        """Connect to nothing yet. Raises ``StartError`` for an address that names no bucket, or without obstore."""
        try:
            import obstore
            from obstore import exceptions
            from obstore.store import S3Store
        except ImportError:
            raise StartError(f"{address}: publishing to S3 needs obstore: pip install 'licet-registry[s3]'") from None
        parts = urlsplit(address)
        self.shown = address
        self._obstore: Any = obstore
        self._missing: Any = (exceptions.NotFoundError, FileNotFoundError)
        self._exists: Any = exceptions.AlreadyExistsError
        self._error: Any = (exceptions.BaseError, OSError)
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        self._store: Any = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            virtual_hosted_style_request=not endpoint,
            client_options={"allow_http": endpoint.startswith("http://"), "timeout": _TIMEOUT},
            retry_config={"max_retries": _RETRIES},
        )

    async def create(self, name: str, content: bytes, *, media_type: str = OCTETS, cache: str = FOREVER) -> bool:
        """Put an immutable object in its place; what is there already stays."""
        try:
            await self._put(name, content, media_type, cache, mode="create")
        except self._exists:
            return False
        except self._error as error:
            raise self._unavailable(error) from None
        return True

    async def create_from(self, name: str, path: Path, *, media_type: str = OCTETS, cache: str = FOREVER) -> bool:
        """Put an object in its place from a file, in several parts where it is large."""
        attributes = {"Content-Type": media_type, "Cache-Control": cache}
        try:
            found = await self._obstore.head_async(self._store, name)
            if found["size"] == (await asyncio.to_thread(path.stat)).st_size:
                return False
        except self._missing:
            pass
        except self._error as error:
            raise self._unavailable(error) from None
        try:
            await self._obstore.put_async(self._store, name, path, attributes=attributes, chunk_size=_PART)
        except self._error as error:
            raise self._unavailable(error) from None
        return True

    async def create_all(self, files: Sequence[tuple[str, bytes]]) -> list[str]:
        """Put immutable objects in their places, up to 16 at a time; return the names that were there already."""
        turns = asyncio.Semaphore(_AT_A_TIME)

        async def put(name: str, content: bytes) -> bool:
            async with turns:
                return await self.create(name, content)

        new = await asyncio.gather(*(put(name, content) for name, content in files))
        return [name for (name, _), fresh in zip(files, new, strict=True) if not fresh]

    async def replace(self, name: str, content: bytes, *, media_type: str = OCTETS, cache: str = FRESH) -> None:
        """Put an object in its place, instead of what is there."""
        try:
            await self._put(name, content, media_type, cache, mode="overwrite")
        except self._error as error:
            raise self._unavailable(error) from None

    async def read(self, name: str) -> bytes | None:
        """Return the whole object, None where there is none."""
        try:
            found = await self._obstore.get_async(self._store, name)
            return bytes(await found.bytes_async())
        except self._missing:
            return None
        except self._error as error:
            raise self._unavailable(error) from None

    async def remove(self, name: str) -> None:
        """Take an object away; none is no error."""
        try:
            await self._obstore.delete_async(self._store, name)
        except self._missing:
            return
        except self._error as error:
            raise self._unavailable(error) from None

    async def names(self, prefix: str) -> list[str]:
        """Return the names below the folder ``prefix``, sorted."""
        found: list[str] = []
        try:
            async for chunk in self._obstore.list(self._store, prefix):
                found += [each["path"] for each in chunk]
        except self._error as error:
            raise self._unavailable(error) from None
        return sorted(found)

    async def _put(self, name: str, content: bytes, media_type: str, cache: str, *, mode: str) -> None:
        attributes = {"Content-Type": media_type, "Cache-Control": cache}
        await self._obstore.put_async(self._store, name, content, mode=mode, attributes=attributes, use_multipart=False)

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        words = " ".join(str(error).partition("Debug source")[0].split())
        return StoreUnavailable(f"{self.shown}: {words:.300}")
