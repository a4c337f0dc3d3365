"""The rules of docs/semantics.md, the tests that prove them, and the code that names them are of one mind."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "semantics.md").read_text("utf-8")
RULES = {
    int(number): text
    for number, text in re.findall(r"^### Rule (\d+)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
}
NAMED = {rule: re.findall(r"^- `(tests/[^`:]+)::(test_\w+)`$", text, re.MULTILINE) for rule, text in RULES.items()}
SOURCES = [path for place in ("sdk/src", "registry", "tests") for path in sorted((ROOT / place).rglob("*.py"))]


def names_in(path: Path) -> set[str]:
    """Return the names of the tests in a file."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(path.read_text("utf-8"))
    return {each.name for each in ast.walk(tree) if isinstance(each, functions) and each.name.startswith("test_")}


def test_rules_are_numbered_without_a_gap():
    assert sorted(RULES) == list(range(1, 29))


def test_every_rule_names_a_test_that_proves_it_or_says_not_yet():
    assert [rule for rule, tests in NAMED.items() if not tests and "*Not yet:*" not in RULES[rule]] == []
    assert [rule for rule, tests in NAMED.items() if not tests] == []


def test_every_test_that_is_named_exists():
    found = {path: names_in(ROOT / path) for path in {path for tests in NAMED.values() for path, _ in tests}}
    assert [f"{path}::{test}" for tests in NAMED.values() for path, test in tests if test not in found[path]] == []


def test_a_test_that_carries_a_number_proves_a_rule_that_names_tests():
    carried = {
        (int(match[1]), name)
        for path in SOURCES
        if path.is_relative_to(ROOT / "tests")
        for name in names_in(path)
        if (match := re.match(r"test_rule_(\d+)_", name))
    }
    assert len(carried) > 40
    assert {rule for rule, _ in carried} <= {rule for rule, tests in NAMED.items() if tests}
    for rule, tests in NAMED.items():
        for _, test in tests:
            if (match := re.match(r"test_rule_(\d+)_", test)) and int(match[1]) != rule:
                assert rule == 2, (rule, test)  # proven along with rule 1


def test_code_names_only_rules_that_there_are():
    for path in SOURCES:
        for numbers in re.findall(r"(?:semantics|[Rr]ule) (\d+(?:(?:, | and | to )\d+)*)\b", path.read_text("utf-8")):
            assert {int(number) for number in re.findall(r"\d+", numbers)} <= RULES.keys(), (path, numbers)
