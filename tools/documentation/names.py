"""The public names of the Python package, from their docstrings."""

from __future__ import annotations

import inspect

import licet


def page() -> str:
    """Return the page of the Python interface."""
    parts = [
        "# Python interface\n",
        (
            "What `from licet import …` gives. Everything else may change without a note. The package is typed "
            "(`py.typed`); [errors](errors.md) are one tree.\n"
        ),
    ]
    for name in sorted(licet.__all__):
        found = getattr(licet, name)
        if inspect.isclass(found) and issubclass(found, Exception):
            continue
        if name.startswith("__"):
            continue
        kind = "autoclass" if inspect.isclass(found) else "autofunction" if callable(found) else "autodata"
        members = "\n   :members:\n   :inherited-members:" if inspect.isclass(found) else ""
        parts.append(f"## {name}\n\n```{{eval-rst}}\n.. {kind}:: {found.__module__}.{name}{members}\n```\n")
    return "\n".join(parts)
