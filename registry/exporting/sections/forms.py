"""What a section is: a name, a statement, the key that its rows are read by, the tables that it tells of."""

from __future__ import annotations

from typing import Literal, NamedTuple

Form = Literal["jsonl", "json", "webp"]


class Column(NamedTuple):
    """One column of a section's key: how the statement names it, what its rows call it, its type."""

    expression: str
    name: str
    type: type


class Section(NamedTuple):
    """One section: a statement read in the order of ``key``, at most ``at_once`` rows in a file."""

    name: str
    says: str
    statement: str
    key: tuple[Column, ...]
    tables: tuple[str, ...]
    at_once: int = 1000
    form: Form = "jsonl"
    of: Literal["account", "ledger"] = "account"  # what the statement is held to


def column(expression: str, kind: type, name: str | None = None) -> Column:
    """Return a column; its rows call it by the last part of ``expression`` unless ``name`` says otherwise."""
    return Column(expression, name or expression.rpartition(".")[2], kind)


def by(*columns: Column) -> tuple[Column, ...]:
    """Return the key of a section."""
    return columns
