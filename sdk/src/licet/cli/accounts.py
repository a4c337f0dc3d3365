"""``licet account``: who am I here."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Parameter

from licet.cli.output import COMMON, Common, note, show

app = App(name="account", help="Make an account with keys of your own, show it, recover it.")
app.command("licet.cli.keys:app", name="key", help="Add, rotate, revoke, list and delegate to keys of the account.")


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


@app.command(name="recovery-codes")
def recovery_codes(*, common: Common = COMMON) -> None:
    """Make ten codes that bring the account back when every key is lost; older ones are worthless from then on."""
    from licet.client import keys

    with common.client() as client:
        codes = keys.recovery_codes(client)
    show(common, {"codes": codes}, codes)
    if not common.json:
        note("Each code works once. Write them down, away from your keys; they are not shown again.")


@app.command
def recover(
    account: str,
    /,
    *,
    code: Annotated[str, Parameter(help="One of the account's recovery codes.")],
    common: Common = COMMON,
) -> None:
    """Come back into an account with a recovery code: a new key, which may only tighten for 7 days."""
    from licet.client import keys

    with common.client() as client:
        recovered = keys.recover(client, account, code)
        folder = client.profile.folder
    key = recovered.key
    document = {"account": account, "key": key.keyid, "statement": key.statement, "log_index": key.log_index}
    lines = [
        f"Key {key.keyid} speaks for {account}, entry {key.log_index} of the log.",
        f"For 7 days it may only tighten. Key and token are in {folder}.",
    ]
    show(common, document, lines)


@app.command
def events(*, limit: Annotated[int, Parameter(help="How many, newest first.")] = 50, common: Common = COMMON) -> None:
    """List what the account was told: keys, sessions, delegations, what a delegate signed."""
    with common.client() as client:
        told = list(client.events(limit=limit))
    lines = [f"{each.at}  {each.kind}  {each.detail}" for each in told]
    show(common, {"events": told}, lines or ["Nothing was told yet."])
