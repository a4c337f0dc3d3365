"""Derivatives: pictures that show a part of a work, found by features that stay here (semantics 14, 27)."""
