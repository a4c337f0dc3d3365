"""What is found of one thing that the service needs, or that waits for its office."""

from __future__ import annotations

import msgspec


class Check(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that answers need: what was found, and where it is not ok, since when and what to do about it."""

    ok: bool
    found: str = ""
    since: str | None = None
    todo: str = ""
