"""What erasure makes of every table of the schema; a new table has to be decided on here, and a test walks the schema.

``goes``: rows of the account are removed, at once or when limitation ends. ``bare``: rows stay, without what names or
shows anybody. ``stays``: rows are not touched, for the reason that is given.
"""

from __future__ import annotations

from typing import Final, Literal

Fate = Literal["goes", "bare", "stays"]
_LOG: Final = "commitments: nothing can be read from them once the salt is gone"
_BOOKS: Final = "books are kept: identifiers and amounts"
_OTHERS: Final = "others go by it: identifiers, models, amounts"
_OTHERS_SHARE: Final = "co-owners are paid by it: identifiers, digests and shares"
_OURS: Final = "the service's own bookkeeping, of no account"

FATES: Final[dict[str, tuple[Fate, str]]] = {
    "account_events": ("goes", "what the account was told"),
    "account_keys": ("goes", "unless a restricted statement needs them, until limitation ends"),
    "account_levels": ("bare", "the level stays, so that no conflict is decided anew; what it was proven by goes"),
    "accounts": ("bare", "identifier, genesis digest and level are pseudonyms; the name goes"),
    "audit_scopes": ("stays", "which account an auditor may see: identifiers"),
    "archive_aside": ("stays", _OURS),
    "archive_mark": ("stays", _OURS),
    "log_restored": ("stays", _OURS),
    "awaited_words": ("goes", "nobody waits for its word any more"),
    "bank_entries": ("stays", "books are kept: what the bank booked, with the payer's name, until limitation ends"),
    "bank_statements": ("stays", _OURS),
    "catalogues": ("goes", "the deny for each work takes its place"),
    "challenges": ("goes", "also by itself, after five minutes"),
    "co_owner_states": ("bare", "a deny without a name on works of others that it restricted, or nothing"),
    "contested_charges": ("stays", _BOOKS),
    "consent_heads": ("goes", "nothing follows"),
    "consent_version": ("stays", _OURS),
    "datasets": ("stays", "others go by it: what an organisation called it, digests, counts"),
    "derivative_segments": ("stays", "names of files, which are written anew within a day"),
    "entries": ("stays", _BOOKS),
    "erasures": ("stays", "what was erased, in figures"),
    "escrow_ends": ("stays", _BOOKS),
    "features": ("goes", "what parts of pictures are found by"),
    "idempotency": ("goes", "answers to its requests; answers to others that name its works go within a day"),
    "invoice_lines": ("stays", _BOOKS),
    "invoice_payments": ("stays", _BOOKS),
    "invoices": ("stays", _BOOKS),
    "key_statements": ("goes", "as keys do"),
    "ledger_accounts": ("stays", _BOOKS),
    "licence_works": ("stays", _OTHERS),
    "licences": ("stays", _OTHERS),
    "log_entries": ("stays", _LOG),
    "log_head": ("stays", _LOG),
    "log_pending": ("bare", "envelope and salt go, at once or when limitation ends"),
    "log_queue": ("stays", _LOG),
    "log_tiles": ("stays", _LOG),
    "model_cards": ("stays", "others go by it: digests, how far a version is; its words go with the statement"),
    "model_versions": ("stays", "as runs do"),
    "models": ("stays", "as runs do"),
    "period_balances": ("stays", _BOOKS),
    "period_lines": ("stays", _BOOKS),
    "period_trees": ("stays", _BOOKS),
    "periods": ("stays", _OURS),
    "payouts": ("goes", "where it was paid: name and account number"),
    "quotas": ("stays", "a count under the account's identifier, gone with its window"),
    "quotes": ("goes", "its offers, and those that name it"),
    "domain_claims": ("goes", "domains that it claimed"),
    "recovery_codes": ("goes", "digests"),
    "remittance_lines": ("stays", _BOOKS),
    "remittances": ("stays", _BOOKS),
    "removed_features": ("stays", "random names, until the segments are written without them"),
    "removed_works": ("stays", "identifiers, for the next snapshot"),
    "resolutions": ("stays", _BOOKS),
    "restricted_statements": ("goes", "when limitation ends"),
    "runs": ("stays", "others go by it: what an organisation called run and model"),
    "schema_migrations": ("stays", _OURS),
    "sessions": ("goes", "digests"),
    "snapshot_segments": ("stays", "the files are written anew within a day"),
    "snapshots": ("stays", "manifests name files, not accounts"),
    "split_answers": ("stays", _OTHERS_SHARE),
    "split_parties": ("stays", _OTHERS_SHARE),
    "split_works": ("stays", _OTHERS_SHARE),
    "splits": ("stays", _OTHERS_SHARE),
    "statement_works": ("goes", "but for what is restricted, until limitation ends"),
    "statements": ("goes", "but for what is restricted, until limitation ends"),
    "terms": ("goes", "where they name somebody and nobody else's are the same; licensed ones when limitation ends"),
    "thumbnails": ("goes", "small pictures"),
    "tokens": ("goes", "digests"),
    "transfers": ("stays", _BOOKS),
    "uploads": ("goes", "fingerprints"),
    "usage_batches": ("stays", _OTHERS),
    "usage_events": ("stays", _OTHERS),
    "usage_repeats": ("stays", _OTHERS),
    "work_matches": ("stays", "pairs of identifiers, with a deny alone"),
    "work_states": ("bare", "a deny without a name, or nothing"),
    "work_versions": ("goes", "but for works that others rely on, until limitation ends"),
    "works": ("bare", "what finds them, with a deny alone; words go, addresses too or when limitation ends"),
}
