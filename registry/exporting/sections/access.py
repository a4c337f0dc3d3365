"""Of how an account is reached and gets in: alerts, invitations, tokens, sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from registry.exporting import queries
from registry.exporting.sections.forms import Section, by, column

ACCESS: Final[tuple[Section, ...]] = (
    Section(
        "alerts_off",
        "what it does not want to be alerted of",
        queries.ALERTS_OFF,
        by(column("topic", str)),
        ("alerts_off",),
    ),
    Section("events", "what it was told", queries.EVENTS, by(column("id", UUID, "event")), ("account_events",)),
    Section(
        "invitations",
        "whom it invited to sign for it, not the secrets of the links, and the keys that asked",
        queries.INVITATIONS,
        by(column("id", UUID, "invitation")),
        ("member_invitations",),
    ),
    Section("tokens", "its tokens, not their secrets", queries.TOKENS, by(column("id", UUID, "token")), ("tokens",)),
    Section("sessions", "its browsers' sessions", queries.SESSIONS, by(column("id", UUID)), ("sessions",)),
    Section(
        "recovery_codes",
        "how many recovery codes there are, not the codes",
        queries.RECOVERY_CODES,
        by(column("issued_at", datetime)),
        ("recovery_codes",),
    ),
)
