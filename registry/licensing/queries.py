"""All SQL of licensing, one constant a statement, with the index it relies on."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from registry.http.paging import Key, Order, orders

# accounts primary key; whatever posts for one organisation happens one after the other
LOCK_ORGANISATION: Final = "select genesis from accounts where id = $1 and kind = 'org' for no key update"
KINDS: Final = "select id, kind from accounts where id = any($1::uuid[])"

# by quotes (organisation, id)
QUOTES: Final = orders(
    "select id, issued_at, expires_at from quotes where organisation = $1"
    " and ($2::boolean is null or (expires_at > now()) = $2)\n",
    issued=(Key("id", "id", UUID),),
)
# quotes primary key
ADD_QUOTE: Final = "insert into quotes (id, organisation, body, issued_at, expires_at) values ($1, $2, $3, $4, $5)"
QUOTE: Final = "select body, expires_at from quotes where id = $1 and organisation = $2"
# by quotes (expires_at)
FORGET_QUOTES: Final = """
delete from quotes where id in (
    select id from quotes where expires_at < $1 order by expires_at limit 100 for update skip locked
)
"""

# When the notice of a revocation ``d`` is over: it runs from its log entry ``e``, from now on where there is none yet.
NOTICE: Final = "d.notice_days * interval '24 hours'"
OVER: Final = f"coalesce(e.at, now()) + {NOTICE}"
# A work that was revoked is held until its notice is over.
# licence_works (work); licences, duty_works, duties primary keys, log_entries unique (pending)
HELD: Final = f"""
select distinct on (w.work, w.terms_hash) w.work, w.terms_hash, l.id
from licence_works w join licences l on l.id = w.licence
where w.work = any($2::uuid[]) and l.organisation = $1 and l.use_key = $3 and l.model_key = any($4::text[])
    and (l.valid_until is null or l.valid_until > $5)
    and not exists (
        select from duty_works x join duties d on d.id = x.duty left join log_entries e on e.pending = d.pending
        where x.licence = w.licence and x.work = w.work and {OVER} <= $5
    )
order by w.work, w.terms_hash, l.id
"""  # noqa: S608  # made of constants

ADD_LICENCE: Final = """
insert into licences (
    id, organisation, pending, payload_digest, quote, use_key, model_key, atoms, model, version, run, dataset,
    fee_bps, works, issued_at, valid_until, granted_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
"""
LICENCE_WORKS: Final = (
    "licence",
    "work",
    "account",
    "statement",
    "terms_hash",
    "atom",
    "model",
    "currency",
    "amount",
    "match",
    "escrow",
    "agreed",
)
ADD_AGREEMENT: Final = """
insert into agreements (licence, request, since, weigh, allocates) values ($1, $2, $3, $4, $5)
"""
# by licence_requests primary key, licence_replies unique (request, offer)
REQUEST: Final = """
select r.digest, r.use_key, r.model_key, exists (
    select from licence_replies d where d.request = r.id and d.offer is null
) as withdrawn
from licence_requests r where r.id = $1 and r.organisation = $2
"""
REQUEST_OF: Final = "select id from licence_requests where digest = $1 and organisation = $2"  # unique (digest)
# by licence_answers (request, pending), log_pending primary key, licence_replies unique (request, offer)
LAST_ANSWER: Final = """
select a.answer, a.offered_until, p.envelope, exists (
    select from licence_replies d where d.request = a.request and d.offer = a.digest
) as declined
from licence_answers a join log_pending p on p.id = a.pending
where a.request = $1 order by a.pending desc limit 1
"""
REQUESTED: Final = "select work from licence_request_works where request = $1"
USAGE_EVENTS: Final = (
    "id",
    "organisation",
    "licence",
    "statement",
    "work",
    "atom",
    "run",
    "unit",
    "seq",
    "quantity",
    "at",
    "match",
    "batch",
    "artist",
    "currency",
    "amount",
    "fee",
    "escrow",
    "memorandum",
    "posted_at",
    "split",
    "corrects",
    "was",
)

# licences primary key
OWN_LICENCE: Final = "select pending, payload_digest from licences where id = $1 and organisation = $2"

# Who holds a licence sees it whole; whose works are in it (claim level 2 or above, semantics 26) their own lines.
# A work that was decided to be somebody else's is shown to both. $1 is the caller.
_TRUSTED: Final = "exists (select from accounts a where a.id = $1 and a.level >= 2)"
_LICENCE: Final = """
select l.id, l.organisation, l.pending, l.model, l.version, l.dataset, l.works, l.issued_at, l.valid_until, e.index,
    case when l.organisation = $1 then null else $1 end as part, g.licence is not null as agreement
from licences l left join log_entries e on e.pending = l.pending left join agreements g on g.licence = l.id
"""
# By licences and licence_works primary keys, licence_works (account, licence), work_states (lost_to, work)
VISIBLE: Final = f"""{_LICENCE}
where l.id = $2 and (l.organisation = $1 or {_TRUSTED} and (
    exists (select from licence_works w where w.account = $1 and w.licence = $2)
    or exists (
        select from licence_works w
        where w.licence = $2 and w.work = any(array(select s.work from work_states s where s.lost_to = $1))
    )
))
"""  # noqa: S608  # made of constants
# $2 model, $3 version, $4 part of the model's name, $5 in force now: each or null
_WANTED: Final = """
    ($2::text is null or l.model = $2) and ($3::text is null or l.version = $3)
    and ($4::text is null or strpos(l.model, $4) > 0)
    and ($5::boolean is null or (l.valid_until is null or l.valid_until > now()) = $5)
"""
_IS_WANTED: Final = f"exists (select from licences l where l.id = w.licence and {_WANTED})"


def _visible(way: str, sign: str, behind: str) -> str:
    """Return the page of licences behind the one that ``behind`` compares with, or the first.

    Those on works of the caller's are walked from one to the next, so that a licence costs a step however many of her
    works it is on.
    """
    return f"""
with recursive granted (id, wanted, found) as (
    (
        select w.licence, {_IS_WANTED}, 0 from licence_works w
        where w.account = $1 and {_TRUSTED} {behind.format("w.licence")}
        order by w.licence {way} limit 1
    )
    union all
    select n.licence, n.wanted, g.found + g.wanted::int from granted g cross join lateral (
        select w.licence, {_IS_WANTED} as wanted from licence_works w
        where w.account = $1 and w.licence {sign} g.id
        order by w.licence {way} limit 1
    ) n
    where g.found + g.wanted::int < $6
), held as (
    select l.id from licences l where l.organisation = $1 {behind.format("l.id")} and {_WANTED}
    order by l.id {way} limit $6
), won as (
    select distinct w.licence as id from work_states s join licence_works w on w.work = s.work
    where s.lost_to = $1 and {_TRUSTED} {behind.format("w.licence")} and {_IS_WANTED}
    order by w.licence {way} limit $6
)
{_LICENCE}
where l.id in (select id from held union select id from granted where wanted union select id from won)
order by l.id {way} limit $6
"""  # noqa: S608  # made of constants


# By licences (organisation, id); licence_works (account, licence), (work); log_entries unique (pending), and
# work_states (lost_to, work) of what was decided
LICENCES: Final = {
    sort: Order(_visible(way, sign, ""), _visible(way, sign, f"and {{}} {sign} $7::uuid"), (Key("l.id", "id", UUID),))
    for sort, sign, way in (("granted", ">", "asc"), ("-granted", "<", "desc"))
}
# The level of an account that has works in a licence and is not shown how they are used (semantics 26).
# By licence_works (account, licence) and primary key, accounts primary key, work_states (lost_to, work)
UNSHOWN: Final = """
select a.level from accounts a
where a.id = $1 and a.level < 2 and (
    exists (select from licence_works w where w.account = $1 and w.licence = $2)
    or exists (
        select from work_states s join licence_works w on w.work = s.work and w.licence = $2 where s.lost_to = $1
    )
)
"""
# Works that were decided to be an account's. By work_states (lost_to, work)
_WON: Final = "any(array(select s.work from work_states s where s.lost_to = {}))"
_SEEN: Final = f"w.licence = $1 and ($2::uuid is null or w.account = $2 or w.work = {_WON.format('$2')})"
# By licence_works primary key and (account, licence); $2 null for all lines, else the account that sees its own
_LINES: Final = f"""
select w.work, w.account, a.kind, w.statement, w.terms_hash, w.atom, w.model, w.currency, w.amount, w.match, w.escrow,
    w.agreed
from licence_works w join accounts a on a.id = w.account
where {_SEEN}
"""  # noqa: S608
LINES: Final = f"{_LINES} order by w.work"
LINES_PAGED: Final = orders(_LINES, work=(Key("w.work", "work", UUID),))
# How many of them cost the same, the most first.
TARIFFS: Final = f"""
select w.atom, w.model, w.currency, w.amount, count(*) as works from licence_works w where {_SEEN}
group by w.atom, w.model, w.currency, w.amount order by works desc, w.atom, w.model, w.currency nulls first, w.amount
"""  # noqa: S608
# Under which terms, and on what that is agreed beside them, how many of them are.
GROUNDS: Final = f"""
select w.terms_hash, w.agreed, count(*) as works from licence_works w where {_SEEN} group by w.terms_hash, w.agreed
"""  # noqa: S608


def _posted(uses: str) -> str:
    return f"""
select s.artist, a.kind, s.split, s.currency, s.escrow, s.amount, s.fee, s.works from (
    select v.artist, v.split, v.currency, v.escrow, sum(v.amount) as amount, sum(v.fee) as fee, count(*) as works
    from {uses} group by v.artist, v.split, v.currency, v.escrow
) s join accounts a on a.id = s.artist
order by s.artist, s.split nulls first, s.currency, s.escrow
"""  # noqa: S608  # made of constants


# What was posted with a licence: of all ($2 null), or of one account's. Accepting it posts for each work once; what was
# agreed is posted month by month. By usage_events (licence, artist, id) without a batch
_POSTED: Final = "usage_events v where v.licence = $1 and v.batch is null and v.currency is not null"
_EACH: Final = """(
        select v.artist, v.split, v.currency, v.escrow, v.work, sum(v.amount) as amount, sum(v.fee) as fee
        from {} group by v.artist, v.split, v.currency, v.escrow, v.work
    ) v"""
_WHOSE: Final = {True: f"{_POSTED} and $2::uuid is null", False: f"{_POSTED} and v.artist = $2"}
#: By whether it is an agreement, and whether it is of all.
POSTED: Final = {
    (agreed, whole): _posted(_EACH.format(uses) if agreed else uses)
    for agreed in (True, False)
    for whole, uses in _WHOSE.items()
}
# By licence_works primary key, (account, licence), work_states (lost_to, work); $2 names, for each licence, the account
# that sees its own lines, or null for all
TOTALS: Final = """
select shown.licence, w.currency, count(*) as works,
    sum(case when w.model = 'per-output' then 0 else w.amount end) as amount
from unnest($1::uuid[], $2::uuid[]) as shown (licence, part)
cross join lateral (
    select k.currency, k.model, k.amount from licence_works k where k.licence = shown.licence and shown.part is null
    union all
    select k.currency, k.model, k.amount from licence_works k
    where k.licence = shown.licence and k.account = shown.part
    union all
    select k.currency, k.model, k.amount from work_states s join licence_works k on k.work = s.work
    where s.lost_to = shown.part and k.licence = shown.licence and k.account <> shown.part
) w
group by shown.licence, w.currency
order by shown.licence, w.currency
"""
# by licences primary key, log_pending primary key; nothing of what was erased
SIGNED: Final = """
select l.id, p.envelope from licences l join log_pending p on p.id = l.pending
where l.id = any($1::uuid[]) and p.envelope is not null
"""
# Until when works that were revoked are held, as many as the same account sees.
# By duties (licence), duty_works (duty), licence_works primary key, log_entries unique (pending)
ENDINGS: Final = f"""
select x.licence, e.at + {NOTICE} as over_at, count(*) as works
from unnest($1::uuid[], $2::uuid[]) as shown (licence, part)
join duties d on d.licence = shown.licence join duty_works x on x.duty = d.id
join licence_works w on w.licence = x.licence and w.work = x.work
left join log_entries e on e.pending = d.pending
where shown.part is null or w.account = shown.part or exists (
    select from work_states s where s.work = w.work and s.lost_to = shown.part
)
group by x.licence, over_at order by x.licence, over_at nulls last
"""  # noqa: S608  # made of constants

# The whole of it, read through once: what is stored against what was signed and what was posted.
ALL_LICENCES: Final = """
select l.id, l.works, p.envelope from licences l join log_pending p on p.id = l.pending order by l.id
"""
ACCRUED: Final = """
select t.source, a.name, e.currency, sum(e.amount) as amount
from transfers t join entries e on e.transfer = t.id join ledger_accounts a on a.id = e.account
where t.kind in ('licence', 'usage')
group by t.source, a.name, e.currency
"""
EVENT_SUMS: Final = """
select v.batch, v.licence, v.organisation, v.artist, a.kind, v.split, v.currency, v.escrow,
    sum(v.amount) as amount, sum(v.fee) as fee
from (
    select batch, case when batch is null then licence end as licence, organisation,
        case when split is null then artist end as artist, split, currency, escrow, amount, fee
    from usage_events where amount <> 0
) v left join accounts a on a.id = v.artist
group by v.batch, v.licence, v.organisation, v.artist, a.kind, v.split, v.currency, v.escrow
"""
