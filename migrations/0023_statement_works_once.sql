-- licet: no-transaction
-- Nothing looks for the statements over one work by this index; it was one of the three records that are written for
-- each work under a statement.
drop index concurrently if exists statement_works_work;
