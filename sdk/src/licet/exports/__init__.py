"""Statements in other people's forms: COSE receipts, SCITT signed statements, W3C credentials; made and checked."""
