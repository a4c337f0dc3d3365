"""The end of an account."""

from __future__ import annotations

import msgspec

from licet.wire.common import Receipt


class ErasureRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``confirm`` names the account (not needed for a ``dry_run``); ``deny`` leaves a deny for its works."""

    confirm: str = ""
    dry_run: bool = False
    deny: bool = True


class Restricted(msgspec.Struct, frozen=True):
    """A statement that others rely on: for a ``licence``, a ``use``, a ``dispute``, or as their ``evidence``.

    Until ``ends_at`` it is shown to those parties and to auditors, and to nobody else.
    """

    statement: str
    kind: str
    why: str
    ends_at: str


class ErasureAnswer(msgspec.Struct):
    """What was erased (``dry_run``: would be). ``statement`` is the registry's own; ``receipt`` proves it.

    ``erased`` statements are gone with their salts; ``kept`` are restricted, the first 1,000 of them in the list;
    ``denied`` works of ``works`` go on to deny every use.
    """

    account: str
    dry_run: bool
    statement: str | None
    works: int
    erased: int
    kept: int
    restricted: list[Restricted]
    denied: int
    receipt: Receipt | None = None
