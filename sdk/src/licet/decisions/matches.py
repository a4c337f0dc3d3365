"""What the kind of a match may do (semantics 5, 14): any match may restrict, only a firm one may license or allow."""

from __future__ import annotations

from typing import Final

from licet.decisions.verdicts import Decision
from licet.terms.prices import UNPAID

MATCH_KINDS: Final = ("exact", "near", "derivative")
KEY_KINDS: Final = ("file", "pixels", "url", "pdq", "site", "iscc-instance", "iscc-content", "parts")
EARNING_QUALITY: Final = 50
"""The least PDQ quality at which a near match may earn."""


def for_match(
    decision: Decision,
    *,
    kind: str,
    key: str,
    fingerprint_only: bool,
    signed: bool,
    quality: int | None,
    short: bool = False,
) -> Decision:
    """Return what ``decision`` about a work comes to for a row that matches it in this way; never looser.

    A match by URL or site alone, a work of which the service saw only a fingerprint, and a key under no signed digest
    may deny but neither license nor allow: those read as ``review``, reason ``url-only``, ``fingerprint-only`` or
    ``unsigned-key``. So does one by ISCC content code, ``content-only``: of 64 bits, ten may differ; and one by a
    ``short`` instance code, ``short-code``: whoever makes both files finds two with the same 64 bits. A near match of
    ``quality`` below 50 (or unknown) earns nothing: ``review``, ``quality``.
    A derivative match is at least ``review``, ``derivative``. Kind and key are of ``MATCH_KINDS`` and ``KEY_KINDS``.
    """
    permits = decision.verdict in ("license", "allow") or decision.reason == "claim-level"
    if permits and key in _PLACES:
        return _review(decision, "url-only")
    if permits and key == "iscc-content":
        return _review(decision, "content-only")
    if permits and short:
        return _review(decision, "short-code")
    if permits and fingerprint_only:
        return _review(decision, "fingerprint-only")
    if permits and not signed:
        return _review(decision, "unsigned-key")
    if decision.code < _REVIEW and kind == "derivative":
        return _review(decision, "derivative")
    earns = decision.verdict == "license" and decision.price is not None and decision.price.model not in UNPAID
    if earns and kind == "near" and (quality is None or quality < EARNING_QUALITY):
        return _review(decision, "quality")
    return decision


_PLACES: Final = frozenset({"url", "site"})
_REVIEW: Final = Decision("review", "").code


def _review(decision: Decision, reason: str) -> Decision:
    return Decision("review", reason, decision.atom)
