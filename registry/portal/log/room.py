"""The log's room: its words and templates, and what a page needs to check the log in a browser."""

from __future__ import annotations

from typing import Any, Final

from registry.portal.frame.pages import Room
from registry.portal.log.checking_words import STEPS
from registry.portal.log.words import WORDS
from registry.services import Services

ROOM: Final = Room("log", WORDS)


def checked(services: Services) -> dict[str, Any]:
    """Return what a page tells the script that checks the log: whose log it is, and under which root key."""
    root = services.keys.root
    return {"origin": services.keys.origin, "root": root.public.hex(), "root_digest": root.keyid, "steps": STEPS}
