"""Disputes: one statement a step, each signed by whoever takes it; the decision is the registry's (semantics 6, 18)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from licet import times
from licet.errors import InputError
from licet.statements.kinds.common import VERSION, RegistryRef

MOST_TEXT: Final = 4000  # characters of what a party says
MOST_EVIDENCE: Final = 20
_REFERENCE: Final = re.compile(r"(wrk|stm|lic|bat|tra|spl|clm)_[0-7][0-9a-hjkmnp-tv-z]{25}|log:[0-9]{1,15}", re.ASCII)

Step = Literal["open", "answer", "withdraw", "decide", "appeal", "accept", "review", "end"]
Position = Literal["concede", "contest"]
Outcome = Literal["upheld", "dismissed"]
OF_OFFICE: Final = frozenset({"decide", "review", "end"})  # signed by the registry, for its operator
_WITH_OUTCOME: Final = OF_OFFICE | {"accept"}


class DisputeStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="dispute-step"):
    """One step of ``dispute``. Whoever opens it says what it is about: a work (``wrk_…``) of somebody else's that is
    hers, or a charge (``tra_…``) that was wrong; every other step names the SHA-256 of that payload as ``document``.

    ``account`` took the step; it signed, but for ``decide``, ``review`` and ``end``, which the registry signs for its
    operator (``genesis`` is null). ``answer`` has a ``position``. ``decide`` has an ``outcome`` and says until when
    whoever lost can ``appeal`` (``appeal_until``; without it, it ended the dispute at once). What ends the dispute then
    says its outcome again: whoever lost accepts it (``accept``), another operator has reviewed it, or nobody appealed
    (``end``, for the operator who decided). ``evidence`` are works, statements, licences, batches, transfers, splits,
    claims, or entries of the log (``log:123``), each once, sorted.
    """

    registry: RegistryRef
    dispute: str
    step: Step
    subject: str
    document: str | None
    account: str
    genesis: str | None
    position: Position | None
    outcome: Outcome | None
    text: str
    evidence: list[str]
    issued_at: str
    nonce: str
    appeal_until: str | msgspec.UnsetType = msgspec.UNSET
    v: int = VERSION

    def __post_init__(self) -> None:
        wrong = wrong_words(self.text, self.evidence) or self._wrong_step()
        if wrong is not None:
            raise ValueError(wrong)

    def _wrong_step(self) -> str | None:
        for field, wanted in (
            ("document", self.step != "open"),
            ("genesis", self.step not in OF_OFFICE),
            ("position", self.step == "answer"),
            ("outcome", self.step in _WITH_OUTCOME),
        ):
            if (getattr(self, field) is not None) != wanted:
                return f"{field}: expected {'one' if wanted else 'none'} in a step that is called {self.step}"
        if self.appeal_until is not msgspec.UNSET:
            if self.step != "decide":
                return f"appeal_until: expected none in a step that is called {self.step}"
            try:
                times.from_text(self.appeal_until, "appeal_until")
            except InputError as error:
                return error.message
        return wrong_subject(self.subject)

    @property
    def ends(self) -> bool:
        """Whether the dispute is over by this step, in its ``outcome`` (null: taken back)."""
        at_once = self.step == "decide" and self.appeal_until is msgspec.UNSET
        return at_once or self.step in ("withdraw", "accept", "review", "end")


def wrong_subject(subject: str) -> str | None:
    """Return what is wrong with what a dispute is about, in words that begin with the field; None if nothing is."""
    if subject.startswith(("wrk_", "tra_")):
        return None
    return f"subject: expected a work, wrk_…, or a charge, tra_…, got {subject!r:.40}"


def wrong_words(text: str, evidence: Sequence[str]) -> str | None:
    """Return what is wrong with what a party says, in words that begin with the field; None if nothing is."""
    if not text.strip() or len(text) > MOST_TEXT:
        return f"text: expected 1 to {MOST_TEXT} characters, got {len(text)}"
    if any(not each.isprintable() and each != "\n" for each in text):
        return "text: expected printable characters and line ends, got others"
    if len(evidence) > MOST_EVIDENCE:
        return f"evidence: expected at most {MOST_EVIDENCE} references, got {len(evidence)}"
    if list(evidence) != sorted(set(evidence)):
        return "evidence: expected each reference once, in rising order, got others"
    for place, each in enumerate(evidence):
        if _REFERENCE.fullmatch(each) is None:
            return f"evidence[{place}]: expected an identifier such as wrk_…, or log:123, got {each!r:.40}"
    return None
