"""``licet account member``: somebody joins the team by a link, and is let in once they have asked."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Parameter

from licet.cli.output import COMMON, Common, note, show
from licet.errors import InputError
from licet.wire.accounts import InvitationInfo, InvitationState

app = App(name="member", help="Invite somebody into your team by a link, and let them in.")


@app.command
def invite(
    *,
    key_class: Annotated[
        Literal["root", "delegate"],
        Parameter(name="--class", help="root: a person or program that may do everything; delegate: a program's key."),
    ] = "root",
    days: Annotated[int, Parameter(help="For how many days the link works, at most 30.")] = 7,
    whom: Annotated[str, Parameter(name="--for", help="A note of whom it is for; only your team sees it.")] = "",
    common: Common = COMMON,
) -> None:
    """Make a link that somebody joins the team by: it is printed this once, and works once.

    A person opens it in a browser and makes a passkey; a program runs `licet account join` with it. Neither may do
    anything before `licet account member admit`, or a passkey of the team at the portal, lets the new key in.
    """
    if not 1 <= days <= 30:
        raise InputError.field("--days", "1 to 30", days)
    with common.client() as client:
        made = client.create_invitation(key_class, days, whom)
    info = made.invitation
    show(common, {"link": made.link, **_document(info)}, [made.link])
    if not common.json:
        note(f"{info.invitation} works once, until {info.expires_at[:10]}; it is not shown again.")


@app.command(name="list")
def list_invitations(
    *,
    state: Annotated[InvitationState | None, Parameter(help="Only those in this state.")] = None,
    common: Common = COMMON,
) -> None:
    """List the team's invitations, newest first, and the keys that ask by them."""
    with common.client() as client:
        found = list(client.invitations() if state is None else client.invitations(state=state))
    lines = [
        f"{each.invitation}  {each.state}  {each.key_class}  until {each.expires_at[:10]}"
        + (f"  key {each.keyid[:16]}" if each.keyid else "")
        + (f"  {each.note}" if each.note else "")
        for each in found
    ]
    show(common, {"invitations": [_document(each) for each in found]}, lines or ["Nobody was invited."])


@app.command
def withdraw(invitation: str, /, *, common: Common = COMMON) -> None:
    """Take an invitation back by its id (ivt_…): its link opens nothing, and who asked by it is forgotten."""
    with common.client() as client:
        done = client.withdraw_invitation(invitation)
    show(common, _document(done), [f"{done.invitation} is withdrawn."])


@app.command
def admit(code: str, /, *, common: Common = COMMON) -> None:
    """Let in the key that asks by an invitation, with this profile's own key.

    Parameters
    ----------
    code
        How the new key's id begins, 8 digits or more, as the one who joins tells you: their page or program shows it.
    """
    from licet.client import members

    with common.client() as client:
        invitation, done = members.admit(client, code)
    document = {"key": done.keyid, "statement": done.statement, "log_index": done.log_index}
    lines = [f"Key {done.keyid} is let in, entry {done.log_index} of the log."]
    if invitation.key_class == "delegate":
        lines.append(f"It signs nothing before `licet account key delegate {done.keyid[:16]} --scope …`.")
    show(common, {**document, "invitation": invitation.invitation}, lines)


def _document(info: InvitationInfo) -> dict[str, str | None]:
    return {
        "invitation": info.invitation,
        "class": info.key_class,
        "for": info.note,
        "state": info.state,
        "created_at": info.created_at,
        "expires_at": info.expires_at,
        "key": info.keyid,
    }
