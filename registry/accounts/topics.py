"""What alerts are about: each kind of event belongs to one topic, and every topic but security can be switched off.

A kind that no other topic names is about security: what nobody thought of is shown, and so is `domain-shared`, that
another account has proven one's own domain.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

SECURITY: Final = "security"
_KINDS: Final = {
    "uses": ("licence-granted", "licence-revoked", "duty-done"),
    "money": ("earned", "month-closed", "invoice", "credit-note", "revenue-missing"),
    "payouts": ("remittance",),
    "matches": ("contested", "contest-ended"),
    "claims": (
        "challenge-opened", "challenge-lapsed", "claim-level", "domain-proven", "domain-failing", "domain-lapsed",
        "domain-restored",
    ),
    "terms": ("terms-changed",),
    "requests": (
        "licence-requested", "licence-request-withdrawn", "licence-offered", "licence-offer-withdrawn",
        "licence-refused", "licence-declined", "split-proposed", "split-agreed", "split-declined",
    ),
    "disputes": (
        "dispute-opened", "dispute-answered", "dispute-withdrawn", "dispute-decided", "dispute-appealed",
        "dispute-accepted", "dispute-reviewed", "dispute-ended", "audit-finding",
    ),
}  # fmt: skip
_TOPIC_OF: Final = {kind: topic for topic, kinds in _KINDS.items() for kind in kinds}
#: Every topic that can be switched off, in the order in which pages name them.
OPTIONAL: Final = tuple(_KINDS)
TOPICS: Final = (*OPTIONAL, SECURITY)


def topic_of(kind: str) -> str:
    """Return what an event of ``kind`` is about."""
    return _TOPIC_OF.get(kind, SECURITY)


def kinds_of(topics: Iterable[str]) -> list[str]:
    """Return the kinds of events of ``topics``, none of which is security."""
    return [kind for topic in topics for kind in _KINDS[topic]]
