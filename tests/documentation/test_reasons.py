"""The reasons in docs/semantics.md are those that the code gives."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from licet.datasets.forms.parts import PROBLEMS

ROOT = Path(__file__).resolve().parents[2]
SDK = ROOT / "sdk" / "src" / "licet"
DECIDING = (*sorted((SDK / "decisions").glob("*.py")), SDK / "index/answers.py", SDK / "datasets/examining/deciding.py")
#: What gives a reason, and which of its arguments that is; of a function, what it returns is one.
GIVING = {"Decision": 1, "_review": 1, "_named": 1}
RETURNING = {"_standing"}


def words_of(node: ast.expr) -> Iterator[str]:
    """Yield the reasons that an expression may come to; of one that goes on with a name, what stands before that."""
    if isinstance(node, ast.IfExp):
        yield from words_of(node.body)
        yield from words_of(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        yield from words_of(node.values[0])
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value + "…" * node.value.endswith(":")


def unmet(node: ast.expr) -> Iterator[str]:
    """Yield the conditions that a finding may name as not met: (name, False), where None leaves it open."""
    if isinstance(node, ast.IfExp):
        yield from unmet(node.body)
        yield from unmet(node.orelse)
    elif isinstance(node, ast.Tuple) and not (isinstance(node.elts[1], ast.Constant) and node.elts[1].value is None):
        yield from words_of(node.elts[0])


def given() -> set[str]:
    found = {each for each in PROBLEMS if each}
    for path in DECIDING:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in GIVING:
                found |= {*words_of(node.args[GIVING[node.func.id]])}
            elif isinstance(node, ast.FunctionDef) and node.name in RETURNING:
                found |= {word for each in ast.walk(node) if isinstance(each, ast.Return) and each.value
                          for word in words_of(each.value)}  # fmt: skip
            elif isinstance(node, ast.FunctionDef) and node.name == "_findings":
                found |= {word for each in ast.walk(node) if isinstance(each, ast.Yield) and each.value
                          for word in unmet(each.value)}  # fmt: skip
    return found


def test_every_reason_that_a_decision_can_have_is_told_of():
    page = (ROOT / "docs" / "semantics.md").read_text("utf-8")
    [table] = re.findall(r"^### Reasons\n(.*?)(?=^##)", page, re.MULTILINE | re.DOTALL)
    told = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    assert len(told) == len({*told})
    assert {*told} == given()
    assert {"short-code", "needs:…", "open_weights", "malformed", "sample", "needs-agreement"} <= {*told}
