"""Who shares what a work earns (semantics 21): amounts divided to the last micro-unit, and which split is in force.

A split is one document that its proposer signs and logs; each of the others answers it by a logged statement that names
its digest. What is in force at a log index follows from those statements alone, in the order of the log: the registry,
an artist and an auditor run this same code over them.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Final, Literal, NamedTuple

from licet import identifiers, times
from licet.errors import InputError, VerificationError
from licet.statements.kinds import Erase, RegistryRef, Split, SplitAnswer, SplitShare, SplitWork
from licet.statements.kinds.sharing import WHOLE, wrong_shares, wrong_works

LASTS: Final = timedelta(days=30)
"""How long after its own log entry a proposal can still come into force."""

State = Literal["open", "agreed", "declined", "lapsed", "overtaken"]


class Agreed(NamedTuple):
    """A split that is in force on its works from log index ``since`` on, until the next one on them.

    ``account`` proposed it. That the works are its own no statement of a split says: whoever credits by it holds
    ``account`` to be who would have been paid without it.
    """

    split: str
    account: str
    document: str
    since: int
    shares: tuple[SplitShare, ...]
    works: tuple[str, ...]

    def divide(self, amount: int) -> dict[str, int]:
        """Return what of ``amount`` each co-owner gets, as `divide` does."""
        return divide(amount, {each.account: each.bps for each in self.shares})


def divide(amount: int, shares: Mapping[str, int]) -> dict[str, int]:
    """Return ``amount`` micro-units in parts that add up to it exactly: by largest remainder, then by account.

    ``shares`` are basis points that add up to 10,000. Raises ``InputError`` for others. What is given back (a negative
    amount) is divided as it was paid.
    """
    if amount < 0:
        return {account: -part for account, part in divide(-amount, shares).items()}
    if sum(shares.values()) != WHOLE or min(shares.values()) < 1:
        raise InputError.field("shares", f"1 or more basis points each, {WHOLE} in sum", dict(shares))
    parts = {account: amount * bps // WHOLE for account, bps in shares.items()}
    left = amount - sum(parts.values())
    for account in sorted(shares, key=lambda each: (-(amount * shares[each] % WHOLE), each))[:left]:
        parts[account] += 1
    return parts


def draft_split(
    *,
    registry: RegistryRef,
    account: str,
    genesis: str,
    works: Mapping[str, str],
    shares: Mapping[str, tuple[str, int]],
    replaces: str | None,
) -> Split:
    """Return the document that proposes ``shares`` (account → genesis, basis points) of ``works`` (work → digest).

    Raises ``InputError`` that names what does not fit.
    """
    named = [SplitWork(work, works[work]) for work in sorted(works)]
    parts = [SplitShare(each, *shares[each]) for each in sorted(shares)]
    wrong = wrong_works(named) or wrong_shares(parts)
    if wrong is not None:
        raise InputError(wrong, field=wrong.partition(":")[0])
    return Split(
        registry=registry,
        split=identifiers.new_id("spl"),
        account=account,
        genesis=genesis,
        works=named,
        shares=parts,
        replaces=replaces,
        issued_at=times.to_text(times.now()),
        nonce=secrets.token_hex(16),
    )


def draft_answer(
    split: Split, document: str, *, account: str, genesis: str, answer: Literal["accept", "decline"]
) -> SplitAnswer:
    """Return the answer of ``account`` to ``split``, the payload whose SHA-256 is ``document``."""
    return SplitAnswer(
        registry=split.registry,
        split=split.split,
        document=document,
        account=account,
        genesis=genesis,
        answer=answer,
        issued_at=times.to_text(times.now()),
        nonce=secrets.token_hex(16),
    )


def needed(split: Split, replaced: Sequence[SplitShare]) -> dict[str, str]:
    """Return whose answer ``split`` needs, account → genesis: everybody with a share in it or in the one ``replaced``.

    Its proposer has answered by signing it. Raises ``VerificationError`` where it needs nobody's, and where an account
    is named with another genesis than before.
    """
    parties = {each.account: each.genesis for each in replaced}
    for each in split.shares:
        if parties.setdefault(each.account, each.genesis) != each.genesis:
            raise VerificationError(f"shares: expected {each.account} with the genesis that it had, got another")
    if parties.pop(split.account, split.genesis) != split.genesis:
        raise VerificationError(f"shares: expected {split.account} with the genesis that it signs by, got another")
    if not parties:
        raise VerificationError(f"shares: expected somebody to share with beside {split.account}, got nobody")
    return parties


def kept(split: Split, replaced: Sequence[SplitShare]) -> frozenset[str]:
    """Return whose share in ``split`` is the very one in what it replaces: of an erased account no other is agreed."""
    before = {each.account: each.bps for each in replaced}
    return frozenset(each.account for each in split.shares if before.get(each.account) == each.bps)


class _Proposal:
    def __init__(
        self, split: Split, document: str, time: str, needs: Mapping[str, str], waived: AbstractSet[str]
    ) -> None:
        self.split: Final = split
        self.document: Final = document
        self.until: Final = times.from_text(time) + LASTS
        self.waiting: Final = {account: genesis for account, genesis in needs.items() if account not in waived}
        self.needs: Final = dict(needs)
        self.state: State = "open"


class Splits:
    """Every split and answer of a log, taken in its order; says which split was in force on a work, and when.

    Of an account that was erased before nobody asks an answer to a split that leaves it exactly the share it has.

    That signatures hold and that each statement is where it is said to be in the log is checked before.
    """

    def __init__(self) -> None:
        self._proposals: Final[dict[str, _Proposal]] = {}
        self._names: Final[set[str]] = set()
        self._on: Final[dict[str, list[Agreed]]] = {}
        self._erased: Final[set[str]] = set()
        self._last = -1

    def take(self, payload: Split | SplitAnswer | Erase, document: str, index: int, time: str) -> Agreed | None:
        """Take the next statement; return the split that it brings into force, None for none.

        ``document``: SHA-256 of a split's own payload (of an answer it says itself what it is to); ``index`` and
        ``time`` of its log entry. Raises ``VerificationError`` for one that no honest registry takes.
        """
        if index <= self._last:
            raise VerificationError(f"expected statements in the order of the log, got index {index} late")
        self._last = index
        if isinstance(payload, Erase):
            if payload.what == "account":
                self._erased.add(payload.account)
            return None
        if isinstance(payload, Split):
            self._propose(payload, document, time)
            return None
        return self._answer(payload, index, time)

    def in_force(self, work: str, before: int) -> Agreed | None:
        """Return the split in force on ``work`` for what the log took at index ``before``, None for none."""
        found = None
        for each in self._on.get(work, ()):
            if each.since < before:
                found = each
        return found

    def moments(self, works: Iterable[str], start: int, end: int) -> list[int]:
        """Return the log indices from ``start`` to ``end`` at which `in_force` may say something else of ``works``."""
        since = {each.since + 1 for work in works for each in self._on.get(work, ()) if start <= each.since < end}
        return [start, *sorted(since)]

    def ever(self, work: str, account: str) -> frozenset[str]:
        """Return ``account`` and everybody who ever had a share in ``work`` by a split that it proposed."""
        shares = (each.shares for each in self._on.get(work, ()) if each.account == account)
        return frozenset({account, *(share.account for one in shares for share in one)})

    def state(self, document: str, now: str) -> State:
        """Return what became of a proposal by the time ``now``; raises ``VerificationError`` for an unknown one."""
        proposal = self._known(document)
        if proposal.state != "open":
            return proposal.state
        if self._overtaken(proposal.split, self._last + 1):
            return "overtaken"
        return "lapsed" if times.from_text(now) > proposal.until else "open"

    def _propose(self, split: Split, document: str, time: str) -> None:
        if document in self._proposals or split.split in self._names:
            raise VerificationError(f"{split.split}: expected one proposal of this name, got two")
        replaced: tuple[SplitShare, ...] = ()
        if split.replaces is not None:
            before = self._known(split.replaces)
            if before.state != "agreed" or before.split.account != split.account:
                raise VerificationError(f"{split.split}: expected to replace a split that was agreed, got another")
            replaced = tuple(before.split.shares)
        self._names.add(split.split)
        waived = self._erased & kept(split, replaced)
        self._proposals[document] = _Proposal(split, document, time, needed(split, replaced), waived)

    def _answer(self, answer: SplitAnswer, index: int, time: str) -> Agreed | None:
        proposal = self._known(answer.document)
        if answer.split != proposal.split.split:
            raise VerificationError(f"expected an answer to {proposal.split.split}, got one to {answer.split}")
        genesis = proposal.needs.get(answer.account)
        if genesis is None and (answer.answer, answer.account) == ("decline", proposal.split.account):
            genesis = proposal.split.genesis
        if genesis != answer.genesis:
            raise VerificationError(f"{answer.split}: expected an answer of who has a share, got {answer.account}'s")
        if proposal.state != "open":
            return None
        if answer.answer == "decline":
            proposal.state = "declined"
            return None
        proposal.waiting.pop(answer.account, None)
        if proposal.waiting:
            return None
        return self._agree(proposal, index, time)

    def _agree(self, proposal: _Proposal, index: int, time: str) -> Agreed | None:
        split = proposal.split
        if times.from_text(time) > proposal.until:
            proposal.state = "lapsed"
            return None
        if self._overtaken(split, index):
            proposal.state = "overtaken"
            return None
        proposal.state = "agreed"
        works = tuple(each.work for each in split.works)
        agreed = Agreed(split.split, split.account, proposal.document, index, tuple(split.shares), works)
        for work in works:
            self._on.setdefault(work, []).append(agreed)
        return agreed

    def _overtaken(self, split: Split, before: int) -> bool:
        """Whether another one than the split that it replaces is in force on a work of it."""
        standing = (self.in_force(each.work, before) for each in split.works)
        return any((None if each is None else each.document) != split.replaces for each in standing)

    def _known(self, document: str) -> _Proposal:
        proposal = self._proposals.get(document)
        if proposal is None:
            raise VerificationError(f"expected a split that the log took before, got none of digest {document!r:.80}")
        return proposal
