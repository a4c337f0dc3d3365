"""How strict signals are on the ten uses, as one integer, so that many are combined by ``|``.

Each use has four bits, in the order of the vocabulary, of which as many are set as its permission is strict: none for
``unset``, one for ``allow``, two for ``license``, three for ``review``, four for ``deny``. So the bitwise or of two
masks is, use by use, the stricter of both: the order of signals cannot matter, and another one never loosens.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal, get_args

from licet.terms.atoms import ATOMS, TRAINING

Permission = Literal["unset", "allow", "license", "review", "deny"]
PERMISSIONS: Final[tuple[Permission, ...]] = get_args(Permission)
"""Loosest first: the index is how many bits of a use are set."""

Uses = frozenset[str]
ALL: Final[Uses] = frozenset(ATOMS)
TRAINING_AND_INPUT: Final[Uses] = TRAINING | {"input"}
UNSET: Final = 0

_BITS: Final = 4
_FIELD: Final = (1 << _BITS) - 1
_CODES: Final = {permission: code for code, permission in enumerate(PERMISSIONS)}
_SHIFTS: Final = {atom: _BITS * place for place, atom in enumerate(ATOMS)}


def mask(permission: Permission, uses: Iterable[str]) -> int:
    """Return the mask with ``permission`` on each of ``uses`` and nothing on the others."""
    field = (1 << _CODES[permission]) - 1
    found = 0
    for use in uses:
        found |= field << _SHIFTS[use]
    return found


def permission_on(mask: int, use: str) -> Permission:
    """Return what ``mask`` says of one use."""
    return PERMISSIONS[(mask >> _SHIFTS[use] & _FIELD).bit_length()]


@lru_cache(maxsize=4096)
def permissions(mask: int) -> dict[str, Permission]:
    """Return what ``mask`` says of each use, in the order of the vocabulary; not to be changed."""
    return {use: permission_on(mask, use) for use in ATOMS}


def spoken_of(mask: int) -> list[str]:
    """Return the uses on which ``mask`` says anything."""
    return [use for use in ATOMS if mask >> _SHIFTS[use] & _FIELD]


DENY_ALL: Final = mask("deny", ALL)
REVIEW_ALL: Final = mask("review", ALL)
