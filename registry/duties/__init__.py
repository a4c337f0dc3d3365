"""Licences that are revoked, and what whoever holds them owes then: duties with a date, and what was done."""
