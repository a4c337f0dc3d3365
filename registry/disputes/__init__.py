"""Disputes: a work of somebody else's is hers, or a charge was wrong; two parties, and an operator who is neither."""
