-- What is left finds all that these found: uses of an organisation go by its batches and licences.
-- squawk-ignore require-concurrent-index-deletion
drop index usage_events_batch;
-- squawk-ignore require-concurrent-index-deletion
drop index usage_events_artist;
-- squawk-ignore require-concurrent-index-deletion
drop index usage_events_organisation;
