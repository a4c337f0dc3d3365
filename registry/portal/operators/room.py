"""The operators' room: its words and templates, and who may enter."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.pages import Room
from registry.portal.frame.people import people
from registry.portal.operators.words import WORDS

ROOM: Final = Room("operators", WORDS)
OPERATORS: Final = people("opr")
