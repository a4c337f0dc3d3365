"""Registration: fingerprint, upload where asked, name the works, and sign one consent for each of the terms.

Stopped at any point, a second run finishes the work: what was registered but not yet signed is found again by its
file, and joins the next signature; what was signed with the same terms is not signed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from licet.catalogue import batch as rooms
from licet.catalogue.batch import Changed, Known, in_order, refused
from licet.catalogue.consent import Covered, sign_covered, terms_of
from licet.catalogue.held import Signed as SignedBefore
from licet.catalogue.held import held, signed_here
from licet.catalogue.items import Item, Refused, items_of
from licet.catalogue.outcomes import Entry, Registered, Signed, Whole
from licet.catalogue.places import Place, Places, placed
from licet.catalogue.updating import LARGEST as UPDATED
from licet.catalogue.updating import Growth, growth, sign_update
from licet.client import Client
from licet.errors import InputError, VerificationError
from licet.fingerprints.bounded import close_all
from licet.fingerprints.urls import canonical_url
from licet.statements.kinds import WorkDigest
from licet.statements.works import work_digest
from licet.terms import Terms
from licet.wire.works import Parts, Work, WorkChange, WorkIn, WorkOutcome

BATCH: Final = 250
LARGEST: Final = 100_000  # works under one statement

T = TypeVar("T")


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
    changed: Changed = "refuse",
    dry_run: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> Registered:
    """Return once every item is a work under signed terms: its own, or ``terms`` where it is new and says none.

    Raises ``LicetError``; what cannot be registered is listed in ``refused`` and does not stop the others.
    ``changed`` says what becomes of a picture that is not the one registered under the same name or from the same path:
    refused, what that work is now (signed as an update), or a work of its own. A ``dry_run`` asks what is known, sends
    no picture, and signs nothing.
    """
    run = _Run(client, terms, changed=changed, dry_run=dry_run, advance=advance)
    with _stopping(ThreadPoolExecutor(rooms.WORKERS)) as pool:
        for each in _batches(in_order(pool, _hashed, items), BATCH):
            run.take(pool, each)
    if dry_run:
        return msgspec.structs.replace(run.done, would={key: len(each) for key, each in run.covered.items()})
    for start in range(0, len(run.growths), UPDATED):
        some = run.growths[start : start + UPDATED]
        grown = sign_update(client, some)
        run.done.statements.append(
            Signed(grown.statement, grown.log_index, grown.effect, grown.pending_until, len(some), None)
        )
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

    def __init__(
        self, client: Client, terms: Terms, *, changed: Changed, dry_run: bool, advance: Callable[[int], None]
    ) -> None:
        profile = client.need_account()
        account = profile.account
        assert account is not None
        self._profile = profile
        self._places = Places(profile.folder)
        self._changed: Changed = changed
        self._client = client
        self._account = account.account
        self._default = terms
        self._dry = dry_run
        self._advance = advance
        self._seen: dict[str, str] = {}
        self._stated: dict[str, Work] = {}  # terms hash → a work that has them, to look them up
        self.terms: dict[str, Terms] = {}
        self.covered: dict[str, list[Covered]] = {}
        self.growths: list[Growth] = []
        self.done = Registered([], [], [], [], [], [], replaced=[])

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
        replaced: list[tuple[Item, Work]] = []
        found = Known.of(self._client, items, self._places)
        for item in items:
            try:
                work = found.work_of(item, self._changed)
            except InputError as error:
                self._refuse(refused(item, str(error.details.get("field", "")) or None, error.message))
                continue
            if work is None:
                new.append(item)
            elif rooms.replaces(item, work):
                replaced.append((item, work))
            else:
                known.append((item, work))
        self._keep_known(pool, known)
        self._replace(pool, replaced)
        self._register(pool, new)
        self._remember(items)
        for item in again:
            key = item.key or ""
            if self._seen[key]:
                self.done.duplicates.append(Entry(item.shown, self._seen[key], item.sha256))
            else:
                field = "url" if item.by_address else "path"
                self.done.refused.append(refused(item, field, "the same picture was refused above"))
            self._advance(1)

    def _remember(self, items: Iterable[Item]) -> None:
        """Keep from where each of ``items`` was registered, once it is known as what."""
        if not self._dry:
            self._places.keep(
                Place(placed(item.path), item.sha256, self._seen[item.sha256])
                for item in items
                if item.path is not None and item.sha256 is not None and self._seen.get(item.sha256)
            )

    def _replace(self, pool: ThreadPoolExecutor, replaced: Sequence[tuple[Item, Work]]) -> None:
        """Take each picture for what its work is now: signed for once all are seen."""
        if not replaced:
            return
        asked = []
        for item, work in replaced:
            if work.stated is None:
                reason = (
                    f"{work.work} is registered and not signed for yet: register the picture before once more first"
                )
                self._refuse(refused(item, "path", reason))
            elif item.path is None:
                reason = f"path: expected the picture that {work.work} is now, got its digest alone"
                self._refuse(refused(item, "path", reason))
            else:
                asked.append((msgspec.structs.replace(item, fingerprint_only=work.mode != "upload"), work))
        look: Callable[[Item], WorkIn | Item | Refused]
        look = rooms.examined if self._dry else partial(rooms.prepared, self._client)
        before = self._held([work for _, work in asked])
        made = in_order(pool, look, [item for item, _ in asked])
        changes: list[WorkChange] = []
        for (item, work), file in zip(asked, made, strict=True):
            if isinstance(file, Refused):
                self._refuse(file)
                continue
            self._advance(1)
            self._seen[item.key or ""] = work.work
            self.done.replaced.append(Entry(item.shown, work.work, item.sha256))
            if work.waiting is not None and work.waiting.terms_hash != work.stated:
                self.done = msgspec.structs.replace(self.done, cancelled=self.done.cancelled + 1)
            if isinstance(file, Item):
                continue
            grown = growth(before[work.work], file, item.urls)
            self.growths.append(grown)
            if item.managed and (change := rooms.change_of(item, work)) is not None:
                changes.append(change)
            if item.managed and item.terms is not None and work.stated not in (None, item.terms.hash):
                self._stated[work.stated or ""] = work
                self._cover(item.terms, Covered(work.work, work_digest(grown.after), work.stated))
        for name, reason in self._change(changes).items():
            self.done.refused.append(Refused(name, reason, None, reason.partition(":")[0]))

    @cached_property
    def _signed(self) -> dict[str, SignedBefore]:
        return signed_here(self._profile)

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
        forms = self._held([work for item, work, digest in kept if digest is None and _restated(item, work)])
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
            self._place(item, work, digest or forms.get(work.work), changed=work.work in changed)

    def _place(self, item: Item, work: Work, digest: WorkDigest | None, *, changed: bool) -> None:
        entry = Entry(item.shown, work.work, work.sha256)
        if digest is not None and work.stated is None:
            self._cover(item.terms or self._default, Covered(work.work, work_digest(digest)))
            self._registered(entry, item, work.parts if self._dry else rooms.looked_at(self._client, item, work))
            if work.similar:
                self.done.contested.append(entry)
            return
        if digest is not None and work.stated is not None and item.terms is not None:
            self._stated[work.stated] = work
            self._cover(item.terms, Covered(work.work, work_digest(digest), work.stated))
            changed = True
        if not self._dry and rooms.unseen(item, work):
            self._looked(entry, rooms.looked_at(self._client, item, work))
        if not item.managed:
            self.done.duplicates.append(entry)
        else:
            (self.done.updated if changed else self.done.unchanged).append(entry)

    def _held(self, works: Sequence[Work]) -> dict[str, WorkDigest]:
        """Return what is to be signed for ``works``, by name: what was signed for them before."""
        if not works:
            return {}
        return {form.work: form for form in held(self._client, works, known=self._signed)}

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
                    self._registered(Entry(found.shown, "", found.sha256), found, None)
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
                iscc=sent.iscc,
                url=sorted(sent.urls),
                mode=sent.mode,
                site=sent.site or msgspec.UNSET,
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
        self._registered(entry, item, outcome.parts)
        if outcome.similar:
            self.done.contested.append(entry)

    def _registered(self, entry: Entry, item: Item, parts: Parts | None) -> None:
        self.done.works.append(entry)
        self._looked(entry, parts)
        if item.fingerprint_only:
            self.done = msgspec.structs.replace(self.done, bare=self.done.bare + 1)

    def _looked(self, entry: Entry, parts: Parts | None) -> None:
        if parts not in ("found", None):  # a service of an earlier release says nothing of it
            self.done.whole.append(Whole(entry.path, entry.work, parts))

    def _cover(self, terms: Terms, covered: Covered) -> None:
        self.terms[terms.hash] = terms
        self.covered.setdefault(terms.hash, []).append(covered)

    def _refuse(self, found: Refused) -> None:
        self.done.refused.append(found)
        self._advance(1)


def _restated(item: Item, work: Work) -> bool:
    """Return whether ``item`` states other terms than those that its work has, or waits for."""
    in_force = work.waiting.terms_hash if work.waiting else work.stated
    return item.managed and work.stated is not None and item.terms is not None and in_force != item.terms.hash


def _hashed(item: Item | Refused) -> Item | Refused:
    return item if isinstance(item, Refused) else rooms.hashed(item)


@contextmanager
def _stopping(pool: ThreadPoolExecutor) -> Iterator[ThreadPoolExecutor]:
    """Give ``pool``; what it has not begun when the block ends is not begun any more, and what it decodes ends."""
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        close_all()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
