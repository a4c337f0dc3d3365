"""Splits: how co-owners share what works earn, proposed, answered and in force (semantics 21)."""
