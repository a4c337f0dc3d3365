"""All SQL of the export, one constant a section, with the index it relies on. Every one is held to one account ($1).

Each reads at most $2 rows in the order of its key; where ``{after}`` stands, what lies behind a key is asked for.
"""

from __future__ import annotations

from typing import Final

# by accounts, catalogues, consent_heads primary keys
ACCOUNT: Final = "select id, kind, name, genesis, level, created_at from accounts where id = $1 {after}"
CATALOGUE: Final = "select account, statement, terms, waiting from catalogues where account = $1 {after}"
HEAD: Final = "select account, seq, digest from consent_heads where account = $1 {after}"
# by account_levels (account, pending), log_entries unique (pending): a level may be stated again
LEVELS: Final = """
select l.pending, l.level, l.basis, l.backed, l.evidence, l.at, e.index as log_index
from account_levels l left join log_entries e on e.pending = l.pending where l.account = $1 {after}
"""
# by domain_claims unique (account, domain)
DOMAINS: Final = """
select id as claim, domain, value, state, method, problem, asked_at, proven_at, checked_at, failing_since
from domain_claims where account = $1 {after}
"""
# by account_keys (account), log_entries unique (pending): an account has few
KEYS: Final = """
select k.pending, k.keyid, k.alg, k.class, k.public, k.credential, k.revoked_from, e.index as log_index
from account_keys k left join log_entries e on e.pending = k.pending where k.account = $1 {after}
"""
# by key_statements (account, id)
KEY_STATEMENTS: Final = "select id as statement, kind, keyid, at from key_statements where account = $1 {after}"
# by account_events (account, id)
EVENTS: Final = "select id as event, kind, subject, detail, at, read_at from account_events where account = $1 {after}"
# by alerts_off primary key
ALERTS_OFF: Final = "select topic from alerts_off where account = $1 {after}"
# by member_invitations (account, id)
INVITATIONS: Final = """
select id as invitation, class, note, created_at, expires_at, withdrawn_at, keyid, envelope, asked_at
from member_invitations where account = $1 {after}
"""
# by tokens (account, created_at): an account has few
TOKENS: Final = """
select id as token, scopes, created_at, expires_at, last_used_at, revoked_at, spend_limit, spend_currency,
    spent, spent_in from tokens where account = $1 {after}
"""
# by sessions (account, id)
SESSIONS: Final = """
select id, keyid, created_at, stepped_up_at, expires_at, ended_at from sessions where account = $1 {after}
"""
# by recovery_codes (account): at most twenty at a time
RECOVERY_CODES: Final = """
select * from (
    select issued_at, count(*) as codes, count(used_at) as used
    from recovery_codes where account = $1 group by issued_at
) as each where true {after}
"""
# by log_pending (account, kind, id), log_entries unique (pending)
SIGNED: Final = """
select p.id, p.kind, p.subject from log_pending p join log_entries e on e.pending = p.id
where p.account = $1 and p.envelope is not null and e.index < (select published_size from log_head) {after}
"""
# by statements (account, id), log_entries unique (pending)
STATEMENTS: Final = """
select s.id as statement, s.kind, s.seq, s.effect, s.scope, s.works, s.terms, s.accepted_at, e.index as log_index
from statements s left join log_entries e on e.pending = s.pending where s.account = $1 {after}
"""
# by statements (account, id), statement_works primary key
STATEMENT_WORKS: Final = """
select c.statement, c.work from statements s join statement_works c on c.statement = s.id where s.account = $1 {after}
"""
# by statements (account, id), work_states (account, work), catalogues and terms primary keys
TERMS: Final = """
select t.hash, t.encoded from terms t where t.hash in (
    select terms from statements where account = $1
    union select own from work_states where account = $1
    union select catalogue from work_states where account = $1
    union select terms from work_states where account = $1
    union select terms from catalogues where account = $1
    union select unnest(array[own, catalogue, terms]) from co_owner_states where account = $1
) {after}
"""
# by works (account, registered_at, id)
WORKS: Final = """
select id as work, mode, sha256, pixels, pdq, quality, title, creator, created, tags, external_id, urls, site, iscc,
    digest, registered_at, withdrawn_at, revision
from works where account = $1 {after}
"""
# by works (account, registered_at, id), work_versions primary key
VERSIONS: Final = """
select v.work, v.ended_by, v.digest, v.keys::text as keys
from works w join work_versions v on v.work = w.id where w.account = $1 {after}
"""
# by work_states (account, work)
STATES: Final = """
select work, statement, own, catalogue, terms, waiting, pending, frozen, contested, challenged, withdrawn
from work_states where account = $1 {after}
"""
# by co_owner_states (account, work)
SHARED_STATES: Final = """
select work, statement, own, catalogue, terms, waiting, ends is not null as ends, ended
from co_owner_states where account = $1 {after}
"""
# by work_matches (account): that works of others are alike, not whose
MATCHES: Final = """
select * from (
    select work, count(*) as works_alike, min(distance) as distance, max(claimed_at) as claimed_at
    from work_matches where account = $1 group by work
) as each where true {after}
"""
# by uploads, thumbnails and features primary keys
UPLOADS: Final = "select sha256, fingerprint::text as fingerprint, expires_at from uploads where account = $1 {after}"
THUMBNAILS: Final = "select sha256, content from thumbnails where account = $1 {after}"
FEATURES: Final = "select sha256, form, content, expires_at from features where account = $1 {after}"
# by quotes (organisation, id)
QUOTES: Final = "select id as quote, body, issued_at, expires_at from quotes where organisation = $1 {after}"
# by licence_tokens (organisation, issued_at, digest)
LICENCE_TOKENS: Final = """
select issued_at, digest, resource, uses, purpose, territory, model, works, expires_at
from licence_tokens where organisation = $1 {after}
"""
# by licences (organisation, id)
LICENCES: Final = """
select id as licence, atoms, model, version, run, dataset, fee_bps, works, issued_at, valid_until, granted_at
from licences where organisation = $1 {after}
"""
_LINE: Final = """
w.licence, w.work, w.statement, w.terms_hash, w.atom, w.model, w.currency, w.amount, w.match, w.escrow,
    w.agreed::text as agreed
"""
# by licences (organisation, id), licence_works primary key
LICENSED: Final = f"""
select {_LINE} from licences l join licence_works w on w.licence = l.id where l.organisation = $1 {{after}}
"""  # noqa: S608
# by licence_works (account, licence)
SOLD: Final = f"select {_LINE} from licence_works w where w.account = $1 {{after}}"  # noqa: S608
# by datasets, runs, usage_batches (organisation, id)
DATASETS: Final = """
select id as dataset, name, rows, kept, counts::text as counts, decided_at, accepted_at, listed, about::text as about,
    terms::text as prices
from datasets where organisation = $1 {after}
"""
RUNS: Final = """
select id as run, model, version, name, dataset, manifest, issued_at from runs where organisation = $1 {after}
"""
MODELS: Final = "select id as model, name, stated_at from models where organisation = $1 {after}"
MODEL_VERSIONS: Final = """
select v.id as model_version, v.model, v.version, v.stated_at, v.card, v.status, v.listed
from models m join model_versions v on v.model = m.id where m.organisation = $1 {after}
"""
MODEL_CARDS: Final = """
select c.id as card, c.model_version, c.status, c.listed, c.base, c.issued_at
from models m join model_versions v on v.model = m.id join model_cards c on c.model_version = v.id
where m.organisation = $1 {after}
"""
FINDINGS: Final = """
select id as finding, period, check_name, about, summary, examined, failed, found_at
from audit_findings where account = $1 {after}
"""
BATCHES: Final = """
select id as batch, dataset, count, new, known, memorandum, totals::text as totals, first_at, last_at, accepted_at
from usage_batches where organisation = $1 {after}
"""
_USE: Final = """
id, licence, statement, work, atom, run as run_name, unit, seq, quantity, at, match, currency, amount, fee, escrow,
    memorandum, posted_at, corrects, was
"""
# by usage_batches (organisation, id), usage_events (batch, artist)
REPORTED: Final = f"""
select {_USE}, batch from usage_events
where batch in (select b.id from usage_batches b where b.organisation = $1) {{after}}
"""  # noqa: S608
# by licences (organisation, id), usage_events (licence)
ACCEPTED: Final = f"""
select {_USE} from usage_events
where batch is null and licence in (select l.id from licences l where l.organisation = $1) {{after}}
"""  # noqa: S608
# by usage_batches (organisation, id), usage_repeats primary key
REPEATS: Final = """
select r.batch, r.event as id, r.quantity, r.at, r.match
from usage_batches b join usage_repeats r on r.batch = b.id where b.organisation = $1 {after}
"""
# by usage_batches and accounts primary keys, usage_events (batch, artist). Rule 26: use by work is shown from claim
# level 2 on.
USED: Final = f"""
select {_USE}, batch, split from usage_events
where artist = $1 and batch in (select b.id from usage_batches b)
    and (select level from accounts where id = $1) >= 2 {{after}}
"""  # noqa: S608
# by licence_works (account, licence), usage_events (licence), accounts primary key
USED_ACCEPTED: Final = f"""
select {_USE}, split from usage_events
where artist = $1 and batch is null and licence in (select w.licence from licence_works w where w.account = $1)
    and (select level from accounts where id = $1) >= 2 {{after}}
"""  # noqa: S608
_HAS_A_SAY: Final = """
(s.account = $1 or exists (select from split_parties o where o.split = s.id and o.account = $1))
"""
# by splits (account, id), split_parties (account, split), log_entries unique (pending): an account has few
SPLITS: Final = f"""
select s.id as split, s.account = $1 as proposed, s.digest, s.replaces, s.proposed_at, e.index as log_index,
    g.index as agreed_index, d.index as declined_index
from splits s left join log_entries e on e.pending = s.pending
left join log_entries g on g.pending = s.agreed left join log_entries d on d.pending = s.declined
where {_HAS_A_SAY} {{after}}
"""  # noqa: S608
# by split_parties and split_works primary keys
SPLIT_PARTIES: Final = f"""
select p.split, p.account, a.kind || '_' || p.account as party, p.bps
from splits s join split_parties p on p.split = s.id join accounts a on a.id = p.account
where {_HAS_A_SAY} {{after}}
"""  # noqa: S608
SPLIT_WORKS: Final = f"""
select k.split, k.work, e.index as in_force_from
from splits s join split_works k on k.split = s.id left join log_entries e on e.pending = k.since
where {_HAS_A_SAY} {{after}}
"""  # noqa: S608
# by split_answers (split): its own
SPLIT_ANSWERS: Final = """
select n.id as statement, n.split, n.answer, e.index as log_index
from split_answers n left join log_entries e on e.pending = n.pending where n.account = $1 {after}
"""
# by licence_requests (organisation, id), (account, id), log_entries unique (pending)
LICENCE_REQUESTS: Final = """
select r.id as request, r.organisation = $1 as own, r.digest, r.model, r.version, r.works, r.asked_at, r.expires_at,
    e.index as log_index
from licence_requests r left join log_entries e on e.pending = r.pending
where (r.organisation = $1 or r.account = $1) {after}
"""
# by licence_request_works primary key
LICENCE_REQUEST_WORKS: Final = """
select k.request, k.work from licence_requests r join licence_request_works k on k.request = r.id
where (r.organisation = $1 or r.account = $1) {after}
"""
# by licence_answers (request, pending): those that it gave, and those that it was given
LICENCE_ANSWERS: Final = """
select n.id as statement, n.request, n.account = $1 as own, n.answer, n.offered_until, e.index as log_index
from licence_requests r join licence_answers n on n.request = r.id left join log_entries e on e.pending = n.pending
where (r.organisation = $1 or r.account = $1) {after}
"""
# by licence_replies unique (request, offer): what it replied, and what was replied to it
LICENCE_REPLIES: Final = """
select d.id as statement, d.request, r.organisation = $1 as own, d.reply, d.offer, e.index as log_index
from licence_requests r join licence_replies d on d.request = r.id left join log_entries e on e.pending = d.pending
where (r.organisation = $1 or r.account = $1) {after}
"""
# by disputes (account, id), (against, id), log_entries unique (pending)
DISPUTES: Final = """
select d.id as dispute, d.account = $1 as own, d.work, d.transfer, d.digest, d.opened_at, d.decided, d.decided_at,
    d.appeal_until, d.appealed_at, d.held, d.outcome, d.ended_at, e.index as log_index
from disputes d left join log_entries e on e.pending = d.pending where (d.account = $1 or d.against = $1) {after}
"""
# by dispute_steps (dispute, step): those of both parties, and the decision
DISPUTE_STEPS: Final = """
select x.id as statement, x.dispute, x.step, x.account is not distinct from $1 as own, e.index as log_index
from disputes d join dispute_steps x on x.dispute = d.id left join log_entries e on e.pending = x.pending
where (d.account = $1 or d.against = $1) {after}
"""
# by licences (organisation, id), agreements primary key
AGREEMENTS: Final = """
select g.licence, g.request, g.since, g.weigh from licences l join agreements g on g.licence = l.id
where l.organisation = $1 {after}
"""
# by licences (organisation, id), allocations_left_out primary key
NOT_COMPUTED: Final = """
select x.licence, x.period, x.since, x.posted from licences l join allocations_left_out x on x.licence = l.id
where l.organisation = $1 {after}
"""
# by revenue_reports (organisation, id), log_entries unique (pending)
REVENUE_REPORTS: Final = """
select r.id as report, r.licence, r.period, r.counts_at, r.digest, r.supersedes, r.revenue, r.pool, r.weights,
    r.accepted_at, e.index as log_index
from revenue_reports r left join log_entries e on e.pending = r.pending where r.organisation = $1 {after}
"""
# by duties (organisation, id), (account, id), duties_done primary key, log_entries unique (pending): owed and caused
DUTIES: Final = """
select d.id as duty, d.organisation = $1 as owed, d.licence, d.digest, d.notice_days, d.effect, d.works, d.revoked_at,
    e.index as log_index
from duties d left join log_entries e on e.pending = d.pending
where (d.organisation = $1 or d.account = $1) {after}
"""
DUTY_WORKS: Final = """
select x.duty, x.licence, x.work from duties d join duty_works x on x.duty = d.id
where (d.organisation = $1 or d.account = $1) {after}
"""
DUTIES_DONE: Final = """
select n.duty, n.id as statement, n.done_at, n.accepted_at, e.index as log_index
from duties d join duties_done n on n.duty = d.id left join log_entries e on e.pending = n.pending
where (d.organisation = $1 or d.account = $1) {after}
"""
# by runs (organisation, id), run_licences primary key
RUN_LICENCES: Final = """
select k.run, k.licence, k.outside from runs r join run_licences k on k.run = r.id where r.organisation = $1 {after}
"""
# by ledger_accounts unique (name), entries (account, transfer, currency), transfers primary key
# by period_lines primary key, whose first column is one of few months
MONTHS: Final = """
select period, payee, side, currency, place, sums[1] as owed_before, sums[2] as overpaid_before, sums[3] as accrued,
    sums[4] as reversed, sums[5] as settled, sums[6] as owed, sums[7] as overpaid
from period_lines
where payee = any(select split_part(name, ':', 2) from unnest($1::text[]) as own (name)) {after}
"""
LEDGER: Final = """
select e.transfer, split_part(a.name, ':', 1) as side, e.currency, e.amount, t.kind, t.at, t.source, t.memo,
    e.account as ledger_account
from ledger_accounts a join entries e on e.account = a.id join transfers t on t.id = e.transfer
where a.name = any($1::text[]) {after}
"""
# by invoices (organisation, id)
INVOICES: Final = """
select id as invoice, number, kind, currency, period, reference, total, carried_in, due, carried_out, issued_at, due_at
from invoices where organisation = $1 {after}
"""
# by invoices (organisation, id), invoice_lines (invoice, transfer)
INVOICED: Final = """
select l.invoice, l.transfer, l.currency, l.amount
from invoices i join invoice_lines l on l.invoice = i.id where i.organisation = $1 {after}
"""
# by bank_entries (organisation, id)
PAYMENTS: Final = """
select id as payment, booked_on, credit, amount, currency, about, reason, returns
from bank_entries where organisation = $1 {after}
"""
# by invoices (organisation, id), invoice_payments (invoice, id)
PAID: Final = """
select p.id as allocation, p.invoice, p.payment, p.credit, p.amount, p.at
from invoices i join invoice_payments p on p.invoice = i.id where i.organisation = $1 {after}
"""
# by payouts (account, id)
PAYOUTS: Final = "select id, ends, given_at, usable_at from payouts where account = $1 {after}"
# by remittances (account, id), bank_entries primary key
REMITTANCES: Final = """
select r.id as remittance, r.currency, r.period, r.total, r.carried_in, r.amount, r.carried_out, r.prepared_at,
    b.booked_on, r.returned_by is not null as returned, r.cancelled is not null as cancelled
from remittances r left join bank_entries b on b.id = r.paid_by where r.account = $1 {after}
"""
# by remittances (account, id), remittance_lines (remittance, transfer)
REMITTED: Final = """
select l.remittance, l.transfer, l.currency, l.amount
from remittances r join remittance_lines l on l.remittance = r.id where r.account = $1 {after}
"""
