-- How far the archive was seen to reach: a number is taken before its segment is stored, and the two differ where the
-- store failed in between. An archive that holds less than this is an older copy.
alter table archive_mark add column stored bigint not null default 0;
