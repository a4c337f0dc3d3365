"""What one registration did: which works are new, changed, as they were or refused, and what was signed for them."""

from __future__ import annotations

import msgspec

from licet.catalogue.items import Refused
from licet.wire.works import Parts


class Entry(msgspec.Struct, frozen=True):
    """One picture and the work that it is."""

    path: str
    work: str
    sha256: str | None  # null: known by its addresses alone


class Whole(msgspec.Struct, frozen=True):
    """A picture of which crops, frames and collages will not be found, and why: `licet.wire.works.Parts`."""

    path: str
    work: str
    parts: Parts


class Signed(msgspec.Struct, frozen=True):
    """One statement of a run; ``terms_hash`` is null for an update of what works are recognised by."""

    statement: str
    log_index: int
    effect: str
    pending_until: str | None
    works: int
    terms_hash: str | None


class Registered(msgspec.Struct, frozen=True):
    """What one call did. ``works`` are under new ``statements`` for the first time; ``duplicates`` were registered
    before and stay as they are; ``updated`` were known and got other words or terms, ``unchanged`` were told nothing
    new; ``replaced`` were known by another picture and are recognised by this one as well."""

    works: list[Entry] = []
    updated: list[Entry] = []
    unchanged: list[Entry] = []
    duplicates: list[Entry] = []
    refused: list[Refused] = []
    contested: list[Entry] = []  # they match works of other accounts: the strictest terms apply meanwhile
    bare: int = 0  # of ``works``: known by digests or addresses alone, so they can only deny
    statements: list[Signed] = []
    replaced: list[Entry] = []
    cancelled: int = 0  # of ``replaced``: looser terms waited there, signed over the picture before
    whole: list[Whole] = []  # of ``works``, and of what was known but not looked at for its parts
    would: dict[str, int] = {}  # of a dry run: terms hash → how many works would be signed for

    @property
    def statement(self) -> str | None:
        """The statement, or the first of several; None where nothing was signed."""
        return self.first.statement if self.first else None

    @property
    def first(self) -> Signed | None:
        """The first statement about terms, else the first."""
        stated = (each for each in self.statements if each.terms_hash is not None)
        return next(stated, self.statements[0] if self.statements else None)
