"""What the works domain speaks of inside the service; what travels is in ``licet.wire.works``."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import msgspec

from licet import identifiers
from licet.statements.kinds import FileDigest, WorkDigest
from licet.statements.works import addresses_digest, site_digest
from licet.wire.works import WorkFile


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """What a work is matched by, hex as signed; ``urls`` canonical, sorted, unique; further ``files`` by digest."""

    mode: str
    sha256: str | None  # None: known by ``urls`` or by ``site`` alone
    pixels: str | None = None
    pdq: str | None = None
    quality: int | None = None
    iscc: str | None = None
    urls: list[str] = []
    site: str | None = None
    files: list[WorkFile] = []

    @property
    def addresses(self) -> bytes | None:
        """What tells the work from others where its addresses, or its site, are all that is known of it."""
        if self.site is not None:
            return bytes.fromhex(site_digest(self.site))
        return None if self.sha256 is not None else bytes.fromhex(addresses_digest(self.urls))


class NewWork(msgspec.Struct, frozen=True, kw_only=True):
    """A work whose every field has been checked, ready to be kept."""

    id: UUID
    keys: Keys
    title: str | None
    creator: str | None
    created: str | None
    tags: list[str]
    external_id: str | None
    digest: bytes


class Neighbour(NamedTuple):
    """A work of another account that the picture in row ``row`` of a question matches."""

    row: int
    work: UUID
    account: UUID
    key: str  # file, pixels or pdq
    distance: int


class Match(NamedTuple):
    """A pair as it is kept: ``work`` came later than ``other``."""

    work: UUID
    other: UUID
    account: UUID
    other_account: UUID
    key: str
    distance: int


def digest_form(work: UUID, account: str, keys: Keys) -> WorkDigest:
    """Return what the work's digest covers; ``account`` is the owner's identifier as text."""
    return WorkDigest(
        work=identifiers.from_uuid("wrk", work),
        account=account,
        sha256=keys.sha256,
        pixels=keys.pixels,
        pdq=keys.pdq,
        iscc=keys.iscc,
        url=keys.urls,
        mode="upload" if keys.mode == "upload" else "fingerprint-only",
        files=[FileDigest(each.sha256, each.pixels, each.pdq, each.iscc or msgspec.UNSET) for each in keys.files]
        or msgspec.UNSET,
        site=keys.site or msgspec.UNSET,
    )


def files_in(stored: str | None) -> list[WorkFile]:
    """Return the further files of a work as they are kept: JSON, or null."""
    return [] if stored is None else msgspec.json.decode(stored, type=list[WorkFile])


def hexed(value: bytes | None) -> str | None:
    """Return ``value`` in lower-case hex, None for none."""
    return None if value is None else value.hex()


def raw(value: str | None) -> bytes | None:
    """Return the bytes of hex ``value``, None for none."""
    return None if value is None else bytes.fromhex(value)
