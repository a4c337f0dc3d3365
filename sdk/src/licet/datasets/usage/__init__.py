"""A result in use: what of it must go now, runs on it, and the reports that are owed for them."""
