-- What lasts minutes is not archived.

comment on table challenges is 'not archived: a challenge lasts minutes';
select archive_follow();
