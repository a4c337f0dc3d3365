"""SQL of artists' pages beyond what the rooms below have, with the index each statement relies on."""

from __future__ import annotations

from typing import Final

from registry.http.paging import Key, orders

# by accounts primary key
ORGANISATIONS: Final = "select id, name from accounts where id = any($1::uuid[])"
# by recovery_codes (account)
CODES_LEFT: Final = "select count(*) from recovery_codes where account = $1 and used_at is null"
# by statements primary key; log_entries unique (pending); work_states (waiting): one's own alone
STATEMENT: Final = """
select s.id, s.effect, s.scope, s.works, s.terms, s.accepted_at, e.index, e.at, p.envelope,
    case when s.hold is not null and not s.over and exists (select from work_states w where w.waiting = s.id)
        then coalesce(e.at, s.accepted_at) + s.hold end as until
from statements s join log_pending p on p.id = s.pending left join log_entries e on e.pending = s.pending
where s.id = $1 and s.account = $2
"""
# What the log has of an account, each with what it was said of. By statements, dispute_steps, licence_answers,
# licence_replies, split_answers, duties, revenue_reports and log_entries unique (pending)
_SIGNED: Final = """
select p.id, p.kind, p.subject, coalesce(e.at, p.submitted_at) as at, e.index, s.effect, s.scope, s.works, d.step,
    coalesce(n.answer, t.answer, y.reply) as answer, d.dispute, coalesce(n.request, y.request) as request,
    coalesce(u.licence, r.licence) as licence
from log_pending p
left join log_entries e on e.pending = p.id and e.index < (select published_size from log_head)
left join statements s on s.pending = p.id
left join dispute_steps d on d.pending = p.id
left join licence_answers n on n.pending = p.id
left join licence_replies y on y.pending = p.id
left join split_answers t on t.pending = p.id
left join duties u on u.pending = p.id
left join revenue_reports r on r.pending = p.id
where p.account = $1
"""
_AS_SIGNED: Final = (Key("p.id", "id", int),)
# by log_pending (account, id)
SIGNED: Final = orders(_SIGNED, signed=_AS_SIGNED)
# by log_pending (account, kind, id)
SIGNED_OF: Final = orders(_SIGNED + "    and p.kind = $2\n", signed=_AS_SIGNED)
# by log_pending (account, kind, id): of which of these kinds there is anything
SIGNED_KINDS: Final = """
select kind from unnest($2::text[]) with ordinality as known (kind, place)
where exists (select from log_pending p where p.account = $1 and p.kind = known.kind) order by place
"""
# by statement_works primary key, works primary key
COVERED: Final = """
select w.id, w.title from statement_works c join works w on w.id = c.work
where c.statement = $1 and w.account = $2 order by c.work limit $3
"""
# by sessions primary key
SESSION_KEY: Final = "select keyid from sessions where id = $1 and account = $2"
# by account_keys (account), log_entries unique (pending)
KEYS_CAME: Final = """
select k.keyid, e.at from account_keys k join log_entries e on e.pending = k.pending where k.account = $1
"""
# by work_states primary key: the terms that are in force on works of one's own, each once
IN_FORCE: Final = """
select distinct s.own from work_states s where s.work = any($1::uuid[]) and s.account = $2 and not s.withdrawn
"""
# The last statement of an account, where it is of these works and no others, and still what was last said of each.
# By statements (account, id), work_states primary key
SIGNED_LAST: Final = """
select s.id, s.accepted_at
from (select id, accepted_at, works from statements where account = $2 order by id desc limit 1) s
where s.works = cardinality($1::uuid[]) and s.works = (
    select count(*) from work_states w
    where w.work = any($1::uuid[]) and w.account = $2 and s.id in (w.statement, w.waiting)
)
"""
# by works primary key
TITLES: Final = "select id, title from works where id = any($1::uuid[]) and account = $2"
# by disputes (work): the dispute about a work of one's own that is open, else the one that was lost
DISPUTE_OF: Final = """
select d.id, d.outcome is not null as lost, d.ended_at, s.disputed as holds
from disputes d join work_states s on s.work = d.work
where d.work = $1 and d.against = $2 and (d.outcome is null or d.outcome = 'upheld' and s.lost_to is not null)
order by d.outcome nulls first, d.id desc limit 1
"""
# by work_states primary key: which of works of one's own were decided to be somebody else's
LOST: Final = "select work from work_states where work = any($1::uuid[]) and account = $2 and lost_to is not null"
# How many of works of one's own are held by what others claim, or will be once they are signed for; by work_states and
# work_matches primary keys
MET: Final = """
select count(*) from unnest($1::uuid[]) as chosen (work) join works w on w.id = chosen.work and w.account = $2
left join work_states s on s.work = w.id
where case when s.work is not null then s.contested or s.challenged else exists (
    select from work_matches m join work_states o on o.work = m.other and not o.withdrawn and o.lost_to is null
    where m.work = w.id
) end
"""
# Disputes of one's own, with the title of a picture where it is one's own. By disputes and works primary keys
DISPUTED: Final = """
select d.id, d.account = $2 as opened, d.decided, d.outcome, w.title
from disputes d left join works w on w.id = d.work and w.account = $2
where d.id = any($1::uuid[]) and $2 in (d.account, d.against)
"""
# by work_states primary key: what counts on each of works of one's own, by everybody's terms
TERMS_ON: Final = """
select s.work, s.terms, s.withdrawn, s.contested or s.challenged or s.frozen as contested
from work_states s where s.work = any($1::uuid[]) and s.account = $2 order by s.work
"""
