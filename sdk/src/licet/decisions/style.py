"""Style by concentration (semantics 15): a dataset that is largely one artist's trains towards her style.

Counted once per job, before the quote: whoever owns more than 20 % of the rows that would be used, with at least 20
works, is asked for ``finetune-style`` as well; without it her rows are ``review``, reason ``style``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from licet.decisions.deciding import State, decide
from licet.decisions.requests import Request
from licet.decisions.verdicts import Decision
from licet.terms.atoms import TRAINING
from licet.terms.document import Terms

STYLE: Final = "finetune-style"
SHARE_PERCENT: Final = 20
LEAST_WORKS: Final = 20


class Held(msgspec.Struct, frozen=True):
    """One account's part of a dataset: rows that would be used, and the distinct works that they show."""

    rows: int
    works: int


def applies(request: Request) -> bool:
    """Whether ``request`` trains without having asked for ``finetune-style`` already."""
    return bool(TRAINING & set(request.uses)) and STYLE not in request.uses


def concentrated(held: Mapping[str, Held], used: int) -> frozenset[str]:
    """Return the accounts in ``held`` that exceed 20 % of ``used`` rows and have at least 20 works among them.

    ``used`` counts the rows that are ``allow``, ``license`` or kept ``unknown`` before this rule, matched or not.
    """
    return frozenset(
        account
        for account, part in held.items()
        if part.works >= LEAST_WORKS and part.rows * 100 > used * SHARE_PERCENT
    )


def with_style(decision: Decision, terms: Terms, state: State, request: Request) -> Decision:
    """Return what ``decide(terms, state, request)`` comes to for an account that is concentrated; never looser.

    Where ``finetune-style`` is offered too, both uses are decided together (the dearer price); where it is not, the
    row is ``review``, ``style``. A held licence counts only for what it was granted for, so it does not stand in for
    the style. Applied before `for_match`.
    """
    if not applies(request) or decision.verdict in ("deny", "review"):
        return decision
    style = msgspec.structs.replace(request, uses=(STYLE,))
    if decide(terms, msgspec.structs.replace(state, licences=frozenset()), style).verdict in ("deny", "review"):
        return Decision("review", "style", STYLE)
    if decision.licence is not None:
        return decision
    return decide(terms, state, msgspec.structs.replace(request, uses=(*request.uses, STYLE)))
