"""What goes wrong, by name: errors of the package with their exit codes, problems of the HTTP interface."""

from __future__ import annotations

import inspect
from typing import Any

from licet import errors as sdk
from registry import errors as service
from registry.http import problems as answers
from tools.documentation.markdown import plain, table


def errors() -> str:
    """Return the page of errors and exit codes."""
    rows = [
        (
            "&nbsp;" * 4 * depth + f"`{kind.__name__}`",
            f"`{kind.code}`",
            str(kind.exit_code),
            plain(_about(kind)),
        )
        for depth, kind in _tree(sdk.LicetError)
    ]
    return (
        "# Errors and exit codes\n\n"
        "Errors of the `licet` package are one tree: catching one catches those under it. The command line ends with "
        'the exit code, and with `--json` prints `{"schema_version": 1, "error": {"code", "message", …}}`.\n\n'
        + table(("error", "code", "exit", "what happened"), rows)
        + "\n0 is done: a `deny` is an answer, not a failure. The codes of `licet-registry` are the same: 1 "
        "checked and found wrong, 2 wrong arguments, settings or data folder, 3 the database or the "
        "network, 130 interrupted.\n"
    )


def problems() -> str:
    """Return the page of problem types."""
    import registry.app  # noqa: F401  # every domain, with the errors of its own

    found: dict[str, tuple[int, str]] = {}
    for _, kind in _tree(service.RegistryError):
        if kind.status >= 400 and not issubclass(kind, service.StartError):
            found.setdefault(kind.slug, (kind.status, _about(kind)))
    for _, status, slug in answers.SDK_ERRORS:
        found.setdefault(slug, (status, "What was sent does not hold, by the rules that the package checks as well."))
    for status, slug in answers.SLUGS.items():
        found.setdefault(slug, (status, "The framework refuses the request before any handler sees it."))
    rows = [
        (f"`{slug}`", str(status), plain(about))
        for slug, (status, about) in sorted(found.items(), key=lambda each: (each[1][0], each[0]))
    ]
    return (
        "# Problems of the HTTP interface\n\n"
        "Every error answers with RFC 9457 problem details (`application/problem+json`). `type` is "
        f"`{answers.TYPE_BASE}` and one of these; `instance` is the id of the request, by which the log knows it; "
        "`errors` names the fields.\n\n" + table(("type", "status", "what happened"), rows)
    )


def _tree(root: Any, depth: int = 0) -> list[tuple[int, Any]]:
    found = [(depth, root)]
    for kind in root.__subclasses__():
        if kind.__module__.partition(".")[0] in {"licet", "registry"}:  # none that a test made
            found += _tree(kind, depth + 1)
    return found


def _about(kind: Any) -> str:
    return inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0]
