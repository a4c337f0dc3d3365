"""Everything that a user can reach says what holds, and whatever it raises by name is an error of the tree."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import licet
from licet import errors
from licet.client import asnapshots, snapshots

RAISES = re.compile(r"[Rr]aises ``(\w+)``")
BUILTIN = {"TypeError", "ValueError", "StopIteration"}


def reachable() -> Iterator[tuple[str, Any]]:
    """The public names, and the public methods and properties of classes among them and of what clients give."""
    kinds = [("snapshot", snapshots.ClientSnapshot), ("async snapshot", asnapshots.AsyncClientSnapshot)]
    for name, value in [*((each, getattr(licet, each)) for each in licet.__all__ if each[0] != "_"), *kinds]:
        yield name, value
        if inspect.isclass(value):
            for inner in dir(value):
                found = inspect.getattr_static(value, inner)
                ours = getattr(inspect.getmodule(getattr(found, "fget", found)), "__name__", "").startswith("licet")
                if inner[0] != "_" and ours and (callable(found) or isinstance(found, (property, classmethod))):
                    yield f"{name}.{inner}", found


def test_everything_that_a_user_can_reach_says_what_it_is() -> None:
    names = dict(reachable())
    assert len(names) > 100
    for name, value in names.items():
        text = inspect.getdoc(value) or ""
        first = text.partition("\n\n")[0]
        assert first.endswith((".", ":")), f"{name}: expected a docstring that begins with a sentence, got {first!r}"
        assert not re.match(rf"(?i){re.escape(name.rpartition('.')[2])}\W*$", first), f"{name}: restates its name"


def test_errors_that_are_named_exist() -> None:
    for name, value in reachable():
        for raised in RAISES.findall(inspect.getdoc(value) or ""):
            assert raised in BUILTIN or hasattr(errors, raised), f"{name} raises {raised}, no error of the tree"
