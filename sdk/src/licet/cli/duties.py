"""``licet duties``: what is due since licences were revoked; ``licet licences revoke``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from cyclopts import App, Parameter

from licet.cli.asking import confirm
from licet.cli.output import COMMON, Common, note, printable, show
from licet.cli.wording import moment_from
from licet.counted import many
from licet.errors import InputError

if TYPE_CHECKING:
    from licet.statements.kinds import DutyDone, LicenceRevoke
    from licet.wire.duties import DutyInfo, Revocable, RevocableWorks

app = App(name="duties", help="What is due since licences were revoked: list and show it, state that it was done.")

Several = Parameter(consume_multiple=True, negative="")
_YES = Annotated[bool, Parameter(negative="", help="Do not ask.")]
_EFFECTS = {
    "stop-new-runs": "no new run may use the works; models that were trained stay",
    "retire-model": "no new run may use the works, and the models trained on them must be retired",
    "unlearn": "no new run may use the works, and the models trained on them must forget them",
}


@app.default
def list_duties(
    *,
    state: Annotated[Literal["open", "overdue", "done"] | None, Parameter(help="Only those in this state.")] = None,
    licence: Annotated[str | None, Parameter(help="Only those of this licence.")] = None,
    common: Common = COMMON,
) -> None:
    """List the duties that you owe, caused by revoking a licence, or audit; newest first."""
    wanted: dict[str, Any] = {"state": state, "licence": licence}
    with common.client() as client:
        found = list(client.duties(**{name: value for name, value in wanted.items() if value is not None}))
        account = client.profile.account
    lines = [
        f"{each.duty}  {each.state}  {each.effect}  {_when(each)}  {each.model}@{each.version}  "
        f"{many(each.works, 'work')} of {each.licence}"
        for each in found
    ]
    own = [each for each in found if account is not None and each.organisation == account.account]
    waiting = sum(each.state == "overdue" for each in own)
    if waiting and not common.json:
        note(f"{many(waiting, 'duty', 'duties')} overdue: `licet duties done DUTY --statement …` states what was done.")
    show(common, {"duties": msgspec.to_builtins(found)}, lines or ["No such duties."])


@app.command(name="show")
def show_duty(duty: str, /, *, common: Common = COMMON) -> None:
    """Show one duty with what was revoked and what was stated to be done; signatures and log are checked here.

    Parameters
    ----------
    duty
        The duty, such as dut_….
    """
    from licet.datasets.agreeing.doing import documents

    with common.client() as client:
        found = client.duty(duty)
        revoked, done = documents(client, found)
    document = {
        "duty": msgspec.to_builtins(found.duty),
        "revoked": msgspec.to_builtins(revoked),
        "done": None if done is None else msgspec.to_builtins(done),
    }
    show(common, document, [*_told(found.duty), *_said(revoked, done)])


@app.command
def done(
    duty: str,
    /,
    *,
    statement: Annotated[str, Parameter(help="What was done: the artist and auditors read it.")],
    at: Annotated[str | None, Parameter(help="When it was done, such as 2026-12-24 (default: now).")] = None,
    yes: _YES = False,
    common: Common = COMMON,
) -> None:
    """State under your signature that a duty was done, and how; it cannot be taken back.

    Parameters
    ----------
    duty
        The duty, such as dut_….
    """
    from licet.datasets.agreeing.doing import documents, state_done

    done_at = moment_from(at, "--at")
    with common.client() as client:
        found = client.duty(duty)
        if done_at is not None and done_at < (found.duty.revoked_at or ""):
            expected = f"a time from {found.duty.revoked_at} on, when the works were revoked"
            raise InputError.field("--at", expected, at)
        revoked, _ = documents(client, found)
        told = [*_told(found.duty), *_said(revoked, None), f"  You state: {printable(statement)}"]
        confirm(told, "Sign that this was done? [y/N]", yes=yes, nothing="nothing was signed")
        accepted = state_done(client, found, statement, done_at)
    document = {"duty": msgspec.to_builtins(accepted.duty), "log_index": accepted.receipt.log_index}
    show(common, document, [*_told(accepted.duty), f"Signed, entry {accepted.receipt.log_index} of the log."])


def revoke(
    licence: str,
    /,
    *,
    work: Annotated[list[str] | None, Several, Parameter(help="Only for these works (default: all of yours).")] = None,
    reason: Annotated[str, Parameter(help="What you want to say to whoever holds it.")] = "",
    yes: _YES = False,
    common: Common = COMMON,
) -> None:
    """Revoke a licence on your works, where the terms that it was taken under allow that; it cannot be taken back.

    Parameters
    ----------
    licence
        The licence, such as lic_….
    """
    from licet.catalogue.revoking import chosen
    from licet.catalogue.revoking import revoke as revoked

    with common.client() as client:
        found = client.revocable(licence)
        groups = chosen(found, work or ())
        confirm(_consequences(found, groups), "Revoke it? [y/N]", yes=yes, nothing="nothing was revoked")
        accepted = revoked(client, licence, groups, reason)
    document = {
        "duties": [msgspec.to_builtins(each.duty) for each in accepted],
        "log_index": [each.receipt.log_index for each in accepted],
    }
    show(common, document, [line for each in accepted for line in _told(each.duty)])


def _consequences(found: Revocable, groups: Iterable[RevocableWorks]) -> Iterator[str]:
    yield f"{printable(found.name)} ({found.organisation}) holds {found.licence} for {found.model}@{found.version}."
    for each in groups:
        after = f"after {many(each.notice_days, 'day')} of notice" if each.notice_days else "at once"
        yield f"  {many(len(each.works), 'work')}: {after} {_EFFECTS[each.effect]}."
    yield "  Until then the licence covers what it covered. What was owed before stays owed to you."
    if found.firm:
        yield f"  {many(len(found.firm), 'work')} stay licensed: their terms allow no revocation."
    yield "  Your terms stay as they are: `licet terms set` changes what anybody may license from now on."
    yield "  It cannot be taken back."


def _when(duty: DutyInfo) -> str:
    if duty.done_at is not None:
        return f"done {duty.done_at}"
    return f"due {duty.due_at or 'once it is in the log'}"


def _told(duty: DutyInfo) -> Iterator[str]:
    yield f"{duty.duty}  {duty.state}: {duty.effect}, {_when(duty)}"
    yield f"  {printable(duty.name)} ({duty.organisation}), {duty.model}@{duty.version}: {_EFFECTS[duty.effect]}."


def _said(revoked: LicenceRevoke, done: DutyDone | None) -> Iterator[str]:
    yield f"  {revoked.account} revoked {revoked.licence} for {many(len(revoked.works), 'work')}."
    if revoked.reason:
        yield f"  She says: {printable(revoked.reason)}"
    if done is not None:
        yield f"  {done.organisation} states that at {done.done_at}: {printable(done.statement)}"
