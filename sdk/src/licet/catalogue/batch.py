"""A batch of items on its way: hashed here, asked about, uploaded where nobody knows them, registered, changed.

The registry is asked first by digest, which costs a read of the file and no decoding: what a run before this one has
done is not done again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec

from licet.catalogue.forms import digest_form
from licet.catalogue.items import Item, Refused, addresses_key, site_item_key
from licet.catalogue.places import Places, placed
from licet.client import Client
from licet.errors import InputError, PictureError, VerificationError
from licet.fingerprints.bounded import fingerprint_bytes
from licet.fingerprints.picture import Fingerprint
from licet.fingerprints.text import FORMAT, MEDIA_TYPE, fingerprint_text, is_text_name
from licet.identifiers import new_id
from licet.statements.kinds import WorkDigest
from licet.statements.works import addresses_digest, site_digest
from licet.wire.works import Parts, Work, WorkChange, WorkIn

WORKERS: Final = 8
PDQ_TOLERANCE: Final = 8  # bits by which another build of the same libraries may differ (docs/internals/pdq)
MAX_FILE: Final = 256 << 20  # bytes: what is larger is refused before it is read

#: What becomes of a picture that is not the one registered under its name or from its path.
Changed = Literal["refuse", "replace", "separate"]

T = TypeVar("T")
U = TypeVar("U")


class Known(msgspec.Struct, frozen=True):
    """What the registry has of a batch: one's own works by `Item.key`, external id and name."""

    by_key: dict[str, Work]
    by_external: dict[str, list[Work]]
    by_name: dict[str, Work]
    by_place: dict[str, str] = {}  # path → the work that another file was registered as from there

    @classmethod
    def of(cls, client: Client, items: Sequence[Item], places: Places) -> Known:
        """Return what is known of ``items``; nothing is kept of the question, and of paths nothing is asked."""
        found_at = places.of(placed(item.path) for item in items if item.path)
        by_place = {
            item.path: place.work
            for item in items
            if item.path and (place := found_at.get(placed(item.path))) and place.sha256 != item.sha256
        }
        files = sorted({item.sha256 for item in items if item.sha256})
        external = sorted({item.external_id for item in items if item.external_id})
        names = sorted({*(item.work for item in items if item.work), *by_place.values()})
        alone = sorted(
            {addresses_digest(item.urls) for item in items if item.by_address}
            | {site_digest(item.site) for item in items if item.site is not None}
        )
        asked = files or external or names or alone
        found = client.find_works(files, external, names, alone) if asked else []
        by_external: dict[str, list[Work]] = {}
        for work in found:
            if work.external_id is not None and not work.withdrawn:
                by_external.setdefault(work.external_id, []).append(work)
        alive = [work for work in found if not work.withdrawn]
        present = {file.sha256: work for work in alive for file in work.files}
        present |= {key_of(work): work for work in alive}
        return cls(present, by_external, {work.work: work for work in found}, by_place)

    def work_of(self, item: Item, changed: Changed = "refuse") -> Work | None:
        """Return the work that ``item`` is about, None for a new one; raises ``InputError`` where it cannot be it.

        ``changed``: what a picture is that is not the one registered under the same name or from the same path; with
        ``replace`` it is what that work is now.
        """
        if item.work is not None:
            return self._named(item, item.work, changed)
        same = self.by_key.get(item.key or "")
        called = self.by_external.get(item.external_id or "", [])
        if same is not None:
            if item.external_id and same.external_id and same.external_id != item.external_id:
                raise InputError.field("external_id", f"{same.external_id}, as of {same.work}", item.external_id)
            return same
        placed_as = self.by_name.get(self.by_place.get(item.path or "", ""))
        if not called and placed_as is not None and not placed_as.withdrawn and changed != "separate":
            if changed == "replace":
                return placed_as
            raise InputError(
                f"path: expected the picture that was registered from there as {placed_as.work}, got another one: "
                f"--replace says that it is what this work is now, --separate that it is a work of its own",
                field="path",
            )
        if not called:
            if item.key is None:
                raise InputError.field(
                    "external_id", "one of your works, or a picture or address beside it", item.external_id
                )
            return None
        if item.sha256 is None or changed == "replace":
            if len(called) > 1:
                raise InputError.field("external_id", "one work of that name", f"{len(called)} works")
            return called[0]
        raise InputError(
            f"external_id: expected the picture of {called[0].work}, got another one: --replace says that it is what "
            f"this work is now; a work of its own needs another external_id",
            field="external_id",
        )

    def _named(self, item: Item, name: str, changed: Changed) -> Work:
        work = self.by_name.get(name)
        if work is None:
            raise InputError.field("work", "one of your works", name)
        if work.withdrawn:
            raise InputError.field("work", "a work that is not withdrawn", name)
        if replaces(item, work) and changed != "replace":
            field = "path" if item.path else "sha256"
            raise InputError.field(field, f"the picture of {name} (or --replace, if it changed)", item.sha256)
        return work


def replaces(item: Item, work: Work) -> bool:
    """Return whether ``item`` has another picture than any of ``work``."""
    return item.sha256 is not None and item.sha256 not in {work.sha256, *(file.sha256 for file in work.files)}


def hashed(item: Item) -> Item | Refused:
    """Return ``item`` with the digest of its file, or why not."""
    if item.path is None:
        return item
    try:
        path = Path(item.path)
        if not path.is_file():
            what = "a folder or a device" if path.exists() else "nothing there"
            return refused(item, "path", f"path: expected a picture or a text, got {what}")
        if path.stat().st_size > MAX_FILE:
            return refused(item, "path", f"path: expected a file of at most {MAX_FILE >> 20} MiB, got a larger one")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        return refused(item, "path", f"cannot be read: {getattr(error, 'strerror', None) or error}")
    if item.sha256 not in (None, digest):
        return refused(item, "sha256", f"sha256: expected {digest}, the digest of the file, got {item.sha256}")
    return msgspec.structs.replace(item, sha256=digest)


def prepared(client: Client, item: Item) -> WorkIn | Refused:
    """Return the registration of a new ``item``, its picture uploaded unless it is to stay here; or why not."""
    if item.path is None:
        return _registration(item, item.sha256, None)
    try:
        data = Path(item.path).read_bytes()
        own = _fingerprint(item.path, data)
        if item.fingerprint_only:
            return _registration(item, own.sha256, own)
        kind = MEDIA_TYPE if own.format == FORMAT else "application/octet-stream"
        seen = client.upload(own.sha256, data, media_type=kind)
        return _registration(item, own.sha256, agreed(own, seen, item.shown))
    except PictureError as error:
        return refused(item, "path", error.message)
    except OSError as error:
        return refused(item, "path", f"cannot be read: {error.strerror or error}")


def examined(item: Item) -> Item | Refused:
    """Return ``item`` if its picture is one that can be registered, or why not; nothing is sent."""
    if item.path is None:
        return item
    try:
        _fingerprint(item.path, Path(item.path).read_bytes())
    except PictureError as error:
        return refused(item, "path", error.message)
    except OSError as error:
        return refused(item, "path", f"cannot be read: {error.strerror or error}")
    return item


def _fingerprint(path: str, data: bytes) -> Fingerprint:
    """Return all that a work is registered with: of a picture, or of what is named like a text."""
    return fingerprint_text(data) if is_text_name(path) else fingerprint_bytes(data)


def unsigned(item: Item, work: Work, account: str) -> WorkDigest | Refused:
    """Return what is to be signed for a ``work`` that an interrupted run registered, once it is what ``item`` says.

    Raises ``VerificationError`` where the registry holds another fingerprint than ours.
    """
    wanted = "fingerprint-only" if item.fingerprint_only else "upload"
    if work.files:
        raise VerificationError(f"{item.shown}: expected {work.work} with one file, as nothing is signed, got more")
    if sorted(work.urls) != sorted(item.urls) or (item.path is not None and work.mode != wanted):
        return refused(
            item,
            "url",
            f"registered before as {work.work}, and not signed for yet, with another url or mode; repeat that first",
        )
    if work.site != item.site:
        reason = f"site: expected {work.site}, as {work.work} is registered and not signed for yet, got another or none"
        return refused(item, "site", reason)
    if item.path is None and (work.sha256 != item.sha256 or work.pixels or work.pdq or work.iscc):
        if item.managed or work.mode == "upload":
            return refused(
                item,
                "path",
                f"path: expected the picture of {work.work}, which is registered and not signed for yet: without it "
                f"nobody can say that what would be signed is yours",
            )
        what = "site" if item.site else "address" if item.by_address else "digest"
        raise VerificationError(f"{item.shown}: expected the registry to know the {what} alone, got more")
    if item.path is not None:
        try:
            own = _fingerprint(item.path, Path(item.path).read_bytes())
        except (PictureError, OSError) as error:
            return refused(item, "path", str(error))
        theirs = Fingerprint(
            sha256=work.sha256 or "", pixels=work.pixels, pdq=work.pdq, quality=work.quality, iscc=work.iscc
        )
        agreed(own, theirs, item.shown)
    return digest_form(work, account)


def unseen(item: Item, work: Work) -> bool:
    """Return whether ``item`` has the picture of ``work``, and the service has to see it again to find its parts."""
    return work.parts == "not-looked-at" and item.path is not None and item.sha256 == work.sha256


def looked_at(client: Client, item: Item, work: Work) -> Parts | None:
    """Return whether parts of ``work`` are found, after its picture was sent again where that is needed."""
    if unseen(item, work) and item.path is not None and item.sha256 is not None:
        client.upload(item.sha256, Path(item.path).read_bytes())
        return client.work(work.work).parts
    return work.parts


def change_of(item: Item, work: Work) -> WorkChange | None:
    """Return what ``item`` says otherwise of ``work``, None if it says nothing new."""
    said = {
        name: getattr(item, name)
        for name in ("title", "creator", "created", "tags", "external_id")
        if getattr(item, name) is not None and getattr(item, name) != getattr(work, name)
    }
    return WorkChange(work=work.work, revision=work.revision, **said) if said else None


def agreed(own: Fingerprint, theirs: Fingerprint, shown: str) -> Fingerprint:
    """Return the service's fingerprint once it is close enough to our own: an artist signs nothing foreign."""
    near = own.pdq is None or theirs.pdq is None or _distance(own.pdq, theirs.pdq) <= PDQ_TOLERANCE
    alike = own.iscc is None or theirs.iscc is None or iscc_alike(own.iscc, theirs.iscc)
    if own.sha256 != theirs.sha256 or (own.pdq is None) != (theirs.pdq is None) or not (near and alike):
        raise VerificationError(f"{shown}: expected the service to find our own fingerprint, got another one")
    return theirs


def refused(item: Item, field: str | None, reason: str) -> Refused:
    """Return the refusal of ``item``."""
    return Refused(item.shown, reason, item.row, field)


def in_order(pool: ThreadPoolExecutor, call: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    """Yield results in the order of ``items``, with a bounded number of pictures in memory."""
    waiting = iter(items)
    running = [pool.submit(call, item) for item in islice(waiting, 2 * WORKERS)]
    while running:
        yield running.pop(0).result()
        running.extend(pool.submit(call, item) for item in islice(waiting, 1))


def key_of(work: Work | WorkIn) -> str:
    """Return the `Item.key` that ``work`` is found by."""
    if work.site is not None:
        return site_item_key(work.site)
    return work.sha256 or addresses_key(work.urls)


def _registration(item: Item, sha256: str | None, seen: Fingerprint | None) -> WorkIn:
    return WorkIn(
        work=new_id("wrk"),
        mode="fingerprint-only" if item.fingerprint_only else "upload",
        sha256=sha256,
        pixels=seen.pixels if seen else None,
        pdq=seen.pdq if seen else None,
        quality=seen.quality if seen else None,
        title=item.title or _title(item),
        creator=item.creator,
        created=item.created,
        tags=item.tags or [],
        external_id=item.external_id,
        urls=item.urls,
        site=item.site,
        iscc=seen.iscc if seen else None,
    )


def _title(item: Item) -> str | None:
    from licet.wire.metadata import title_from

    return None if item.path is None else title_from(Path(item.shown).stem)


def iscc_alike(one: str, other: str) -> bool:
    """Return whether both state the same instance code, and content codes that another build may make."""
    from licet.fingerprints.iscc import units

    left, right = ({unit.kind: unit.digest for unit in units(each)} for each in (one, other))
    return left.keys() == right.keys() and all(
        _distance(left[kind].hex(), right[kind].hex()) <= (0 if kind == "instance" else PDQ_TOLERANCE) for kind in left
    )


def _distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()
