"""Both command lines, every command with every option, as the parser itself knows them."""

from __future__ import annotations

from typing import Final

from cyclopts import App

_CODES: Final = """\
Every command ends with one of these codes: 0 done · 1 checked and found wrong, or over budget · 2 wrong arguments or
input · 3 the service or the network failed · 4 not allowed · 130 interrupted, and running it again goes on.
"""


def licet() -> str:
    """Return the page of ``licet``."""
    from licet.cli.entry import application

    return _page(
        application(), f"{_CODES}\nEvery command takes `--json`: one document on stdout, progress on stderr.\n"
    )


def registry() -> str:
    """Return the page of ``licet-registry``."""
    from registry.cli import app

    return _page(app, _CODES)


def _page(app: App, about: str) -> str:
    text = app.generate_docs(output_format="markdown", recursive=True)
    head, _, rest = text.partition("## Table of Contents")
    _, _, commands = rest.partition("**Commands**")
    return f"{head.rstrip()}\n\n{about}\n**Commands**{commands}".replace("```console", "```text")
