"""The artists' room: its words and templates, and who may enter."""

from __future__ import annotations

from typing import Final

from registry.portal.artists.words import WORDS
from registry.portal.frame.pages import Room
from registry.portal.frame.people import people

ROOM: Final = Room("artists", WORDS)
ARTISTS: Final = people("art")
EVERYBODY: Final = people()
READERS: Final = people("art", "org", "aud", "opr")  # auditors read, operators are led on
OWNERS: Final = people("art", "org")  # whose keys the log has
