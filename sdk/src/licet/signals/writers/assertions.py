"""Statements bound to the work itself: CAWG's training and data mining assertion, and TDM·AI declarations."""

from __future__ import annotations

from typing import Any, Final

from licet.errors import InputError
from licet.signals.dialects import CAWG_KEYS, TDMAI, TDMAI_APART, TDMAI_NESTED, Token
from licet.signals.strictness import UNSET
from licet.signals.writers.policies import JSON
from licet.signals.writers.written import Subject, Written, as_json, nearest
from licet.terms import plain_text

LABEL: Final = "cawg.training-mining"
_USES: Final = (None, "notAllowed", "constrained", "allowed")


def cawg(subject: Subject) -> Written:
    """Return the data of the assertion ``cawg.training-mining``, to be signed into a manifest of the file.

    What is on offer is ``constrained``, with the address of the terms; with their words where they lie nowhere.
    """
    entries: dict[str, dict[str, str]] = {}
    said = UNSET
    for name, token in CAWG_KEYS.items():
        options = (UNSET, token.denied(), token.licensed(), token.allowed())
        (chosen,) = nearest([options], subject)
        use = _USES[chosen]
        if use is None:
            continue
        said |= options[chosen]
        entries[f"cawg.{name}"] = {"use": use}
        if use == "constrained":
            entries[f"cawg.{name}"]["constraint_info"] = subject.address or plain_text(
                subject.terms, "en", unsaid=subject.unsaid
            )
    return Written("cawg", "cawg.json", JSON, as_json({"entries": entries}), said)


def tdmai(subject: Subject) -> Written:
    """Return a TDM·AI declaration; raises ``InputError`` for a work without an ISCC, to which it is bound."""
    if not subject.iscc:
        raise InputError.field("iscc", "the ISCC of the work, which TDM·AI binds its declarations to", "none")
    document: dict[str, Any] = {"version": TDMAI.version, "iscc": subject.iscc, "intent": "activate"}
    said = UNSET
    for name, uses in {**TDMAI_NESTED, **TDMAI_APART}.items():
        token = Token(uses, uses)
        options = (UNSET, token.allowed(), token.denied())
        (chosen,) = nearest([options], subject)
        # All of the nested ones are said: one that is not takes the answer of the wider one.
        answer = chosen or (2 if name in TDMAI_NESTED else 0)
        if answer:
            document[name] = "true" if answer == 1 else "false"
            said |= options[answer]
    if subject.address:
        document["policy"] = subject.address
    return Written("tdmai", "tdmai.json", JSON, as_json(document), said)
