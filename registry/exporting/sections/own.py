"""Of an account itself: who it is, its keys, what it signed, its works."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from registry.exporting import queries
from registry.exporting.sections.forms import Section, by, column

OWN: Final[tuple[Section, ...]] = (
    Section("account", "who the account is", queries.ACCOUNT, by(column("id", UUID)), ("accounts",)),
    Section(
        "levels",
        "claim levels, and what they were proven by",
        queries.LEVELS,
        by(column("l.pending", int)),
        ("account_levels",),
    ),
    Section(
        "domains",
        "domains that it claims, and what the last look found",
        queries.DOMAINS,
        by(column("domain", str)),
        ("domain_claims",),
    ),
    Section("keys", "its keys", queries.KEYS, by(column("k.pending", int)), ("account_keys",)),
    Section(
        "key_statements",
        "what was stated of its keys",
        queries.KEY_STATEMENTS,
        by(column("id", UUID, "statement")),
        ("key_statements",),
    ),
    Section(
        "signed",
        "every statement in the log that is the account's, with salt, entry, proof and the keys behind it: what `licet "
        "statement verify` takes",
        queries.SIGNED,
        by(column("p.id", int)),
        ("log_pending", "log_entries"),
        20,
        "json",
    ),
    Section(
        "statements",
        "the list of consents and their like",
        queries.STATEMENTS,
        by(column("s.id", UUID, "statement")),
        ("statements",),
    ),
    Section(
        "statement_works",
        "the works that each of them covers",
        queries.STATEMENT_WORKS,
        by(column("c.statement", UUID), column("c.work", UUID)),
        ("statement_works",),
        5000,
    ),
    Section(
        "catalogue",
        "what is stated of the whole catalogue",
        queries.CATALOGUE,
        by(column("account", UUID)),
        ("catalogues",),
    ),
    Section("head", "the last consent", queries.HEAD, by(column("account", UUID)), ("consent_heads",)),
    Section("terms", "the terms that are named elsewhere", queries.TERMS, by(column("t.hash", bytes)), ("terms",)),
    Section("works", "the works", queries.WORKS, by(column("id", UUID, "work")), ("works",)),
    Section(
        "work_versions",
        "what they were matched by before an update",
        queries.VERSIONS,
        by(column("v.work", UUID), column("v.ended_by", int)),
        ("work_versions",),
    ),
    Section("states", "what is in force on them", queries.STATES, by(column("work", UUID)), ("work_states",)),
    Section(
        "shared_states",
        "what it says of works of others that it has a share in",
        queries.SHARED_STATES,
        by(column("work", UUID)),
        ("co_owner_states",),
    ),
    Section(
        "alike",
        "how many works of others resemble them",
        queries.MATCHES,
        by(column("work", UUID)),
        ("work_matches",),
    ),
    Section(
        "thumbnails",
        "the small pictures of those that were sent, by SHA-256 of the file",
        queries.THUMBNAILS,
        by(column("sha256", bytes)),
        ("thumbnails",),
        10,
        "webp",
    ),
    Section(
        "features",
        "what the parts of pictures are found by, by SHA-256 of the file",
        queries.FEATURES,
        by(column("sha256", bytes)),
        ("features",),
        100,
    ),
    Section(
        "uploads",
        "fingerprints of pictures sent that are no works yet; the pictures are not kept",
        queries.UPLOADS,
        by(column("sha256", bytes)),
        ("uploads",),
    ),
)
