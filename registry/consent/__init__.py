"""Consent: signed statements, what is in force for every work, and the version that readers compare."""

from __future__ import annotations

from registry.accounts import levels
from registry.consent.conflicts import domains_changed, level_changed
from registry.consent.records import (
    all_records,
    changed_count,
    changed_since,
    changes,
    current,
    frozen_works,
    head,
    lock_heads_shared,
    rivals,
    signed,
    stand_still,
    unlogged,
    version,
)
from registry.consent.service import cover
from registry.services import Services
from registry.works.above import ABOVE


def connect(services: Services) -> None:
    """Let the domains below know what consent does when a level or a registration changes; again has no effect."""
    services.consent_head = head
    services.frozen_works = frozen_works
    if level_changed not in levels.on_level_change:
        levels.on_level_change.append(level_changed)
    if domains_changed not in levels.on_domain_change:
        levels.on_domain_change.append(domains_changed)
    ABOVE.registered = cover
    ABOVE.signed = signed


__all__ = [
    "all_records",
    "changed_count",
    "changed_since",
    "changes",
    "connect",
    "current",
    "frozen_works",
    "head",
    "lock_heads_shared",
    "rivals",
    "stand_still",
    "unlogged",
    "version",
]
