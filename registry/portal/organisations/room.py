"""The organisations' room: its words and templates, and who may enter."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.pages import Room
from registry.portal.frame.people import people
from registry.portal.organisations.words import WORDS

ROOM: Final = Room("organisations", WORDS)
TEAMS: Final = people("org")
CURRENCIES: Final = ("USD", "EUR", "CNY", "GBP", "JPY")
A_PAGE: Final = 50
MOST_WORKS: Final = 100  # that a page shows; all of them are in the file
