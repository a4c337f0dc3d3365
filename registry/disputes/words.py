"""What accounts are told of disputes: sentences in their lists of events, which pages put into their readers' words."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from licet import times

_HELD: Final = {True: "until it is decided nothing of it is paid", False: "without effect until it is decided"}
_POSITION: Final = {"concede": "agrees with it", "contest": "objects to it"}
_OUTCOME: Final = {
    "upheld": "was decided for whoever opened it",
    "dismissed": "was decided against whoever opened it",
}


def opened(who: str, dispute: str, subject: str, answer_until: datetime, *, holds: bool) -> str:
    """Return what the other party reads when a dispute is opened."""
    until = times.to_text(answer_until)[:10]
    return f"{who} disputes {subject} ({dispute}): {_HELD[holds]}; you can answer until {until}"


def answered(who: str, dispute: str, position: str) -> str:
    """Return what whoever opened a dispute reads when it is answered."""
    return f"{who} {_POSITION[position]}: {dispute}"


def decided(dispute: str, outcome: str) -> str:
    """Return what both parties read of a decision."""
    return f"{dispute} {_OUTCOME[outcome]}"


def withdrawn(who: str, dispute: str) -> str:
    """Return what the other party reads when a dispute is taken back."""
    return f"{who} took {dispute} back"
