"""One pure decision from terms, state and request, and the rows that record it."""

from __future__ import annotations

from licet.decisions.deciding import TRUSTED_LEVEL, State, charge, decide
from licet.decisions.matches import EARNING_QUALITY, KEY_KINDS, MATCH_KINDS, for_match
from licet.decisions.requests import Request
from licet.decisions.verdicts import CODES, NO_MATCH, NOT_EXAMINED, VERDICTS, Charge, Decision, strictest

__all__ = [
    "CODES",
    "EARNING_QUALITY",
    "KEY_KINDS",
    "MATCH_KINDS",
    "NOT_EXAMINED",
    "NO_MATCH",
    "TRUSTED_LEVEL",
    "VERDICTS",
    "Charge",
    "Decision",
    "Request",
    "State",
    "charge",
    "decide",
    "for_match",
    "strictest",
]
