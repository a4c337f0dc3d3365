"""From an artist's terms to every dialect: pure functions, each the mirror of a reader.

``write(dialect, subject)`` returns the document and what is read out of it; ``Written.losses`` says where that is not
what was signed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from licet.errors import InputError
from licet.signals.writers import assertions, lines, pages, policies
from licet.signals.writers.rsl import rsl
from licet.signals.writers.written import Loss, Subject, Written, as_json, signed
from licet.signals.writers.xmp import xmp


def _json(subject: Subject) -> Written:
    """Return the terms themselves, which lose nothing."""
    terms = subject.terms
    document: dict[str, Any] = {"vocab": terms.vocab, "terms": terms.to_json(), "terms_hash": terms.hash}
    if subject.unsaid:  # denied in the terms only because nothing may be permitted yet
        document["unsaid"] = sorted(subject.unsaid)
    return Written("json", "terms.json", policies.JSON, as_json(document), signed(terms))


DIALECTS: Final[Mapping[str, Callable[[Subject], Written]]] = MappingProxyType(
    {
        "rsl": rsl,
        "tdmrep": policies.tdmrep_policy,
        "tdmrep.json": policies.tdmrep_file,
        "aipref": lines.aipref,
        "content-signal": lines.content_signals,
        "robots": lines.robots,
        "headers": lines.headers,
        "ai.txt": lines.ai_txt,
        "cawg": assertions.cawg,
        "tdmai": assertions.tdmai,
        "xmp": xmp,
        "odrl": policies.odrl,
        "croissant": policies.croissant,
        "html": pages.html,
        "page": pages.page,
        "json": _json,
    }
)
#: What needs more than terms: TDM·AI declares of an ISCC.
NEEDS_ISCC: Final = frozenset({"tdmai"})


def write(dialect: str, subject: Subject) -> Written:
    """Return ``subject`` in ``dialect``; raises ``InputError`` for one that is not known, or that needs more."""
    writer = DIALECTS.get(dialect)
    if writer is None:
        raise InputError.field("dialect", f"one of {', '.join(DIALECTS)}", dialect)
    return writer(subject)


__all__ = ["DIALECTS", "NEEDS_ISCC", "Loss", "Subject", "Written", "write"]
