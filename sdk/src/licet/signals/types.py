"""One signal: what somebody said about uses of something, in which standard, where it stood, and what that means."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from licet.signals.strictness import DENY_ALL, REVIEW_ALL, spoken_of
from licet.signals.strictness import permissions as in_words

Carrier = Literal[
    "robots.txt",
    "ai.txt",
    "tdmrep.json",
    "header",
    "html",
    "document",  # fetched for its own sake: RSL, a policy, a declaration
    "xmp",
    "exif",
    "c2pa",
    "epub",
    "pdf",
]
#: Inside the file: what is said there goes with every copy of it; everything else binds the copy at one address.
ASSET: Final[frozenset[str]] = frozenset({"xmp", "exif", "c2pa", "epub", "pdf"})
#: Reasons of what is there but could not be read.
UNREADABLE: Final = frozenset(
    {"unreadable", "too-long", "unreachable", "tampered", "unknown-value", "contradictory", "no-reader"}
)

LONGEST_SAID: Final = 200  # characters


class Signal(msgspec.Struct, frozen=True):
    """What one place says. ``mask`` is its permissions (``licet.signals.strictness``), ``reason`` a slug for why.

    ``said`` is what stood there, shortened; ``terms`` the address of conditions, where one is named; ``awaits`` that of
    a document without which not all is known: until it is read, the mask is what holds. ``max_age`` is for how many
    seconds it may be relied on without looking again, where its standard says so. ``asset`` tells that it was said of
    the work itself, wherever a copy lies.
    """

    standard: str
    version: str
    carrier: Carrier
    place: str
    said: str
    mask: int
    reason: str
    asset: bool = False
    terms: str | None = None
    awaits: str | None = None
    max_age: int | None = None

    @property
    def unreadable(self) -> bool:
        """Return whether something was there that could not be read."""
        return self.reason in UNREADABLE

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it: permissions by the names of the uses."""
        spoken = spoken_of(self.mask)
        said = in_words(self.mask)
        return {
            "standard": self.standard,
            "version": self.version,
            "carrier": self.carrier,
            "place": self.place,
            "said": self.said,
            "binds": "work" if self.asset else "copy",
            "permissions": {use: said[use] for use in spoken},
            "reason": self.reason,
            "terms": self.terms,
            "awaits": self.awaits,
            "max_age": self.max_age,
        }


class Standard(msgspec.Struct, frozen=True):
    """A standard and the version of it that is read; it makes the signals of its readers."""

    name: str
    version: str

    def signal(
        self,
        carrier: Carrier,
        place: str,
        said: str,
        mask: int,
        reason: str,
        *,
        asset: bool | None = None,
        terms: str | None = None,
        awaits: str | None = None,
        max_age: int | None = None,
    ) -> Signal:
        """Return a signal of this standard; what is in the file is asset-bound unless ``asset`` says otherwise."""
        return Signal(
            self.name,
            self.version,
            carrier,
            shortened(place),
            shortened(said),
            mask,
            reason,
            carrier in ASSET if asset is None else asset,
            terms,
            awaits,
            max_age,
        )

    def unreadable(
        self, carrier: Carrier, place: str, said: str, reason: str = "unreadable", *, asset: bool | None = None
    ) -> Signal:
        """Return the signal for what is there and cannot be read: every use is for somebody to look at."""
        return self.signal(carrier, place, said, REVIEW_ALL, reason, asset=asset)

    def pointer(self, carrier: Carrier, place: str, said: str, address: str, *, asset: bool | None = None) -> Signal:
        """Return the signal for terms that lie at ``address``: without them nothing is licensed."""
        return self.signal(carrier, place, said, DENY_ALL, "not-fetched", asset=asset, terms=address, awaits=address)


def shortened(text: str) -> str:
    """Return ``text`` on one line, in at most ``LONGEST_SAID`` characters."""
    line = " ".join(text[: LONGEST_SAID * 4].split())
    return line if len(line) <= LONGEST_SAID else line[: LONGEST_SAID - 1] + "…"
