"""Registration: fingerprint, upload where asked, name the works, and sign one consent for each of the terms.

Stopped at any point, a second run finishes the work: what was registered but not yet signed is found again by its
file, and joins the next signature; what was signed with the same terms is not signed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from licet.catalogue import batch as rooms
from licet.catalogue.batch import Known, in_order, refused
from licet.catalogue.consent import Covered, sign_covered, terms_of
from licet.catalogue.items import Item, Refused, items_of
from licet.client import Client
from licet.errors import InputError, VerificationError
from licet.fingerprints.urls import canonical_url
from licet.statements.kinds import WorkDigest
from licet.statements.works import work_digest
from licet.terms import Terms
from licet.wire.works import Work, WorkChange, WorkIn, WorkOutcome

BATCH: Final = 250
LARGEST: Final = 100_000  # works under one statement

T = TypeVar("T")


class Entry(msgspec.Struct, frozen=True):
    """One picture and the work that it is."""

    path: str
    work: str
    sha256: str | None  # null: known by its addresses alone


class Signed(msgspec.Struct, frozen=True):
    """One statement of a run."""

    statement: str
    log_index: int
    effect: str
    pending_until: str | None
    works: int
    terms_hash: str


class Registered(msgspec.Struct, frozen=True):
    """What one call did. ``works`` are under new ``statements`` for the first time; ``duplicates`` were registered
    before and stay as they are; ``updated`` were known and got other words or terms, ``unchanged`` were told nothing
    new."""

    works: list[Entry] = []
    updated: list[Entry] = []
    unchanged: list[Entry] = []
    duplicates: list[Entry] = []
    refused: list[Refused] = []
    contested: list[Entry] = []  # they match works of other accounts: the strictest terms apply meanwhile
    bare: int = 0  # of ``works``: known by digests or addresses alone, so they can only deny
    statements: list[Signed] = []
    would: dict[str, int] = {}  # of a dry run: terms hash → how many works would be signed for

    @property
    def statement(self) -> str | None:
        """The statement, or the first of several; None where nothing was signed."""
        return self.statements[0].statement if self.statements else None


def register(
    client: Client,
    pictures: Iterable[Path],
    terms: Terms,
    *,
    fingerprint_only: bool = False,
    url: str | None = None,
    lang: str = "en",
    advance: Callable[[int], None] = lambda _: None,
) -> Registered:
    """Return as `register_items`, for pictures that are all under ``terms``; ``url`` is where the one picture is."""
    urls = [canonical_url(url)] if url else []
    items = items_of(pictures, urls=urls, fingerprint_only=fingerprint_only)
    return register_items(client, items, terms, lang=lang, advance=advance)


def register_items(
    client: Client,
    items: Iterable[Item | Refused],
    terms: Terms,
    *,
    lang: str = "en",
    dry_run: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> Registered:
    """Return once every item is a work under signed terms: its own, or ``terms`` where it is new and says none.

    Raises ``LicetError``; what cannot be registered is listed in ``refused`` and does not stop the others. A
    ``dry_run`` asks what is known, sends no picture, and signs nothing.
    """
    run = _Run(client, terms, dry_run=dry_run, advance=advance)
    with _stopping(ThreadPoolExecutor(rooms.WORKERS)) as pool:
        for each in _batches(in_order(pool, _hashed, items), BATCH):
            run.take(pool, each)
    if dry_run:
        return msgspec.structs.replace(run.done, would={key: len(each) for key, each in run.covered.items()})
    for key, covered in run.covered.items():
        ordered = sorted(covered, key=lambda each: each.work)
        olds = run.olds(ordered)
        for start in range(0, len(ordered), LARGEST):
            part = ordered[start : start + LARGEST]
            done = sign_covered(client, part, run.terms[key], old_terms=olds, lang=lang)
            run.done.statements.append(
                Signed(done.statement, done.log_index, done.effect, done.pending_until, len(part), key)
            )
    return run.done


class _Run:
    """What has been done, and what is to be signed, by the hash of the terms."""

    def __init__(self, client: Client, terms: Terms, *, dry_run: bool, advance: Callable[[int], None]) -> None:
        account = client.need_account().account
        assert account is not None
        self._client = client
        self._account = account.account
        self._default = terms
        self._dry = dry_run
        self._advance = advance
        self._seen: dict[str, str] = {}
        self._stated: dict[str, Work] = {}  # terms hash → a work that has them, to look them up
        self.terms: dict[str, Terms] = {}
        self.covered: dict[str, list[Covered]] = {}
        self.done = Registered([], [], [], [], [], [])

    def take(self, pool: ThreadPoolExecutor, batch: Sequence[Item | Refused]) -> None:
        """Bring a batch to where only signatures are missing."""
        items: list[Item] = []
        again: list[Item] = []  # the same file as an earlier item: named once it is known what work that is
        for each in batch:
            if isinstance(each, Refused):
                self.done.refused.append(each)
                self._advance(1)
            elif each.key is not None and each.key in self._seen:
                again.append(each)
            else:
                items.append(each)
                if each.key is not None:
                    self._seen[each.key] = ""
        new: list[Item] = []
        known: list[tuple[Item, Work]] = []
        found = Known.of(self._client, items)
        for item in items:
            try:
                work = found.work_of(item)
            except InputError as error:
                self._refuse(refused(item, str(error.details.get("field", "")) or None, error.message))
                continue
            if work is None:
                new.append(item)
            else:
                known.append((item, work))
        self._keep_known(pool, known)
        self._register(pool, new)
        for item in again:
            key = item.key or ""
            if self._seen[key]:
                self.done.duplicates.append(Entry(item.shown, self._seen[key], item.sha256))
            else:
                field = "url" if item.by_address else "path"
                self.done.refused.append(refused(item, field, "the same picture was refused above"))
            self._advance(1)

    def olds(self, covered: Iterable[Covered]) -> list[Terms]:
        """Return the distinct terms that the works had."""
        wanted = {each.stated for each in covered if each.stated}
        return terms_of(self._client, [self._stated[key] for key in sorted(wanted)])

    def _keep_known(self, pool: ThreadPoolExecutor, known: Sequence[tuple[Item, Work]]) -> None:
        changes: list[WorkChange] = []
        kept: list[tuple[Item, Work, WorkDigest | None]] = []

        def looked_at(pair: tuple[Item, Work]) -> WorkDigest | Refused | None:
            item, work = pair
            if work.stated is not None:
                return None
            return rooms.unsigned(item, work, self._account)

        for (item, work), found in zip(known, in_order(pool, looked_at, known), strict=True):
            if isinstance(found, Refused):
                self._refuse(found)
                continue
            if item.managed and item.urls and not set(item.urls) <= set(work.urls):
                reason = f"url: expected addresses of {work.work} as registered; others need a new registration"
                self._refuse(refused(item, "url", reason))
                continue
            change = rooms.change_of(item, work) if item.managed else None
            if change is not None:
                changes.append(change)
            kept.append((item, work, found))
        wrong = self._change(changes)
        changed = {change.work for change in changes}
        for item, work, digest in kept:
            self._advance(1)
            if work.work in wrong:
                reason = wrong[work.work]
                self.done.refused.append(refused(item, reason.partition(":")[0], reason))
                continue
            self._seen[rooms.key_of(work)] = work.work
            if item.key is not None:
                self._seen[item.key] = work.work
            self._place(item, work, digest, changed=work.work in changed)

    def _place(self, item: Item, work: Work, digest: WorkDigest | None, *, changed: bool) -> None:
        entry = Entry(item.shown, work.work, work.sha256)
        if digest is not None:
            self._cover(item.terms or self._default, Covered(work.work, work_digest(digest)))
            self._registered(entry, item)
            if work.similar:
                self.done.contested.append(entry)
            return
        wanted = item.terms
        in_force = work.waiting.terms_hash if work.waiting else work.stated
        if item.managed and wanted is not None and in_force != wanted.hash:
            assert work.stated is not None
            self._stated[work.stated] = work
            form = rooms.digest_form(work, self._account)
            self._cover(wanted, Covered(work.work, work_digest(form), work.stated))
            changed = True
        if not item.managed:
            self.done.duplicates.append(entry)
        else:
            (self.done.updated if changed else self.done.unchanged).append(entry)

    def _change(self, changes: Sequence[WorkChange]) -> dict[str, str]:
        """Return why, for those changes that were not made."""
        if not changes or self._dry:
            return {}
        outcomes = self._client.change_works(changes)
        return {each.work: each.reason or "refused" for each in outcomes if each.status == "refused"}

    def _register(self, pool: ThreadPoolExecutor, new: Sequence[Item]) -> None:
        fresh: list[tuple[Item, WorkIn]] = []
        if self._dry:
            for found in in_order(pool, rooms.examined, new):
                if isinstance(found, Refused):
                    self._refuse(found)
                else:
                    self._advance(1)
                    self._seen[found.key or ""] = "-"
                    self._registered(Entry(found.shown, "", found.sha256), found)
                    self._cover(found.terms or self._default, Covered("", b""))
            return
        for item, made in zip(new, in_order(pool, partial(rooms.prepared, self._client), new), strict=True):
            if isinstance(made, Refused):
                self._refuse(made)
            else:
                self._advance(1)
                fresh.append((item, made))
        answered = self._client.register_works([each for _, each in fresh]).items if fresh else []
        for (item, sent), outcome in zip(fresh, answered, strict=True):
            self._sort_out(item, sent, outcome)

    def _sort_out(self, item: Item, sent: WorkIn, outcome: WorkOutcome) -> None:
        if outcome.status == "refused":
            reason = outcome.reason or "refused by the service"
            self.done.refused.append(refused(item, reason.partition(":")[0], reason))
            return
        work = outcome.existing or sent.work
        self._seen[rooms.key_of(sent)] = work
        entry = Entry(item.shown, work, sent.sha256)
        if outcome.status == "duplicate" and outcome.signed:
            self.done.duplicates.append(entry)
            return
        digest = work_digest(
            WorkDigest(
                work=work,
                account=self._account,
                sha256=sent.sha256,
                pixels=sent.pixels,
                pdq=sent.pdq,
                iscc=None,
                url=sorted(sent.urls),
                mode=sent.mode,
            )
        )
        if outcome.digest != digest.hex():
            if outcome.existing is not None:
                reason = f"the picture of {work}, which is registered as another file and not signed for yet"
                self.done.refused.append(refused(item, "path", reason))
                return
            raise VerificationError(
                f"{item.shown}: expected the service to hold what we are about to sign, got another digest"
            )
        self._cover(item.terms or self._default, Covered(work, digest))
        self._registered(entry, item)
        if outcome.similar:
            self.done.contested.append(entry)

    def _registered(self, entry: Entry, item: Item) -> None:
        self.done.works.append(entry)
        if item.fingerprint_only:
            self.done = msgspec.structs.replace(self.done, bare=self.done.bare + 1)

    def _cover(self, terms: Terms, covered: Covered) -> None:
        self.terms[terms.hash] = terms
        self.covered.setdefault(terms.hash, []).append(covered)

    def _refuse(self, found: Refused) -> None:
        self.done.refused.append(found)
        self._advance(1)


def _hashed(item: Item | Refused) -> Item | Refused:
    return item if isinstance(item, Refused) else rooms.hashed(item)


@contextmanager
def _stopping(pool: ThreadPoolExecutor) -> Iterator[ThreadPoolExecutor]:
    """Give ``pool``; what it has not begun when the block ends is not begun any more."""
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
