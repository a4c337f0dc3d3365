"""Of which tables nothing is exported, and why; what columns hold that do not say it themselves."""

from __future__ import annotations

from typing import Final

_LOG: Final = "the log's own: commitments, nothing can be read from them"
_ERASED: Final = "of erased accounts, which can ask for nothing"
_DERIVED: Final = "made from what is told elsewhere, and public"
_OURS: Final = "the service's own bookkeeping, of no account"
#: Tables of which nothing is exported, and why.
LEFT_OUT: Final[dict[str, str]] = {
    "archive_aside": _OURS,
    "archive_mark": _OURS,
    "audit_scopes": "what auditors may see, which is between them and the registry",
    "staff_invitations": "of auditors and operators, who have no such export",
    "staff_passkeys": "of auditors and operators, who have no such export",
    "awaited_words": "whose word a shared work waits for after a loss; the account is told how many",
    "log_restored": _OURS,
    "bank_statements": "the bank's statements of the registry's own accounts",
    "challenges": "random numbers that a passkey has to answer, gone after five minutes",
    "consent_version": _OURS,
    "contested_charges": "the office's: what became of a charge is in the ledger",
    "derivative_segments": _OURS,
    "erasures": _ERASED,
    "escrow_ends": "what became of escrow is in the ledger",
    "escrow_parts": "what became of escrow is in the ledger",
    "escrow_works": "what works have of a charge is told with what it comes to",
    "idempotency": "copies of answers that the account was given in the last day",
    "log_head": _LOG,
    "log_queue": _LOG,
    "log_tiles": _LOG,
    "period_balances": "made from the ledger, account by account, when a month closes",
    "period_trees": _DERIVED,
    "periods": "months that are closed, and what salts their lines",
    "quotas": "how much of a quota is used up in the present window",
    "removed_features": _ERASED,
    "removed_works": _ERASED,
    "resolutions": "which transfers posted or voided which pending ones; the transfers are told",
    "restricted_statements": _ERASED,
    "schema_migrations": _OURS,
    "snapshot_segments": _DERIVED,
    "snapshots": _DERIVED,
}
#: What a UUID of a column is.
KINDS: Final[dict[str, str]] = {
    "work": "wrk",
    "statement": "stm",
    "waiting": "stm",
    "licence": "lic",
    "quote": "quo",
    "dataset": "dst",
    "run": "run",
    "batch": "bat",
    "transfer": "tra",
    "token": "tok",
    "event": "evt",
    "invitation": "ivt",
    "split": "spl",
    "request": "ask",
    "dispute": "dsp",
    "model": "mdl",
    "card": "crd",
    "invoice": "inv",
    "credit": "inv",
    "payment": "pay",
    "remittance": "rem",
    "returns": "pay",
}
#: Columns that hold JSON already.
JSON: Final = frozenset({"encoded", "fingerprint", "body", "counts", "totals", "keys", "about", "prices", "agreed"})
#: Columns that are read for the key alone.
UNTOLD: Final = frozenset({"account", "ledger_account", "pending", "decided_by", "ended_by"})
