"""A month of an account, drawn for people: the page or the paper that ``licet balance --statement`` draws."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Literal

from licet.audit.drawing.words import Language
from licet.statements.trust import Trust
from registry.accounts.identity import Caller
from registry.auditing.turns import begun, bundled
from registry.services import Services

Form = Literal["html", "pdf"]


def prints() -> bool:
    """Whether PDF can be set here: that takes ``licet[pdf]``."""
    return find_spec("typst") is not None


async def statement(services: Services, caller: Caller, period: str, form: Form, language: Language) -> bytes:
    """Return the statement of the caller's ``period``, drawn of its bundle once every check of that has held.

    What it shows is what the caller's bundle does. A page has both languages; paper is in ``language``. Raises as
    `bundled` does, and ``InputError`` for PDF where it cannot be set.
    """
    file = await bundled(services, caller, begun(period, "path:period"), None)
    trust = Trust(services.keys.origin, services.keys.root.public.hex())
    return await asyncio.to_thread(_drawn, file, services.settings.data / "tmp", trust, form, language)


def _drawn(file: IO[bytes], folder: Path, trust: Trust, form: Form, language: Language) -> bytes:
    from licet.audit.drawing import pages, paper  # heavy, and seldom asked for
    from licet.audit.drawing.figures import figures

    with file, tempfile.NamedTemporaryFile(dir=folder, suffix=".zip") as named:
        file.seek(0)
        shutil.copyfileobj(file, named)
        named.flush()
        found = figures(Path(named.name), trust)
    return pages.statement(found).encode() if form == "html" else paper.statement(found, language)
