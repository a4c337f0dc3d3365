"""Settlement: invoices to organisations, what banks say was paid, remittances to artists, refunds and escrow."""
