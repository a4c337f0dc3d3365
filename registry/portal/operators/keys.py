"""The registry's own keys as the log names them, and what is done about them: at the command line, never here."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from litestar import Request, Response, get
from litestar.di import NamedDependency

from licet.statements.keys import key_id
from registry import translog
from registry.portal.frame.languages import everywhere
from registry.portal.frame.pages import HTML
from registry.portal.operators.room import OPERATORS, ROOM
from registry.services import Services
from registry.translog import keyfiles, renewal

#: What of `/health/ready` depends on the keys.
_PARTS: Final = ("log", "checkpoint", "guard", "snapshot")


class Key(NamedTuple):
    """A working key: what `licet-registry key list` says of it, when it is valid, and how a log's key is copied."""

    named: renewal.Named
    valid_from: str | None
    valid_until: str | None
    vkey: str | None


@get(everywhere("/operator/keys"), include_in_schema=False, media_type=HTML, guards=[OPERATORS])
async def keys_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """Every key that the root ever named, which of them signs what, and whether its private half is here."""
    keys = services.keys
    async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        await keys.refresh(conn)
        listed = await renewal.listed(conn, keys)
        size = (await translog.head(conn)).size
    spans = {key_id(each.key.public_key): each.key.vkey for each in keys.log_keys.spans if not each.beside}
    dated = {} if keys.known is None else {each.keyid: each for each in keys.known.lines}
    found = [
        Key(
            each,
            None if (line := dated.get(each.keyid)) is None else line.valid_from,
            None if line is None else line.valid_until,
            spans.get(each.keyid),
        )
        for each in listed
    ]
    checks = (await request.app.state.readiness.look()).checks
    signing = {purpose: _signing(found, purpose) for purpose in keyfiles.PURPOSES}
    return ROOM.page(
        request,
        "keys",
        here="keys",
        root=keys.root.public.hex(),
        rootid=keys.root.keyid,
        root_here=(keys.folder / keyfiles.ROOT).exists(),
        keys=found,
        signing=signing,
        not_beside=keys.not_beside(size),
        health={name: each for name, each in checks.items() if name in _PARTS},
    )


def _signing(keys: list[Key], purpose: str) -> list[str]:
    """Return the ids of the keys that sign for ``purpose`` now: of those in force that are here, a log's all sign each
    checkpoint, and of every other purpose the newest does."""
    usable = [each.named.keyid for each in keys if each.named.purpose == purpose and _usable(each.named)]
    return usable if purpose in ("log", "cosignature") else usable[-1:]


def _usable(named: renewal.Named) -> bool:
    return named.state == "in force" and named.here


ROUTES: Final = [keys_page]
