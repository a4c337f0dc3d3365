"""What every writer returns: a document, what readers take from it, and where that is not what the terms say.

No dialect knows all ten uses, and few can tell an offer from a refusal. A writer never says less than the terms deny:
where a word of a dialect covers several uses, it is answered as the strictest of them asks. What is lost by that is
counted here, from what is read out of the document and not from what was meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache, reduce
from itertools import product
from typing import Any, Literal

import msgspec

from licet.signals.strictness import PERMISSIONS, Permission, mask, permission_on
from licet.terms import ATOMS, Terms
from licet.terms.merging import strictest_rule
from licet.terms.rules import Rule

Lost = Literal["silent", "stricter"]


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whose terms are written, and of what.

    ``address`` is where the terms themselves lie for people to read, ``machine`` gives the addresses of other dialects
    of them (dialect → address), ``url`` where the work lies, or a pattern of paths such as ``/``. ``server`` is where
    RSL's Open License Protocol is spoken, if licences can be shown there. ``unsaid`` are uses
    that ``terms`` deny only because nothing may be permitted yet: a dialect that can leave them out does.
    """

    terms: Terms
    address: str | None = None
    machine: dict[str, str] = msgspec.field(default_factory=dict)
    url: str = "/"
    title: str | None = None
    artist: str | None = None
    iscc: str | None = None
    server: str | None = None
    unsaid: frozenset[str] = frozenset()


class Loss(msgspec.Struct, frozen=True):
    """One use that a document says otherwise than the terms: not at all (``silent``), or ``stricter``."""

    use: str
    signed: Permission
    read: Permission
    lost: Lost


class Written(msgspec.Struct, frozen=True):
    """A document in one dialect. ``mask`` is what our readers find in it, once documents it points to are read.
    ``words`` says that it is for people, and has the terms whole in words beside what machines read."""

    dialect: str
    name: str
    media_type: str
    body: bytes
    mask: int
    words: bool = False

    def losses(self, terms: Terms) -> tuple[Loss, ...]:
        """Return the uses on which the document and ``terms`` differ, in the order of the vocabulary; none in words."""
        if self.words:
            return ()
        found: list[Loss] = []
        for use, rule in terms.rules.items():
            read = permission_on(self.mask, use)
            if read != rule.permission:
                found.append(Loss(use, rule.permission, read, "silent" if read == "unset" else "stricter"))
        return tuple(found)


def rule_for(terms: Terms, uses: Iterable[str]) -> Rule:
    """Return the strictest of the rules of ``uses``: deny where their conditions cannot be met together."""
    return reduce(strictest_rule, [terms.rules[use] for use in ATOMS if use in frozenset(uses)])


def signed(terms: Terms) -> int:
    """Return the mask of what ``terms`` permit."""
    return _signed(tuple(rule.permission for rule in terms.rules.values()))


def nearest(options: Sequence[Sequence[int]], subject: Subject) -> tuple[int, ...]:
    """Return what `best` does for the terms of ``subject``, and for what it leaves unsaid."""
    return best(options, signed(subject.terms), subject.unsaid)


def best(options: Sequence[Sequence[int]], wanted: int, unsaid: frozenset[str] = frozenset()) -> tuple[int, ...]:
    """Return the place of the answer to each question by which together they come nearest to ``wanted``.

    ``options`` has the masks of the possible answers to each question. No answer is looser than ``wanted`` on a use
    that it speaks of. Then as few denials as possible are left unsaid, as few offers are lost, and as few permissions
    are left unsaid; of equal ones the first counts. One answer to each question is silence, so there always is one.
    On the uses of ``unsaid``, silence is what is wanted.
    """
    return _best(tuple(tuple(each) for each in options), wanted, unsaid)


@lru_cache(maxsize=4096)
def _best(options: tuple[tuple[int, ...], ...], wanted: int, unsaid: frozenset[str]) -> tuple[int, ...]:
    allowed = [[place for place, each in enumerate(some) if not looser(each, wanted)] for some in options]
    return min(
        product(*allowed),
        key=lambda chosen: _cost(
            reduce(int.__or__, (some[at] for some, at in zip(options, chosen, strict=True)), 0), wanted, unsaid
        ),
    )


def looser(said: int, wanted: int) -> bool:
    """Return whether ``said`` speaks of a use and is looser on it than ``wanted``."""
    return any(
        0 < PERMISSIONS.index(permission_on(said, use)) < PERMISSIONS.index(permission_on(wanted, use)) for use in ATOMS
    )


def _cost(said: int, wanted: int, silent: frozenset[str]) -> tuple[int, ...]:
    unsaid = dict.fromkeys(("deny", "license", "allow"), 0)
    too_strict = 0
    for use in ATOMS:
        read, meant = permission_on(said, use), permission_on(wanted, use)
        if use in silent:
            too_strict += read != "unset"
        elif read == "unset":
            unsaid[meant] += 1
        else:
            too_strict += read != meant
    # An offer that is refused is no worse than one that is not mentioned, and better than nothing said of it.
    return unsaid["deny"], unsaid["license"] + too_strict, unsaid["license"], unsaid["allow"]


@lru_cache(maxsize=1024)
def _signed(permissions: tuple[Permission, ...]) -> int:
    return sum(mask(permission, (use,)) for use, permission in zip(ATOMS, permissions, strict=True))


def as_json(value: Any) -> bytes:
    """Return ``value`` as JSON for people to read, in the order that it is written."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
