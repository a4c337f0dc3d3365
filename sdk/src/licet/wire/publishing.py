"""Terms of a work as everybody reads them at its registry."""

from __future__ import annotations

from typing import Any

import msgspec


class PublishedTerms(msgspec.Struct, frozen=True):
    """What counts for a work at this moment, strict enough for every reader and every copy.

    ``terms`` deny whatever does not count: ``reasons`` says why of each use that the terms in force do not deny
    themselves. Of the uses in ``unsaid`` nothing is said in dialects that can leave them out. ``in_force`` is the hash
    of the terms in force: what was signed, with what restricts it. ``documents`` are the same in other dialects.
    """

    work: str
    title: str | None
    artist: str | None
    level: int
    statement: str
    log_index: int
    signed_at: str
    in_force: str
    vocab: int
    terms: dict[str, Any]
    terms_hash: str
    unsaid: list[str]
    reasons: dict[str, str]
    page: str
    documents: dict[str, str]
