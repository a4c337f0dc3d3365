"""What one is asked to register: a picture of a folder or a row of a table, with all that is said of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from licet import identifiers
from licet.catalogue.sheet import Sheet
from licet.catalogue.stating import chosen_terms
from licet.errors import InputError
from licet.fingerprints.sites import site_of
from licet.fingerprints.urls import canonical_url
from licet.statements.works import addresses_digest, site_digest
from licet.terms import Terms
from licet.wire import metadata

_HEX: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_STATING: Final = ("preset", "price", "currency", "price_model", "terms")


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One work to be. What is None is not said: a new work goes without it, and one that is known keeps its own.

    ``managed`` says that it names a work by itself (its external id or identifier), so that what is said of a known
    work changes it; a picture that is only found again stays as it is.
    """

    shown: str
    row: int | None = None
    path: str | None = None
    sha256: str | None = None
    urls: list[str] = []
    site: str | None = None
    title: str | None = None
    creator: str | None = None
    created: str | None = None
    tags: list[str] | None = None
    external_id: str | None = None
    work: str | None = None
    terms: Terms | None = None
    fingerprint_only: bool = False

    @property
    def key(self) -> str | None:
        """What tells it from other items: the digest of its file, or of its addresses where it has nothing else, or
        of its site."""
        if self.site is not None:
            return site_item_key(self.site)
        return self.sha256 or (addresses_key(self.urls) if self.by_address else None)

    @property
    def by_address(self) -> bool:
        """Whether it is known by its addresses alone."""
        return bool(self.urls) and self.path is None and self.sha256 is None and self.work is None

    @property
    def managed(self) -> bool:
        return self.external_id is not None or self.work is not None


class Refused(msgspec.Struct, frozen=True):
    """One picture or row that was not registered, and why; nothing of it was kept."""

    path: str
    reason: str
    row: int | None = None
    field: str | None = None


class Stated(msgspec.Struct, frozen=True):
    """The options of a command that say terms: they stand for what a row does not say."""

    preset: str | None = None
    price: str | None = None
    currency: str | None = None
    price_model: str | None = None
    terms: Path | None = None

    @property
    def anything(self) -> bool:
        return any(getattr(self, name) is not None for name in _STATING)


def items_of(pictures: Iterable[Path], *, urls: list[str], fingerprint_only: bool) -> Iterator[Item]:
    """Yield pictures that were named or found in folders; their titles are the names of their files."""
    for picture in pictures:
        shown = text_of(picture)
        title = metadata.title_from(text_of(picture.stem))
        yield Item(shown=shown, path=str(picture), title=title, urls=urls, fingerprint_only=fingerprint_only)


def addresses_key(urls: Iterable[str]) -> str:
    """Return the `Item.key` of what is known by ``urls`` alone."""
    return f"addresses:{addresses_digest(urls)}"


def site_item_key(site: str) -> str:
    """Return the `Item.key` of the rule for ``site``."""
    return f"addresses:{site_digest(site)}"


def items_of_sites(sites: Iterable[str]) -> Iterator[Item]:
    """Yield the rules for ``sites``, canonical."""
    for site in sites:
        yield Item(shown=site, site=site, fingerprint_only=True)


def text_of(path: Path | str) -> str:
    """Return ``path`` as text that can be sent and printed, whatever bytes it has."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class Rows:
    """The rows of a sheet as items, or refused; terms that many rows name are read once.

    ``account`` is whose profile registers them: rows on behalf of that account say what holds anyway.
    """

    def __init__(
        self, sheet: Sheet, stated: Stated, *, account: str | None = None, fingerprint_only: bool = False
    ) -> None:
        self._sheet = sheet
        self._account = account
        self._stated = stated
        self._fingerprint_only = fingerprint_only
        self._terms: dict[tuple[str | None, ...], Terms | InputError] = {}

    def __iter__(self) -> Iterator[Item | Refused]:
        """Yield every row; what is wrong with one does not stop the others."""
        for number, cells in self._sheet:
            shown = f"row {number}"
            try:
                row = self._sheet.named(cells)
                shown = (
                    row.get("path")
                    or row.get("url")
                    or row.get("site")
                    or row.get("sha256")
                    or row.get("external_id")
                    or shown
                )
                yield self._item(number, shown, row)
            except InputError as error:
                yield Refused(text_of(shown), error.message, number, _column(str(error.details.get("field") or "row")))

    def _item(self, number: int, shown: str, row: Mapping[str, str]) -> Item:
        if "on_behalf_of" in row and row["on_behalf_of"] != self._account:
            raise InputError(
                f"on_behalf_of: expected this profile's account{f', {self._account},' if self._account else ''} or "
                f"nothing, got {text_of(row['on_behalf_of'])!r:.80}: another's needs a delegation by the artist, of a "
                "key with which `licet account join` makes a profile",
                field="on_behalf_of",
            )
        path, sha256, work = row.get("path"), row.get("sha256"), row.get("work")
        urls = sorted({canonical_url(url) for url in row.get("url", "").split()})
        if sha256 is not None and not _HEX.fullmatch(sha256 := sha256.lower()):
            raise InputError.field("sha256", "64 hexadecimal digits", row["sha256"])
        if work is not None:
            identifiers.to_uuid(work, "wrk", field="work")
        external_id = metadata.external_id_of(row.get("external_id"))
        site = site_of(row["site"]) if "site" in row else None
        if site is not None and (path or sha256 or urls):
            raise InputError.field("site", "a site alone, without path, url and sha256", site)
        if not (path or sha256 or work or external_id or urls or site):
            raise InputError("path: expected a path, url, site, sha256, external_id or work, got none", field="path")
        return Item(
            shown=text_of(shown),
            row=number,
            path=None if path is None else str(self._sheet.path.parent / path),
            sha256=sha256,
            urls=urls,
            site=site,
            title=metadata.title_of(row.get("title")),
            creator=metadata.creator_of(row.get("creator")),
            created=metadata.created_of(row.get("created")),
            tags=metadata.tags_of(_apart(row["tags"])) if "tags" in row else None,
            external_id=external_id,
            work=work,
            terms=self._said(row),
            fingerprint_only=self._fingerprint_only or path is None,
        )

    def _said(self, row: Mapping[str, str]) -> Terms | None:
        """Return the terms that the row states, filled in by the command's options; None where neither states any."""
        own = {name: row[name] for name in _STATING if name in row}
        if not own and not self._stated.anything:
            return None
        key = tuple(own.get(name) for name in _STATING)
        if key not in self._terms:
            try:
                self._terms[key] = self._read(own)
            except InputError as error:
                self._terms[key] = error
        found = self._terms[key]
        if isinstance(found, InputError):
            raise InputError(found.message, **found.details)
        return found

    def _read(self, own: Mapping[str, str]) -> Terms:
        stated = self._stated
        if "terms" in own or (not own and stated.terms is not None):
            file = self._sheet.path.parent / own["terms"] if "terms" in own else stated.terms
            preset, price, currency, price_model = (own.get(name) for name in _STATING[:4])
            try:
                return chosen_terms(preset, price, currency, price_model, file)
            except InputError as error:
                raise InputError(error.message, **{**error.details, "field": "terms"}) from None
        named = own.get("preset") or stated.preset
        prices = own if "preset" in own and own["preset"] != "paid" else {**_prices(stated), **own}
        return chosen_terms(named, prices.get("price"), prices.get("currency"), prices.get("price_model"), None)


def _prices(stated: Stated) -> dict[str, str]:
    given = {"price": stated.price, "currency": stated.currency, "price_model": stated.price_model}
    return {name: value for name, value in given.items() if value is not None}


def _column(field: str) -> str:
    """Return the column that a field of terms stands in."""
    inner = field.rpartition(".")[2]
    return {"amount": "price", "model": "price_model"}.get(inner, inner)


def _apart(tags: str) -> list[str]:
    """Return the tags of a cell: between bars, or where there is none between commas and semicolons."""
    return tags.split("|") if "|" in tags else re.split(r"[,;]", tags)
