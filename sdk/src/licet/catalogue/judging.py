"""What a snapshot says of an artist's works, held to what this home signed; without a socket.

What is found is told with the work it is about, and with what shows it to others where that can be shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from licet.audit.omission import Omission, speaks_for
from licet.index.state import StateLeaf
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.kinds import Consent
from licet.terms import Terms, merge
from licet.wire.accounts import KeyInfo
from licet.wire.common import KeyEvidence
from licet.wire.works import StatementKept

Kind = Literal[
    "omitted",
    "late",
    "absent",
    "older",
    "terms",
    "replayed",
    "effect",
    "unknown-statement",
    "unknown-key",
    "revoked-key",
    "key-history",
    "unfindable",
    "log",
]


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong, in a sentence; ``evidence``: what shows it to others, where that can be shown."""

    kind: Kind
    message: str
    work: str | None = None
    evidence: Any = None


class Own(msgspec.Struct, frozen=True):
    """A statement of this home with its place in the log, as its receipt proves it."""

    name: str
    index: int
    kept: StatementKept
    works: frozenset[str]

    @property
    def proven(self) -> KeyEvidence:
        """The statement with its receipt, as it is shown to others."""
        receipt = self.kept.receipt
        return KeyEvidence(self.kept.envelope, receipt.salt, receipt.entry, receipt.proof)


class Judge:
    """One snapshot, and what was signed in this home; ``evidence`` makes what shows an omission to others."""

    def __init__(
        self,
        manifest: kinds.Snapshot,
        own: Sequence[Own],
        elsewhere: Iterable[int],
        evidence: Callable[[Own, str], Omission | None],
        shared: Mapping[str, Terms | None] | None = None,
    ) -> None:
        """``elsewhere``: log indices of what this account's own keys signed in another home. ``shared``: works of which
        somebody else is an owner too, and the terms that the snapshot has for them (None: not to be had)."""
        self._manifest: Final = manifest
        self._own: Final = own
        self._words: Final = last_words(own)
        self._indices: Final = {each.index for each in own}.union(elsewhere)
        self._evidence: Final = evidence
        self._shared: Final = shared or {}

    def of_work(self, work: str, leaf: StateLeaf | None) -> Iterator[Finding]:
        """Yield what is wrong with ``work``, of which the snapshot has ``leaf``, or nothing."""
        due, size = self._words.get(work), self._manifest.log_size
        if due is not None and due.index < size and (leaf is None or leaf.log_index < due.index):
            what = "leaves it out" if leaf is None else f"has it as of log entry {leaf.log_index}"
            message = f"{work}: log entry {due.index} speaks for it, but snapshot {self._manifest.sequence} over"
            yield Finding("omitted", f"{message} {size} entries {what}", work, self._evidence(due, work))
        elif work in self._shared:
            yield from self._restricted(work, leaf, due)
        elif leaf is not None and leaf.log_index not in self._indices:
            message = f"{work}: what is in force comes from log entry {leaf.log_index}"
            yield Finding("unknown-statement", f"{message}, which nobody signed in this home", work)
        elif leaf is not None and due is not None and leaf.log_index == due.index:
            expected = expected_terms(work, due, self._own, size)
            if expected is not None and "pending" not in leaf.state.flags and leaf.terms_hash != expected:
                message = f"{work}: its terms in force ({leaf.terms_hash}) are not those"
                yield Finding("terms", f"{message} signed in log entry {due.index}", work)
            if withdraws(due.kept) and "withdrawn" not in leaf.state.flags:
                yield Finding("terms", f"{work}: it was withdrawn in log entry {due.index}, and is not", work)

    def _restricted(self, work: str, leaf: StateLeaf | None, due: Own | None) -> Iterator[Finding]:
        """Yield what is wrong with a work that others speak for, too: they restrict, so nothing is looser than said."""
        effective = self._shared[work]
        if leaf is None or due is None or effective is None or "withdrawn" in leaf.state.flags:
            return
        if due.index >= self._manifest.log_size:
            return  # the snapshot is from before: one that covers it tells
        if leaf.terms_hash != effective.hash:
            message = f"{work}: its terms in force ({leaf.terms_hash}) are not those that the snapshot finds"
            yield Finding("terms", f"{message} ({effective.hash})", work)
            return
        if withdraws(due.kept):
            yield Finding("terms", f"{work}: it was withdrawn in log entry {due.index}, and is not", work)
        if any(each.index > due.index and work in each.works for each in self._own):
            return  # a looser word came after: whether it has matured is the log's to say
        stated = stated_terms(work, due, self._own, self._manifest.log_size)
        if stated is not None and merge([effective, stated]).hash != effective.hash:
            message = f"{work}: its terms in force ({effective.hash}) are not as strict as those"
            yield Finding("terms", f"{message} signed in log entry {due.index}", work)

    def of_promises(self) -> Iterator[Finding]:
        """Yield each statement that the snapshot was promised to cover, and does not."""
        for each in self._own:
            promise = each.kept.receipt.in_snapshot_by
            if promise is None or each.index < self._manifest.log_size or self._manifest.issued_at <= promise:
                continue
            work = each.kept.works[0] if each.kept.works else None
            message = f"{each.name}, log entry {each.index}: promised in a snapshot by {promise}, but snapshot"
            yield Finding(
                "late",
                f"{message} {self._manifest.sequence} of {self._manifest.issued_at} covers only "
                f"{self._manifest.log_size} entries",
                work,
                None if work is None else self._evidence(each, work),
            )


def of_keys(listed: Iterable[KeyInfo], home: str, known: Iterable[str]) -> Iterator[Finding]:
    """Yield the keys of the account that are neither the ``home``'s nor ``known``, and the end of the home's own."""
    own = {home, *known}
    for key in listed:
        if key.keyid not in own:
            yield Finding(
                "unknown-key",
                f"a {key.key_class} key {key.keyid[:16]}… was added to this account in log entry {key.log_index}; "
                f"`licet monitor --know {key.keyid}` if that was you",
            )
        elif key.revoked_from is not None and key.keyid == home:
            yield Finding("revoked-key", f"the key of this home was revoked from log entry {key.revoked_from} on")


def last_words(own: Iterable[Own]) -> dict[str, Own]:
    """Return the last statement of this home that spoke for each work as soon as it was logged."""
    due: dict[str, Own] = {}
    for each in sorted(own, key=lambda one: one.index):
        if speaks_for(each.kept.envelope) is not None:
            due |= dict.fromkeys(each.kept.works, each)
    return due


def withdraws(kept: StatementKept) -> bool:
    """Whether the statement takes works back."""
    if kept.envelope.kind != "work-update":
        return False
    return envelopes.read_as(kinds.WorkUpdate, kept.envelope).change == "withdraw"


def expected_terms(work: str, due: Own, own: Sequence[Own], log_size: int) -> str | None:
    """Return the hash of the terms in force on ``work`` as of ``due``, None where that is not for this home to say."""
    stated = stated_terms(work, due, own, log_size)
    return None if stated is None else stated.hash


def stated_terms(work: str, due: Own, own: Sequence[Own], log_size: int) -> Terms | None:
    """Return the strictest of what is stated for ``work`` as of ``due``, None where this home cannot say."""
    if withdraws(due.kept):
        return None
    spoken = [each for each in own if each.kept.envelope.kind == "consent" and work in each.works]
    last = max((each for each in spoken if each.index <= due.index), key=lambda each: each.index, default=None)
    if last is None or speaks_for(last.kept.envelope) is None:
        return None  # an update alone was signed here, or terms that wait first: when they matured the log says
    stated = envelopes.read_as(Consent, last.kept.envelope)
    catalogues = [
        envelopes.read_as(Consent, each.kept.envelope)
        for each in own
        if each.kept.envelope.kind == "consent" and each.index < log_size
    ]
    catalogues = [each for each in catalogues if isinstance(each.scope, kinds.CatalogueScope)]
    if any(each.effect == "loosen" for each in catalogues):
        return None  # whether it has matured is the log's to say
    terms = [Terms.parse({"vocab": each.vocab, "terms": each.terms}) for each in (stated, *catalogues[-1:])]
    return merge(terms)


def changes(work: str, leaf: StateLeaf | None, states: dict[str, list[str]]) -> Iterator[str]:
    """Yield what of the work's level and flags is not as ``states`` has it, which knows it from here on."""
    now = ["absent"] if leaf is None else [f"claim level {leaf.state.level}", *leaf.state.flags]
    before = states.get(work)
    if before is not None and before != now:
        yield f"{work}: {', '.join(before)} → {', '.join(now)}"
    states[work] = now
