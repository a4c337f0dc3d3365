"""Pages of operators: nothing in here can ever change an entry of the ledger or a statement."""
