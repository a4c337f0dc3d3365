"""Every check of a bundle has a name that findings may give, and no other name is given."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import licet.audit
from licet.audit.checks import NAMES

GIVING = {"passed", "refused", "checking"}


def given() -> Iterator[str]:
    """Yield what every check is called where it passes or fails, constants of modules by their value."""
    for path in Path(licet.audit.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        named = {
            node.target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
            if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args:
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                first = node.args[0]
                if called in GIVING and isinstance(first, ast.Constant):
                    yield str(first.value)
                elif called in GIVING and isinstance(first, ast.Name) and first.id in named:
                    yield named[first.id]


def test_the_names_of_checks_are_those_that_are_given() -> None:
    assert set(given()) | {"bundle-form"} == NAMES  # its name is of another module
