"""How the co-owners of works share what the works earn: proposed by one, in force once all have agreed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from licet.statements.kinds.common import VERSION, RegistryRef

WHOLE: Final = 10_000  # basis points
MOST_PARTIES: Final = 100
MOST_WORKS: Final = 1000


class SplitWork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A work that is shared, and the digest of what it was recognised by when the split was proposed."""

    work: str
    digest: str


class SplitShare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one co-owner gets: ``bps`` of 10,000. ``genesis`` says who ``account`` is, whatever a registry says."""

    account: str
    genesis: str
    bps: int


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="split"):
    """Shares of what ``works`` earn after the fee, proposed by the account that registered them.

    In force from the log index of the last answer that it needs (`SplitAnswer`): of everybody with a share, and of
    everybody with one in the split that it ``replaces`` (SHA-256 of that one's payload; null: none is in force).
    ``works`` are sorted by work, ``shares`` by account.
    """

    registry: RegistryRef
    split: str
    account: str
    genesis: str
    works: list[SplitWork]
    shares: list[SplitShare]
    replaces: str | None
    issued_at: str
    nonce: str
    v: int = VERSION

    def __post_init__(self) -> None:
        wrong = wrong_works(self.works) or wrong_shares(self.shares)
        if wrong is not None:
            raise ValueError(wrong)


class SplitAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="split-answer"):
    """One co-owner's answer to the very document whose payload has the SHA-256 ``document``.

    ``decline`` ends the proposal, whoever of those it needs says so; also of whoever proposed it.
    """

    registry: RegistryRef
    split: str
    document: str
    account: str
    genesis: str
    answer: Literal["accept", "decline"]
    issued_at: str
    nonce: str
    v: int = VERSION


def wrong_works(works: Sequence[SplitWork]) -> str | None:
    """Return what is wrong with the works of a split, in words that begin with the field; None if nothing is."""
    if not 1 <= len(works) <= MOST_WORKS:
        return f"works: expected 1 to {MOST_WORKS} works, got {len(works)}"
    names = [each.work for each in works]
    if names != sorted(set(names)):
        return "works: expected each work once, in rising order, got others"
    return None


def wrong_shares(shares: Sequence[SplitShare]) -> str | None:
    """Return what is wrong with the shares of a split, in words that begin with the field; None if nothing is."""
    if not 1 <= len(shares) <= MOST_PARTIES:
        return f"shares: expected 1 to {MOST_PARTIES} co-owners, got {len(shares)}"
    names = [each.account for each in shares]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        return f"shares: expected each account once, got {twice:.40} twice"
    if names != sorted(names):
        return "shares: expected accounts in rising order, got others"
    for place, each in enumerate(shares):
        if not 1 <= each.bps <= WHOLE:
            return f"shares[{place}].bps: expected 1 to {WHOLE} basis points, got {each.bps}"
    total = sum(each.bps for each in shares)
    if total != WHOLE:
        return f"shares: expected {WHOLE} basis points in sum, got {total}"
    return None
