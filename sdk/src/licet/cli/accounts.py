"""``licet account``: who am I here."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Parameter

from licet.cli.output import COMMON, Common, show

app = App(name="account", help="Make an account with a key of your own, or show it.")


@app.command
def create(
    *,
    kind: Annotated[Literal["artist", "organisation"], Parameter(help="What the account is for.")],
    name: Annotated[str, Parameter(help="The name that others see.")],
    common: Common = COMMON,
) -> None:
    """Make an Ed25519 key, register it, pin the registry; key and token stay in LICET_HOME."""
    from licet.client import account

    with common.client() as client:
        created = account.create(client, kind, name)
        trust = client.profile.trust
        folder = client.profile.folder
    document = {
        "account": created.account,
        "name": name,
        "genesis": created.genesis,
        "level": created.level,
        "log_index": created.receipt.log_index,
        "registry": trust.origin if trust else None,
        "home": str(folder),
        "token_expires_at": created.token.expires_at,
    }
    lines = [
        f"{name} is {created.account}, entry {created.receipt.log_index} of the log.",
        f"Key and token are in {folder}: keep a copy of key.pem, nobody can make it again.",
    ]
    show(common, document, lines)


@app.command(name="show")
def show_account(*, common: Common = COMMON) -> None:
    """Show the account that this profile stands for, as the service sees it."""
    with common.client() as client:
        me = client.me()
    document = {
        "account": me.account,
        "kind": me.kind,
        "name": me.name,
        "genesis": me.genesis,
        "level": me.level,
        "scopes": me.scopes,
        "keys": me.keys,
        "consents": me.head.seq,
    }
    lines = [
        f"{me.name} ({me.kind}) is {me.account}, claim level {me.level}.",
        f"Keys: {', '.join(key.keyid[:16] + '… ' + key.key_class for key in me.keys) or 'none'}.",
        f"Consents signed: {me.head.seq}. This token may: {', '.join(me.scopes)}.",
    ]
    show(common, document, lines)
