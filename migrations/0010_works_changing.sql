-- What a work is called may change; what it is matched by may not. `revision` counts the changes, so that two who
-- change a work at once hear of each other.
alter table works add column revision bigint not null default 1;
-- In which form `haystack` and `grams` are (registry/works/searching.py); those of an older form are made anew.
alter table works add column words bigint not null default 0;
