"""What accounts are told of disputes: sentences in their lists of events, which pages put into their readers' words."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from licet import times

_HELD: Final = {True: "until it is over nothing of it is paid", False: "without effect until it is over"}
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


def decided(dispute: str, outcome: str, appeal_until: datetime) -> str:
    """Return what both parties read of a decision."""
    return f"{dispute} {_OUTCOME[outcome]}; whoever lost can appeal until {times.to_text(appeal_until)[:16]} UTC"


def lengthened(dispute: str, outcome: str, appeal_until: datetime) -> str:
    """Return what both parties read where the service was off while a decision could be appealed."""
    until = times.to_text(appeal_until)[:16]
    return f"{dispute} {_OUTCOME[outcome]}; the service was off meanwhile: whoever lost can appeal until {until} UTC"


def appealed(who: str, dispute: str, review_until: datetime) -> str:
    """Return what whoever a decision was for reads when it is appealed."""
    until = times.to_text(review_until)[:10]
    return f"{who} appealed the decision on {dispute}: somebody else looks at it again, by {until}"


def accepted(who: str, dispute: str) -> str:
    """Return what whoever a decision was for reads when the other party accepts it."""
    return f"{who} accepted the decision on {dispute}: it is over"


def reviewed(dispute: str, outcome: str, *, stands: bool) -> str:
    """Return what both parties read once another operator has reviewed a decision."""
    found = "the decision stands" if stands else "the decision was changed"
    return f"{dispute} was looked at again, and {found}: it {_OUTCOME[outcome]}"


def unappealed(dispute: str, outcome: str) -> str:
    """Return what both parties read once nobody can appeal any more."""
    return f"{dispute} is over, nobody appealed: it {_OUTCOME[outcome]}"


def withdrawn(who: str, dispute: str) -> str:
    """Return what the other party reads when a dispute is taken back."""
    return f"{who} took {dispute} back"
