"""``licet doctor``: what is wrong with this set-up, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from licet import times
from licet.cli.output import COMMON, Common, show
from licet.errors import LicetError

if TYPE_CHECKING:
    from licet.client import Client


def doctor(*, common: Common = COMMON) -> int:
    """Look at home, service, registry, account and snapshot; exit 1 if something is wrong."""
    with common.client() as client:
        findings = list(_examine(client))
    wrong = [finding for finding in findings if not finding["ok"]]
    lines = [f"{'ok   ' if finding['ok'] else 'WRONG'} {finding['check']}: {finding['says']}" for finding in findings]
    show(common, {"ok": not wrong, "findings": findings}, lines)
    return 1 if wrong else 0


def _examine(client: Client) -> Iterator[dict[str, Any]]:
    checks: dict[str, Callable[[Client], str]] = {
        "home": _home,
        "service": _service,
        "registry": _registry,
        "account": _account,
        "snapshot": _snapshot,
    }
    for name, check in checks.items():
        try:
            yield {"check": name, "ok": True, "says": check(client)}
        except LicetError as error:
            yield {"check": name, "ok": False, "says": str(error)}


def _home(client: Client) -> str:
    profile = client.profile
    known = profile.account
    return f"{client.home.folder}, {known.account if known else 'no account in this profile (not needed to filter)'}"


def _service(client: Client) -> str:
    client.transport.request("GET", "/health/live")
    return f"{client.url} answers"


def _registry(client: Client) -> str:
    keys = client.working_keys()
    return f"{keys.ref.origin}, root {keys.ref.key[:16]}… is pinned and names {len(keys.lines)} working keys"


def _account(client: Client) -> str:
    if client.transport.token is None:
        return "no token: exact look-ups only"
    me = client.me()
    return f"{me.name} ({me.account}), this token may {', '.join(me.scopes)}"


def _snapshot(client: Client) -> str:
    found = client.snapshot.info()
    if found.expired:
        client.snapshot.open()
    left = times.from_text(found.expires_at) - times.now()
    return f"{found.works} works at log size {found.log_size}, good for {left.total_seconds() / 3600:.1f} h more"
