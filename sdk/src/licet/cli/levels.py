"""What a claim level is, how the next one is reached, and what waits for it: said wherever a level is shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from licet.cli.output import Common, note

if TYPE_CHECKING:
    from licet.client import Client

HIGHEST: Final = 4
VERIFIED: Final = 2  # from here on what is given free counts, money is paid out, and uses of single works are shown
_MEANS: Final = (
    "self-declared: what you say yourself",
    "one public profile that is yours",
    "verified: a domain of yours, or two public profiles",
    "source files, an earlier time stamp, or a check of your identity",
    "a third party: a collecting society, a notary, a court",
)
REACH: Final = (
    "A domain of yours makes it 2: `licet claim domain example.org`. All else the registry's office looks at."
)


def level_words(level: int) -> str:
    """Return ``0 of 4 (self-declared: …)``."""
    return f"{level} of {HIGHEST}" + (f" ({_MEANS[level]})" if 0 <= level <= HIGHEST else "")


def ladder(level: int) -> Iterator[str]:
    """Yield every level with what it stands on, then what waits for a claim at ``level`` and how it rises."""
    for number, means in enumerate(_MEANS):
        yield f"  {number}  {means}" + (" <- you" if number == level else "")
    if level < VERIFIED:
        yield "Below level 2 what you forbid and what you sell counts, what you give free does not yet; what is owed to"
        yield "you waits in escrow, and who used which work is not shown."
        yield REACH


def says_what_is_hidden(client: Client, common: Common, what: str) -> bool:
    """Say that ``what`` is not shown where that is so, because of the caller's level; return whether it is."""
    me = client.me()
    if me.kind != "artist" or me.level >= VERIFIED:
        return False
    if not common.json:
        note(f"Your claim level is {level_words(me.level)}. From level {VERIFIED} on {what}.")
        note(f"Until then what you are owed waits in escrow (`licet balance`). {REACH}")
    return True
