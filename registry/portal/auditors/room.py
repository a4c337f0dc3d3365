"""The auditors' room: its words and templates, and who may enter."""

from __future__ import annotations

from typing import Final

from registry.portal.auditors.words import WORDS
from registry.portal.frame.pages import Room
from registry.portal.frame.people import people

ROOM: Final = Room("auditors", WORDS)
AUDITORS: Final = people("aud")
A_PAGE: Final = 50
