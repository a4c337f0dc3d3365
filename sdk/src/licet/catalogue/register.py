"""Registration: fingerprint, upload where asked, name the works, and sign one consent for all of them.

Stopped at any point, a second run finishes the work: what was registered but not yet signed comes back as a
duplicate without a consent, and joins the next signature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from licet.catalogue.consent import sign_terms
from licet.client import Client
from licet.errors import ConflictError, PictureError, VerificationError
from licet.fingerprints.picture import Fingerprint, fingerprint_bytes
from licet.fingerprints.urls import canonical_url
from licet.identifiers import new_id
from licet.statements.kinds import WorkDigest
from licet.statements.works import work_digest
from licet.terms import Terms
from licet.wire.works import WorkIn, WorkOutcome

BATCH: Final = 500
WORKERS: Final = 8
PDQ_TOLERANCE: Final = 8  # bits by which another build of the same libraries may differ (docs/internals/pdq)

T = TypeVar("T")


class Entry(msgspec.Struct, frozen=True):
    """One file and the work that it is."""

    path: str
    work: str
    sha256: str


class Refused(msgspec.Struct, frozen=True):
    """One file that was not registered, and why; nothing of it was kept."""

    path: str
    reason: str


class Registered(msgspec.Struct, frozen=True):
    """What one call did. ``works`` are under the new ``statement``; ``duplicates`` were registered before."""

    works: list[Entry]
    duplicates: list[Entry]
    refused: list[Refused]
    contested: list[Entry]  # they match works of other accounts: the strictest terms apply meanwhile
    statement: str | None
    log_index: int | None
    effect: str | None
    pending_until: str | None


class _Prepared(msgspec.Struct):
    path: Path
    item: WorkIn


def register(
    client: Client,
    pictures: Sequence[Path],
    terms: Terms,
    *,
    fingerprint_only: bool = False,
    url: str | None = None,
    lang: str = "en",
    advance: Callable[[int], None] = lambda _: None,
) -> Registered:
    """Return once every picture is a work under one signed consent that is in the log.

    ``url`` is where the (one) picture is published. Raises ``LicetError``; files that are no pictures are listed in
    ``refused`` and do not stop the others.
    """
    profile = client.need_account()
    account = profile.account
    assert account is not None
    urls = [canonical_url(url)] if url else []
    refused: list[Refused] = []
    works: list[Entry] = []
    duplicates: list[Entry] = []
    contested: list[Entry] = []
    digests: list[WorkDigest] = []
    seen: dict[str, str] = {}

    def prepare(path: Path) -> _Prepared | Refused:
        try:
            item = _prepare(client, path, urls, fingerprint_only=fingerprint_only)
        except PictureError as error:
            return Refused(str(path), error.message)
        except OSError as error:
            return Refused(str(path), f"cannot be read: {error.strerror or error}")
        finally:
            advance(1)
        return _Prepared(path, item)

    with _stopping(ThreadPoolExecutor(WORKERS)) as pool:
        for batch in _batches(_in_order(pool, prepare, pictures), BATCH):
            fresh: list[_Prepared] = []
            again: list[_Prepared] = []  # the same bytes as an earlier file: named once it is known what work they are
            for prepared in batch:
                if isinstance(prepared, Refused):
                    refused.append(prepared)
                elif prepared.item.sha256 in seen:
                    again.append(prepared)
                else:
                    seen[prepared.item.sha256] = prepared.item.work
                    fresh.append(prepared)
            answered = client.register_works([prepared.item for prepared in fresh]).items if fresh else []
            for prepared, outcome in zip(fresh, answered, strict=True):
                _sort_out(prepared, outcome, account.account, works, duplicates, refused, contested, digests, seen)
            for prepared in again:
                sha256 = prepared.item.sha256
                duplicates.append(Entry(str(prepared.path), seen[sha256], sha256))
    if not digests:
        return Registered([], duplicates, refused, [], None, None, None, None)
    accepted = sign_terms(client, digests, terms, lang=lang)
    return Registered(
        works,
        duplicates,
        refused,
        contested,
        accepted.statement,
        accepted.log_index,
        accepted.effect,
        accepted.pending_until,
    )


def _prepare(client: Client, path: Path, urls: list[str], *, fingerprint_only: bool) -> WorkIn:
    data = path.read_bytes()
    own = fingerprint_bytes(data)
    if fingerprint_only:
        fingerprint, mode = own, "fingerprint-only"
    else:
        fingerprint, mode = _agreed(own, client.upload(own.sha256, data), path), "upload"
    return WorkIn(
        work=new_id("wrk"),
        mode="fingerprint-only" if mode == "fingerprint-only" else "upload",
        sha256=fingerprint.sha256,
        pixels=fingerprint.pixels,
        pdq=fingerprint.pdq,
        quality=fingerprint.quality,
        title=path.stem,
        urls=urls,
    )


def _agreed(own: Fingerprint, theirs: Fingerprint, path: Path) -> Fingerprint:
    """Return the service's fingerprint once it is close enough to our own: an artist signs nothing foreign."""
    near = own.pdq is None or theirs.pdq is None or _distance(own.pdq, theirs.pdq) <= PDQ_TOLERANCE
    if own.sha256 != theirs.sha256 or (own.pdq is None) != (theirs.pdq is None) or not near:
        raise VerificationError(f"{path}: expected the service to find our own fingerprint, got another one")
    return theirs


def _distance(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _sort_out(
    prepared: _Prepared,
    outcome: WorkOutcome,
    account: str,
    works: list[Entry],
    duplicates: list[Entry],
    refused: list[Refused],
    contested: list[Entry],
    digests: list[WorkDigest],
    seen: dict[str, str],
) -> None:
    path, item = str(prepared.path), prepared.item
    if outcome.status == "refused":
        refused.append(Refused(path, outcome.reason or "refused by the service"))
        return
    work = outcome.existing or item.work
    seen[item.sha256] = work
    entry = Entry(path, work, item.sha256)
    if outcome.status == "duplicate" and outcome.signed:
        duplicates.append(entry)
        return
    digest = WorkDigest(
        work=work,
        account=account,
        sha256=item.sha256,
        pixels=item.pixels,
        pdq=item.pdq,
        iscc=None,
        url=sorted(item.urls),
        mode=item.mode,
    )
    if outcome.digest != work_digest(digest).hex():
        if outcome.existing is not None:
            raise ConflictError(
                f"{path}: registered before as {work}, and not signed for yet, with another --url or mode;"
                " repeat that command first"
            )
        raise VerificationError(f"{path}: expected the service to hold what we are about to sign, got another digest")
    digests.append(digest)
    works.append(entry)
    if outcome.similar:
        contested.append(entry)


@contextmanager
def _stopping(pool: ThreadPoolExecutor) -> Iterator[ThreadPoolExecutor]:
    """Give ``pool``; what it has not begun when the block ends is not begun any more."""
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(pool: ThreadPoolExecutor, call: Callable[[Path], T], paths: Iterable[Path]) -> Iterator[T]:
    """Yield results in the order of ``paths``, with a bounded number of pictures in memory."""
    waiting = iter(paths)
    running = [pool.submit(call, path) for path in islice(waiting, 2 * WORKERS)]
    while running:
        done = running.pop(0)
        yield done.result()
        running.extend(pool.submit(call, path) for path in islice(waiting, 1))


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
