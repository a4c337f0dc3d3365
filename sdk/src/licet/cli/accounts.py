"""``licet account``: who am I here, and the end of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from licet.cli.asking import confirm
from licet.cli.erasing import erasing, told
from licet.cli.joining import join_by, joined_now, let_in
from licet.cli.levels import ladder, level_words
from licet.cli.output import COMMON, Common, note, progress, show
from licet.counted import many
from licet.errors import InputError

if TYPE_CHECKING:
    from licet.wire.accounts import KeyInfo

app = App(name="account", help="Make an account with keys of your own, show it, recover it, erase it.")
app.command("licet.cli.keys:app", name="key", help="Add, rotate, revoke, list and delegate to keys of the account.")
app.command("licet.cli.members:app", name="member", help="Invite somebody into your team by a link, and let them in.")


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
        name = client.profile.account.name if client.profile.account else name
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


@app.command
def join(
    account: str,
    /,
    *,
    key: Annotated[
        Path | None, Parameter(help="The private key that the account's owner made for you (PEM); default: made here.")
    ] = None,
    delegation: Annotated[
        str | None, Parameter(help="Of a delegate key: the statement (stm_…) that says what it may sign.")
    ] = None,
    key_class: Annotated[
        Literal["root", "delegate"],
        Parameter(name="--class", help="Of a key made here. root: everything; delegate: what is delegated to it."),
    ] = "root",
    wait: Annotated[int, Parameter(help="Of a key made here: how many seconds to wait until it is let in.")] = 600,
    common: Common = COMMON,
) -> None:
    """Stand for an account with a further key of it; LICET_TOKEN is a token that the account gave you.

    With --key: a key that the owner made for you, such as an agency's. Without: an organisation's key is made here, and
    a link is printed. Whoever opens it lets the key in with a passkey. Broken off or not let in yet: run it again.
    With the link of an invitation (https://…/join-team#…): the key made here asks by it, for which no token is needed.

    Parameters
    ----------
    account
        The account (org_… or art_…), or the link of an invitation.
    """
    from licet.client import joining, keys
    from licet.statements.keys import SigningKey

    if "#" in account:
        if key is not None:
            raise InputError.field("--key", "no key beside an invitation, which is for one made here", str(key))
        join_by(common, account.rpartition("#")[2])
        return
    if wait < 0:
        raise InputError.field("--wait", "0 or more", wait)
    if key is None and delegation is not None:
        raise InputError.field("--delegation", "it beside --key, whose key it is for", delegation)
    with common.client() as client:
        if key is not None:
            given = keys.join(client, account, SigningKey.load(key), delegation)
        else:
            asked = joining.ask(client, account, key_class)
            found = joining.joined(client, account)
            if found is None and wait:
                note("Open this link, and let the key in with your passkey:")
                note(asked.link)
                note(f"Its key id begins with {asked.keyid[:16]}: the page must show the same.")
                found = let_in(client, account, wait)
            if found is None:
                waiting = {"account": account, "name": None, "key": asked.keyid, "delegation": None}
                lines = [f"Key {asked.keyid} is not let in yet. Let it in with your passkey at:", asked.link]
                lines.append("Then run this again.")
                show(common, {**waiting, "state": "asked", "link": asked.link}, lines)
                return
            given = found[1]
        kept = client.profile.account
    assert kept is not None
    joined_now(common, kept, given)


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
        "frozen": me.frozen,
    }
    lines = [
        f"{me.name} ({me.kind}) is {me.account}, claim level {level_words(me.level)}.",
        f"Keys: {', '.join(_key(key) for key in me.keys) or 'none'}.",
        f"Consents signed: {me.head.seq}. This token may: {', '.join(me.scopes)}.",
    ]
    if me.kind == "artist":
        lines += ["Claim levels, which say how well it is backed that works are yours:", *ladder(me.level)]
    if me.frozen:
        lines.append(
            f"Frozen: {many(me.frozen, 'work')}, since the registry lost what may have been your last word of them. "
            f"They deny until you sign terms for them again: `licet works list --state frozen`, and those of others "
            f"that you share: `licet works list --shared`."
        )
    show(common, document, lines)


def _key(key: KeyInfo) -> str:
    return f"{key.keyid[:16]}… {key.key_class}" + (" (revoked)" if key.revoked_from is not None else "")


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


@app.command
def alerts(
    *,
    off: Annotated[
        list[str] | None, Parameter(consume_multiple=True, negative="", help="Topics to switch off: money, claims, …")
    ] = None,
    on: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="", help="Topics to switch on.")] = None,
    common: Common = COMMON,
) -> None:
    """Show what an artist is alerted of at the portal, by topic, or switch topics off and on.

    Sign-ins, keys and changes of where you are paid are always told. What is off is kept for `licet account events`.
    """
    less, more = _topics(off), _topics(on)
    if both := sorted(less & more):
        raise InputError.field("--on", "topics that are not named by --off, too", ", ".join(both))
    with common.client() as client:
        now = client.alerts()
        known = {*now.on, *now.off}
        for option, named in (("--off", less), ("--on", more)):
            if kept := sorted(named & {*now.always}):
                raise InputError.field(option, "topics that are not always told", ", ".join(kept))
            if unknown := sorted(named - known):
                raise InputError.field(option, f"any of {', '.join(sorted(known))}", ", ".join(unknown))
        if less or more:
            now = client.set_alerts(sorted({*now.off, *less} - more))
    lines = [f"On: {', '.join(now.on) or 'none'}.", f"Off: {', '.join(now.off) or 'none'}."]
    show(common, {"on": now.on, "off": now.off, "always": now.always}, [*lines, f"Always on: {', '.join(now.always)}."])


def _topics(given: list[str] | None) -> set[str]:
    return {part for each in given or () for part in each.split(",") if part}


@app.command
def export(
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"], help="A folder, or a file that ends in .zip or .tar.")],
    overwrite: Annotated[bool, Parameter(negative="", help="Replace what is there.")] = False,
    common: Common = COMMON,
) -> None:
    """Take everything home that the registry has of this account: JSON lines, small pictures, statements with proofs.

    Every statement is verified as it comes, against the pinned registry. It appears whole or not at all; interrupted,
    run it again: what came already is not fetched again.
    """
    from licet.catalogue.takeout import take_home

    with common.client() as client, progress("bytes", None) as advance:
        counts = take_home(client, output, overwrite=overwrite, advance=advance)
    counted = ", ".join(_section(name, count) for name, count in counts.items() if count)
    lines = [f"{counted}: in {output}.", f"{many(counts.get('signed', 0), 'statement')} verified."]
    show(common, {"output": str(output), "verified": counts.get("signed", 0), **counts}, lines)


def _section(name: str, count: int) -> str:
    """Return ``1 key``, ``2 keys``, ``1 batch``: sections are called by what there are many of, or by one word."""
    words = name.replace("_", " ")
    one = words.removesuffix("es") if words.endswith("ches") else words.removesuffix("s")
    return many(count, one, words)


@app.command
def erase(
    *,
    no_deny: Annotated[bool, Parameter(help="Leave no deny: the works leave the next snapshot.")] = False,
    dry_run: Annotated[bool, Parameter(help="Only say what would be erased.")] = False,
    yes: Annotated[bool, Parameter(help="Do not ask.")] = False,
    common: Common = COMMON,
) -> None:
    """Erase this account at the registry, for good; what is in LICET_HOME stays.

    The log holds nothing but commitments, and evidence that others hold still verifies. Statements that others rely on
    are kept for them and for auditors. Your works go on to deny every use, without your name, unless --no-deny.
    """
    from licet.client import account

    with common.client() as client:
        me = client.me()
        done = client.erase_account(me.account, deny=not no_deny, dry_run=True)
        if not dry_run:
            question = f"Erase {me.name} ({me.account})? Type the account to go on:"
            confirm(erasing(done), question, yes=yes, nothing="nothing was erased", answers=(me.account,))
            done = account.erase(client, deny=not no_deny)
    document = {
        "account": done.account,
        "dry_run": done.dry_run,
        "statement": done.statement,
        "log_index": None if done.receipt is None else done.receipt.log_index,
        "works": done.works,
        "denied": done.denied,
        "erased": done.erased,
        "kept": done.kept,
        "restricted": done.restricted,
    }
    lines = told(done)
    if done.receipt is not None:
        lines.insert(0, f"{done.account} is erased, entry {done.receipt.log_index} of the log: {done.statement}.")
    show(common, document, lines)
