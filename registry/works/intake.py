"""Held to its limits: what a caller says of a work before anything is done with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal
from uuid import UUID

from msgspec import structs

from licet import identifiers
from licet.errors import InputError
from licet.fingerprints import iscc
from licet.fingerprints.picture import Fingerprint
from licet.fingerprints.sites import host_of, is_below, site_of
from licet.fingerprints.urls import canonical_url
from licet.statements.works import work_digest
from licet.wire import metadata
from licet.wire.works import WorkFile, WorkIn, WorkKeys
from registry.works.types import Keys, NewWork, digest_form

MAX_WORKS: Final = 1000
MAX_URLS: Final = 20
MAX_URL: Final = 2048
MAX_FILES: Final = 16  # beside the present one

_HEX: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


def sha256_of(text: str, field: str = "sha256") -> bytes:
    """Return the 32 bytes of a digest as it must be written; raises ``InputError`` naming ``field``."""
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise InputError.field(field, "64 lower-case hexadecimal digits", text)
    return bytes.fromhex(text)


def keys_of(item: WorkIn, uploads: Mapping[str, Fingerprint]) -> Keys | None:
    """Return what ``item`` is matched by, None where it needs an upload that is not among ``uploads``.

    Of an upload the service's own fingerprints count, whatever the caller sends beside them. Raises ``InputError``.
    """
    urls = _urls(item.urls)
    if item.site is not None:
        return _by_site(item, item.site)
    if item.sha256 is None:
        return _by_address(item, urls)
    sha256_of(item.sha256)
    if item.mode == "upload":
        seen = uploads.get(item.sha256)
        if seen is None:
            return None
        # Who knows nothing of ISCCs signs for none.
        iscc = seen.iscc if item.iscc is not None else None
        return Keys(
            mode=item.mode,
            sha256=item.sha256,
            pixels=seen.pixels,
            pdq=seen.pdq,
            quality=seen.quality,
            iscc=iscc,
            urls=urls,
        )
    for field, digest in (("pixels", item.pixels), ("pdq", item.pdq)):
        if digest is not None:
            sha256_of(digest, field)
    if item.quality is not None and (item.pdq is None or not 0 <= item.quality <= 100):
        raise InputError.field("quality", "0 to 100, beside a pdq", item.quality)
    return Keys(
        mode=item.mode,
        sha256=item.sha256,
        pixels=item.pixels,
        pdq=item.pdq,
        quality=item.quality,
        iscc=None if item.iscc is None else _iscc(item.iscc, shown=item.pixels is not None or item.pdq is not None),
        urls=urls,
    )


def grown(keys: Keys, add: WorkKeys, uploads: Mapping[str, Fingerprint]) -> Keys:
    """Return ``keys`` with what ``add`` adds: its file in front, the one before among the further ones, all addresses.

    Raises ``InputError`` naming the field for what adds nothing, or is not of the work's mode.
    """
    if keys.site is not None:
        raise InputError.field("work", "a work that is no rule of a site", keys.site)
    urls = sorted({*keys.urls, *_urls(add.urls)})
    if len(urls) > MAX_URLS:
        raise InputError.field("urls", f"at most {MAX_URLS} with those before", f"{len(urls)} addresses")
    if add.sha256 is None:
        for field in ("pixels", "pdq", "quality", "iscc"):
            if getattr(add, field) is not None:
                raise InputError.field(field, "none without a sha256", getattr(add, field))
        if urls == keys.urls:
            raise InputError.field("urls", "an address that the work does not have yet", "none")
        return structs.replace(keys, urls=urls)
    if keys.sha256 is None:
        raise InputError.field("sha256", "none for a work that is known by its addresses alone", add.sha256)
    if add.sha256 in {keys.sha256, *(each.sha256 for each in keys.files)}:
        raise InputError.field("sha256", "a file that the work does not have yet", add.sha256)
    mode: Literal["upload", "fingerprint-only"] = "upload" if keys.mode == "upload" else "fingerprint-only"
    file = keys_of(WorkIn(add.work, mode, add.sha256, add.pixels, add.pdq, add.quality, iscc=add.iscc), uploads)
    if file is None:
        raise InputError("sha256: no-upload: send the picture first, within a day", field="sha256")
    files = [*keys.files, WorkFile(keys.sha256, keys.pixels, keys.pdq, keys.quality, keys.iscc)]
    if len(files) > MAX_FILES:
        raise InputError.field("sha256", f"at most {MAX_FILES} further files of a work", f"{len(files)}")
    return structs.replace(file, urls=urls, files=sorted(files, key=lambda each: each.sha256))


def _by_address(item: WorkIn, urls: list[str]) -> Keys:
    if item.mode != "fingerprint-only" or not urls:
        raise InputError.field("sha256", "64 lower-case hexadecimal digits, or fingerprint-only with urls", "none")
    for field in ("pixels", "pdq", "quality", "iscc"):
        if getattr(item, field) is not None:
            raise InputError.field(field, "none for a work that is known by its addresses alone", getattr(item, field))
    return Keys(mode=item.mode, sha256=None, urls=urls)


def _by_site(item: WorkIn, site: str) -> Keys:
    if item.mode != "fingerprint-only":
        raise InputError.field("mode", "fingerprint-only for the rule of a site", item.mode)
    for field in ("sha256", "pixels", "pdq", "quality", "iscc", "urls"):
        if getattr(item, field):
            raise InputError.field(field, "none for the rule of a site", getattr(item, field))
    canonical = site_of(site)
    if site != canonical:
        raise InputError.field("site", f"{canonical}, its canonical form", site)
    return Keys(mode=item.mode, sha256=None, site=site)


def hold_to_domains(site: str, domains: Collection[str]) -> None:
    """Return if ``site`` lies below one of the ``domains`` that the account has proven, else raise ``InputError``."""
    if not any(is_below(host_of(site), domain) for domain in domains):
        raise InputError.field("site", "a site of a domain that the account has proven (licet claim domain)", site)


def _iscc(text: str, *, shown: bool) -> str:
    """Return what is signed of an ISCC: a content code, of a picture where there is one, and an instance code, 256 bits
    each."""
    units = iscc.units(text)
    kinds = ("image",) if shown else ("image", "text")
    whole = [(unit.kind, len(unit.digest)) for unit in units] in [[(kind, 32), ("instance", 32)] for kind in kinds]
    if not whole or text != " ".join(text.split()) or text.count("ISCC:") != 2:
        expected = "an image" if shown else "an image or text"
        raise InputError.field("iscc", f"{expected} code and an instance code of 256 bits, a space between", text)
    return text


def new_work(item: WorkIn, work: UUID, account: str, keys: Keys) -> NewWork:
    """Return ``item`` as a work of ``account`` (its identifier as text); raises ``InputError`` naming the field."""
    if work.version != 7:
        raise InputError.field("work", "an identifier made from a UUIDv7", item.work)
    return NewWork(
        id=work,
        keys=keys,
        title=metadata.title_of(item.title),
        creator=metadata.creator_of(item.creator),
        created=metadata.created_of(item.created),
        tags=metadata.tags_of(item.tags),
        external_id=metadata.external_id_of(item.external_id),
        digest=work_digest(digest_form(work, account, keys)),
    )


def work_id(text: str) -> UUID:
    """Return the UUID of a work's identifier; raises ``InputError``."""
    return identifiers.to_uuid(text, "wrk", field="work")


def _urls(values: Sequence[str]) -> list[str]:
    if len(values) > MAX_URLS:
        raise InputError.field("urls", f"at most {MAX_URLS}", f"{len(values)} addresses")
    urls = sorted({canonical_url(value) for value in values})
    for url in urls:
        if len(url) > MAX_URL:
            raise InputError.field("urls", f"addresses of at most {MAX_URL} characters", f"{len(url)} characters")
    return urls
