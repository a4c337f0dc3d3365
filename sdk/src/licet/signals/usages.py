"""What the values of ``Content-Usage`` and ``Content-Signal`` mean, wherever they stand: in a header or robots.txt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from licet.errors import MalformedError
from licet.signals.dialects import AIPREF, AIPREF_LABELS, CONTENT_SIGNAL_KEYS, CONTENT_SIGNAL_USE, CONTENT_SIGNALS
from licet.signals.fields import MAX_FIELD, dictionary
from licet.signals.types import Carrier, Signal


def content_usage(values: Sequence[str], carrier: Carrier, place: str) -> Iterator[Signal]:
    """Yield what the lines of one ``Content-Usage`` say.

    Unknown labels and values say nothing, as the draft has it. What does not parse sets no use, and is for somebody to
    look at; so is a denial that a later one of the same label takes back.
    """
    said = ", ".join(values)
    try:
        members, repeated = dictionary(said.encode("latin-1", "replace"))
    except MalformedError:
        yield AIPREF.unreadable(carrier, place, said)
        return
    for label, token in AIPREF_LABELS.items():
        answer = _answer(members.get(label))
        if answer == "n":
            yield AIPREF.signal(carrier, place, f"{label}=n", token.denied(), "denied")
        elif answer == "y" and token.allows:
            yield AIPREF.signal(carrier, place, f"{label}=y", token.allowed(), "allowed")
        if answer != "n" and any(_answer(each) == "n" for each in repeated.get(label, ())):
            yield AIPREF.signal(carrier, place, said, token.doubtful(), "contradictory")


def content_signal(values: Sequence[str], carrier: Carrier, place: str) -> Iterator[Signal]:
    """Yield what the lines of one ``Content-Signal`` say; of contradictory ones, each says its own."""
    said = ", ".join(values)
    if len(said) > MAX_FIELD:
        yield CONTENT_SIGNALS.unreadable(carrier, place, said, "too-long")
        return
    for item in said.split(","):
        key, _, answer = (part.strip().lower() for part in item.partition("="))
        token = CONTENT_SIGNAL_KEYS.get(key)
        shown = f"{key}={answer}"
        if key == "use" and answer not in ("full", ""):
            yield CONTENT_SIGNALS.signal(carrier, place, shown, CONTENT_SIGNAL_USE.doubtful(), "limited")
        if token is None:
            continue
        if answer == "no":
            yield CONTENT_SIGNALS.signal(carrier, place, shown, token.denied(), "denied")
        elif answer == "yes":
            yield CONTENT_SIGNALS.signal(carrier, place, shown, token.allowed(), "allowed")
        else:
            yield CONTENT_SIGNALS.signal(carrier, place, shown, token.doubtful(), "unknown-value")


def _answer(value: Any) -> str | None:
    """Return ``y`` or ``n`` where ``value`` is that token: a text or a number that looks like it is none."""
    from http_sf import Token

    return str(value) if isinstance(value, Token) and str(value) in ("y", "n") else None
