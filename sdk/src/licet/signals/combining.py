"""All signals about one thing into one verdict for each use: the strictest counts, and each verdict says why.

Nothing that others publish permits a use here. A site or a file may restrict, and may offer; that it permits is
recorded (``publisher-allows``) and leaves the use unknown, because only a verified claimant can say yes. What is there
and cannot be read is for somebody to look at.

Within TDMRep the nearest statement takes the place of those further away, as it says itself: the site's file, then the
header, then the page, then the book. That is the one case in which another signal can loosen; everywhere else the order
of signals does not matter, and one more never loosens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from licet.decisions.verdicts import CODES
from licet.signals.dialects import ODRL, TDMREP
from licet.signals.strictness import PERMISSIONS, Permission, mask, permission_on, permissions
from licet.signals.types import Signal
from licet.terms.atoms import ATOMS

#: What each permission, as the strictest of all that was said, comes out as.
VERDICT_OF: Final[Mapping[Permission, str]] = {
    "unset": "unknown",
    "allow": "unknown",
    "license": "license",
    "review": "review",
    "deny": "deny",
}
_NEARNESS: Final = {"tdmrep.json": 0, "header": 1, "html": 2}
_NEAREST: Final = 3  # in the file itself
NO_SIGNAL: Final = "no-signal"
PUBLISHER_ALLOWS: Final = "publisher-allows"


class UseVerdict(msgspec.Struct, frozen=True):
    """The verdict on one use. ``signal`` is the place in the list of signals of the one that decided, None for none."""

    use: str
    verdict: str
    reason: str
    signal: int | None


class Combined(msgspec.Struct, frozen=True):
    """What all ``signals`` come to: ``uses`` has a verdict for each of the ten, in the order of the vocabulary."""

    signals: tuple[Signal, ...]
    uses: tuple[UseVerdict, ...]

    def verdict(self, uses: Iterable[str]) -> UseVerdict:
        """Return the strictest of the verdicts on ``uses``, the first of equal ones."""
        wanted = set(uses)
        return max((each for each in self.uses if each.use in wanted), key=lambda each: CODES[each.verdict])

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "verdicts": [msgspec.to_builtins(each) for each in self.uses],
            "signals": [each.document() for each in self.signals],
        }


def combine(signals: Iterable[Signal]) -> Combined:
    """Return what ``signals`` come to; the same whatever their order, and however often one is among them.

    Where several are equally strict, what is bound to the work decides before what is bound to a copy, then the order
    of the texts.
    """
    ordered = tuple(sorted(set(signals), key=_order))
    standing = [(place, each) for place, each in enumerate(ordered) if _stands(each, ordered)]
    uses = []
    for use in ATOMS:
        place, permission = None, PERMISSIONS[0]
        for number, each in standing:
            said = permission_on(each.mask, use)
            if PERMISSIONS.index(said) > PERMISSIONS.index(permission):
                place, permission = number, said
        why = NO_SIGNAL if place is None else ordered[place].reason
        reason = PUBLISHER_ALLOWS if permission == "allow" else why
        uses.append(UseVerdict(use, VERDICT_OF[permission], reason, place))
    return Combined(ordered, tuple(uses))


def combined_mask(signals: Sequence[Signal]) -> int:
    """Return the mask of :func:`combine` alone, for many: with it, verdicts are a look-up (:func:`verdicts_of`)."""
    found = 0
    for each in signals:
        if each.standard != TDMREP.name or _stands(each, signals):
            found |= each.mask
    return found


def verdicts_of(found: int) -> dict[str, str]:
    """Return the verdict on each use that a mask stands for."""
    return {use: VERDICT_OF[permission] for use, permission in permissions(found).items()}


def with_policy(pointer: Signal, policy: Sequence[Signal]) -> tuple[Signal, ...]:
    """Return a reservation and its policy as they stand together, once the policy has been read.

    What the policy offers is no longer denied by the reservation, but on offer; a policy that cannot be read leaves the
    reservation as it was. A prohibition in it denies beside.
    """
    offered = frozenset(
        use
        for use in ATOMS
        if any(each.standard == ODRL.name and permission_on(each.mask, use) in ("allow", "license") for each in policy)
    )
    left = 0
    for use in ATOMS:
        said = permission_on(pointer.mask, use)
        left |= mask("license" if said == "deny" and use in offered else said, (use,))
    reason = "offered" if offered else pointer.reason
    standing = msgspec.structs.replace(pointer, mask=left, reason=reason, awaits=None)
    return (standing, *(each for each in policy if each.reason == "prohibited" or (offered and each.unreadable)))


def _stands(signal: Signal, others: Sequence[Signal]) -> bool:
    """Return whether no nearer statement of the same standard takes the place of ``signal``."""
    if signal.standard != TDMREP.name or signal.unreadable:
        return True
    nearness = _NEARNESS.get(signal.carrier, _NEAREST)
    return not any(
        each.standard == TDMREP.name and not each.unreadable and _NEARNESS.get(each.carrier, _NEAREST) > nearness
        for each in others
    )


def _order(signal: Signal) -> tuple[Any, ...]:
    return (
        not signal.asset,
        signal.standard,
        signal.carrier,
        signal.place,
        signal.said,
        signal.reason,
        -signal.mask,
        signal.terms or "",
        signal.awaits or "",
        signal.max_age or 0,
        signal.version,
    )
