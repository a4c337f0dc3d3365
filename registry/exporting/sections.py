"""What an export holds, section by section, and what becomes of every table of the schema: told, or why not.

A new table has to be decided on here: a test walks the schema.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, NamedTuple
from uuid import UUID

from registry.exporting import queries

Form = Literal["jsonl", "json", "webp"]


class Column(NamedTuple):
    """One column of a section's key: how the statement names it, what its rows call it, its type."""

    expression: str
    name: str
    type: type


class Section(NamedTuple):
    """One section: a statement read in the order of ``key``, at most ``at_once`` rows in a file."""

    name: str
    says: str
    statement: str
    key: tuple[Column, ...]
    tables: tuple[str, ...]
    at_once: int = 1000
    form: Form = "jsonl"
    of: Literal["account", "ledger"] = "account"  # what the statement is held to


def _column(expression: str, kind: type, name: str | None = None) -> Column:
    return Column(expression, name or expression.rpartition(".")[2], kind)


def _by(*columns: Column) -> tuple[Column, ...]:
    return columns


SECTIONS: Final[tuple[Section, ...]] = (
    Section("account", "who the account is", queries.ACCOUNT, _by(_column("id", UUID)), ("accounts",)),
    Section(
        "levels",
        "claim levels, and what they were proven by",
        queries.LEVELS,
        _by(_column("l.pending", int)),
        ("account_levels",),
    ),
    Section(
        "domains",
        "domains that it claims, and what the last look found",
        queries.DOMAINS,
        _by(_column("domain", str)),
        ("domain_claims",),
    ),
    Section("keys", "its keys", queries.KEYS, _by(_column("k.pending", int)), ("account_keys",)),
    Section(
        "key_statements",
        "what was stated of its keys",
        queries.KEY_STATEMENTS,
        _by(_column("id", UUID, "statement")),
        ("key_statements",),
    ),
    Section(
        "signed",
        "every statement in the log that is the account's, with salt, entry, proof and the keys behind it: what `licet "
        "statement verify` takes",
        queries.SIGNED,
        _by(_column("p.id", int)),
        ("log_pending", "log_entries"),
        20,
        "json",
    ),
    Section(
        "statements",
        "the list of consents and their like",
        queries.STATEMENTS,
        _by(_column("s.id", UUID, "statement")),
        ("statements",),
    ),
    Section(
        "statement_works",
        "the works that each of them covers",
        queries.STATEMENT_WORKS,
        _by(_column("c.statement", UUID), _column("c.work", UUID)),
        ("statement_works",),
        5000,
    ),
    Section(
        "catalogue",
        "what is stated of the whole catalogue",
        queries.CATALOGUE,
        _by(_column("account", UUID)),
        ("catalogues",),
    ),
    Section("head", "the last consent", queries.HEAD, _by(_column("account", UUID)), ("consent_heads",)),
    Section("terms", "the terms that are named elsewhere", queries.TERMS, _by(_column("t.hash", bytes)), ("terms",)),
    Section("works", "the works", queries.WORKS, _by(_column("id", UUID, "work")), ("works",)),
    Section(
        "work_versions",
        "what they were matched by before an update",
        queries.VERSIONS,
        _by(_column("v.work", UUID), _column("v.ended_by", int)),
        ("work_versions",),
    ),
    Section("states", "what is in force on them", queries.STATES, _by(_column("work", UUID)), ("work_states",)),
    Section(
        "shared_states",
        "what it says of works of others that it has a share in",
        queries.SHARED_STATES,
        _by(_column("work", UUID)),
        ("co_owner_states",),
    ),
    Section(
        "alike",
        "how many works of others resemble them",
        queries.MATCHES,
        _by(_column("work", UUID)),
        ("work_matches",),
    ),
    Section(
        "thumbnails",
        "the small pictures of those that were sent, by SHA-256 of the file",
        queries.THUMBNAILS,
        _by(_column("sha256", bytes)),
        ("thumbnails",),
        10,
        "webp",
    ),
    Section(
        "features",
        "what the parts of pictures are found by, by SHA-256 of the file",
        queries.FEATURES,
        _by(_column("sha256", bytes)),
        ("features",),
        100,
    ),
    Section(
        "uploads",
        "fingerprints of pictures sent that are no works yet; the pictures are not kept",
        queries.UPLOADS,
        _by(_column("sha256", bytes)),
        ("uploads",),
    ),
    Section("quotes", "offers that it asked for", queries.QUOTES, _by(_column("id", UUID, "quote")), ("quotes",), 4),
    Section(
        "licence_tokens",
        "tokens of the Open License Protocol that show a licence to other sites; only their digests are kept",
        queries.LICENCE_TOKENS,
        _by(_column("issued_at", datetime), _column("digest", bytes)),
        ("licence_tokens",),
    ),
    Section("licences", "licences that it holds", queries.LICENCES, _by(_column("id", UUID, "licence")), ("licences",)),
    Section(
        "licensed",
        "the works under them",
        queries.LICENSED,
        _by(_column("w.licence", UUID), _column("w.work", UUID)),
        ("licence_works",),
        5000,
    ),
    Section(
        "sold",
        "its own works under licences of others",
        queries.SOLD,
        _by(_column("w.licence", UUID), _column("w.work", UUID)),
        ("licence_works",),
        5000,
    ),
    Section(
        "licence_requests",
        "licences that it asked for, or was asked for",
        queries.LICENCE_REQUESTS,
        _by(_column("r.id", UUID, "request")),
        ("licence_requests",),
    ),
    Section(
        "licence_request_works",
        "the works that were asked for",
        queries.LICENCE_REQUEST_WORKS,
        _by(_column("k.request", UUID), _column("k.work", UUID)),
        ("licence_request_works",),
        5000,
    ),
    Section(
        "licence_answers",
        "how they were answered",
        queries.LICENCE_ANSWERS,
        _by(_column("n.id", UUID, "statement")),
        ("licence_answers",),
    ),
    Section(
        "licence_replies",
        "requests that were taken back, and offers that were declined",
        queries.LICENCE_REPLIES,
        _by(_column("d.id", UUID, "statement")),
        ("licence_replies",),
    ),
    Section(
        "disputes",
        "disputes that it opened, or is a party to",
        queries.DISPUTES,
        _by(_column("d.id", UUID, "dispute")),
        ("disputes",),
    ),
    Section(
        "dispute_steps",
        "the steps of these",
        queries.DISPUTE_STEPS,
        _by(_column("x.id", UUID, "statement")),
        ("dispute_steps",),
    ),
    Section(
        "agreements",
        "which of its licences are agreements",
        queries.AGREEMENTS,
        _by(_column("g.licence", UUID)),
        ("agreements",),
    ),
    Section(
        "not_yet_computed",
        "months for which closes could not charge them at once, and into which each was posted since",
        queries.NOT_COMPUTED,
        _by(_column("x.licence", UUID), _column("x.period", str)),
        ("allocations_left_out",),
    ),
    Section(
        "revenue_reports",
        "what it reported to be divided under them",
        queries.REVENUE_REPORTS,
        _by(_column("r.id", UUID, "report")),
        ("revenue_reports",),
    ),
    Section(
        "duties",
        "licences that it revoked, or that were revoked for it",
        queries.DUTIES,
        _by(_column("d.id", UUID, "duty")),
        ("duties",),
    ),
    Section(
        "duty_works",
        "the works that were revoked",
        queries.DUTY_WORKS,
        _by(_column("x.duty", UUID), _column("x.work", UUID)),
        ("duty_works",),
        5000,
    ),
    Section(
        "duties_done",
        "what was stated to be done since",
        queries.DUTIES_DONE,
        _by(_column("n.duty", UUID)),
        ("duties_done",),
    ),
    Section(
        "datasets", "datasets that it stated", queries.DATASETS, _by(_column("id", UUID, "dataset")), ("datasets",)
    ),
    Section("runs", "training runs that it stated", queries.RUNS, _by(_column("id", UUID, "run")), ("runs",)),
    Section(
        "run_licences",
        "the licences that they name",
        queries.RUN_LICENCES,
        _by(_column("k.run", UUID), _column("k.licence", UUID)),
        ("run_licences",),
        5000,
    ),
    Section("models", "its models", queries.MODELS, _by(_column("id", UUID, "model")), ("models",)),
    Section(
        "model_versions",
        "their versions, and what is in force of what it said of them",
        queries.MODEL_VERSIONS,
        _by(_column("v.id", UUID, "model_version")),
        ("model_versions",),
    ),
    Section(
        "model_cards",
        "all that it said of them",
        queries.MODEL_CARDS,
        _by(_column("c.id", UUID, "card")),
        ("model_cards",),
    ),
    Section(
        "findings",
        "what auditors found not to hold in its books",
        queries.FINDINGS,
        _by(_column("id", UUID, "finding")),
        ("audit_findings",),
    ),
    Section(
        "batches",
        "batches of use that it reported",
        queries.BATCHES,
        _by(_column("id", UUID, "batch")),
        ("usage_batches",),
    ),
    Section(
        "reported",
        "uses that it reported",
        queries.REPORTED,
        _by(_column("batch", UUID), _column("id", bytes)),
        ("usage_events",),
        5000,
    ),
    Section(
        "accepted",
        "uses that the acceptance of its licences counts",
        queries.ACCEPTED,
        _by(_column("licence", UUID), _column("id", bytes)),
        ("usage_events",),
        5000,
    ),
    Section(
        "repeats",
        "uses that it reported again",
        queries.REPEATS,
        _by(_column("r.batch", UUID), _column("r.event", bytes, "id")),
        ("usage_repeats",),
        5000,
    ),
    Section(
        "used",
        "uses of its own works that were reported, from claim level 2 on",
        queries.USED,
        _by(_column("batch", UUID), _column("id", bytes)),
        ("usage_events",),
        5000,
    ),
    Section(
        "used_accepted",
        "uses of its own works that the acceptance of licences counts, from claim level 2 on",
        queries.USED_ACCEPTED,
        _by(_column("licence", UUID), _column("id", bytes)),
        ("usage_events",),
        5000,
    ),
    Section(
        "splits",
        "splits between co-owners that it has a say in",
        queries.SPLITS,
        _by(_column("s.id", UUID, "split")),
        ("splits",),
    ),
    Section(
        "split_parties",
        "who has which share in them, in basis points",
        queries.SPLIT_PARTIES,
        _by(_column("p.split", UUID), _column("p.account", UUID)),
        ("split_parties",),
        5000,
    ),
    Section(
        "split_works",
        "the works under them",
        queries.SPLIT_WORKS,
        _by(_column("k.split", UUID), _column("k.work", UUID)),
        ("split_works",),
        5000,
    ),
    Section(
        "split_answers",
        "how it answered them",
        queries.SPLIT_ANSWERS,
        _by(_column("n.id", UUID, "statement")),
        ("split_answers",),
    ),
    Section(
        "ledger",
        "what it is owed (payable, escrow) and owes (receivable), in micro-units; debit is positive",
        queries.LEDGER,
        _by(_column("e.transfer", UUID), _column("e.account", int, "ledger_account"), _column("e.currency", str)),
        ("ledger_accounts", "entries", "transfers"),
        of="ledger",
    ),
    Section(
        "invoices",
        "invoices and credit notes to it, in micro-units",
        queries.INVOICES,
        _by(_column("id", UUID, "invoice")),
        ("invoices",),
    ),
    Section(
        "invoiced",
        "the transfers on them",
        queries.INVOICED,
        _by(_column("l.transfer", UUID), _column("l.currency", str)),
        ("invoice_lines",),
        5000,
    ),
    Section(
        "payments",
        "payments of it that the registry's bank booked",
        queries.PAYMENTS,
        _by(_column("id", UUID, "payment")),
        ("bank_entries",),
    ),
    Section(
        "paid",
        "what its invoices were paid with",
        queries.PAID,
        _by(_column("p.id", UUID, "allocation")),
        ("invoice_payments",),
        5000,
    ),
    Section(
        "months",
        "its lines of closed months, in micro-units; `licet balance --period` proves them",
        queries.MONTHS,
        _by(_column("period", str), _column("payee", str), _column("side", str), _column("currency", str)),
        ("period_lines",),
        of="ledger",
    ),
    Section(
        "payouts",
        "where it is paid: of the account number only how it ends, the rest is sealed",
        queries.PAYOUTS,
        _by(_column("id", UUID)),
        ("payouts",),
    ),
    Section(
        "remittances",
        "what it was paid, in micro-units",
        queries.REMITTANCES,
        _by(_column("r.id", UUID, "remittance")),
        ("remittances",),
    ),
    Section(
        "remitted",
        "the transfers that were paid by them",
        queries.REMITTED,
        _by(_column("l.transfer", UUID), _column("l.currency", str)),
        ("remittance_lines",),
        5000,
    ),
    Section(
        "alerts_off",
        "what it does not want to be alerted of",
        queries.ALERTS_OFF,
        _by(_column("topic", str)),
        ("alerts_off",),
    ),
    Section("events", "what it was told", queries.EVENTS, _by(_column("id", UUID, "event")), ("account_events",)),
    Section(
        "invitations",
        "whom it invited to sign for it, not the secrets of the links, and the keys that asked",
        queries.INVITATIONS,
        _by(_column("id", UUID, "invitation")),
        ("member_invitations",),
    ),
    Section("tokens", "its tokens, not their secrets", queries.TOKENS, _by(_column("id", UUID, "token")), ("tokens",)),
    Section("sessions", "its browsers' sessions", queries.SESSIONS, _by(_column("id", UUID)), ("sessions",)),
    Section(
        "recovery_codes",
        "how many recovery codes there are, not the codes",
        queries.RECOVERY_CODES,
        _by(_column("issued_at", datetime)),
        ("recovery_codes",),
    ),
)

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
