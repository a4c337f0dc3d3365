"""``licet disputes``: a work of somebody else's is yours, or a charge was wrong; opened, answered, followed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from cyclopts import App, Parameter

from licet.cli.asking import confirm
from licet.cli.output import COMMON, Common, note, printable, show
from licet.errors import InputError

if TYPE_CHECKING:
    from licet.client import Client
    from licet.statements.kinds import DisputeStep
    from licet.wire.disputes import DisputeAccepted, DisputeInfo, DisputeShown

app = App(name="disputes", help="Say that a work is yours or a charge was wrong; answer, follow, take back, appeal.")

_STATES = {
    "open": "waits for the other party",
    "answered": "is answered, and waits for a decision",
    "decided": "is decided, and whoever lost can appeal",
    "appealed": "was appealed, and waits for another operator",
    "upheld": "was decided for whoever opened it",
    "dismissed": "was decided against whoever opened it",
    "withdrawn": "was taken back",
}
Several = Parameter(consume_multiple=True, negative="")
_TEXT = Annotated[str, Parameter(help="What you say, in your words; both parties and who decides read it.")]
_EVIDENCE = Annotated[
    list[str] | None, Several, Parameter(help="Works, statements, licences, transfers, or log entries (log:123).")
]
_YES = Annotated[bool, Parameter(negative="", help="Do not ask.")]


@app.command(name="open")
def open_one(
    *,
    text: _TEXT,
    work: Annotated[str | None, Parameter(help="A work that somebody else registered and is yours.")] = None,
    charge: Annotated[str | None, Parameter(help="A charge that is wrong, tra_… of `licet charges list`.")] = None,
    evidence: _EVIDENCE = None,
    yes: _YES = False,
    common: Common = COMMON,
) -> None:
    """Open a dispute: until it ends nothing that it is about is paid."""
    from licet.catalogue.disputing import open_dispute

    if (work is None) == (charge is None):
        raise InputError.field("--work", "one of --work and --charge", "both" if work else "neither")
    subject = work or charge or ""
    with common.client() as client:
        told = [f"  {subject}", *(f"  {printable(line)}" for line in text.split("\n"))]
        confirm(told, "Sign and send this? [y/N]", yes=yes, nothing="nothing was signed")
        accepted = open_dispute(client, subject, text, evidence or ())
    show(common, _document(accepted), [*_told(accepted.dispute), _signed(accepted)])


@app.command(name="list")
def list_disputes(
    *,
    state: Annotated[
        Literal["open", "answered", "decided", "appealed", "upheld", "dismissed", "withdrawn"] | None,
        Parameter(help="Only those in this state."),
    ] = None,
    work: Annotated[str | None, Parameter(help="Only those about this work.")] = None,
    charge: Annotated[str | None, Parameter(help="Only those about this charge.")] = None,
    common: Common = COMMON,
) -> None:
    """List the disputes that you opened, are a party to, or audit; newest first."""
    wanted: dict[str, Any] = {"state": state, "work": work, "charge": charge}
    with common.client() as client:
        found = list(client.disputes(**{name: value for name, value in wanted.items() if value is not None}))
        account = client.profile.account
    own = None if account is None else account.account
    lines = [
        f"{each.dispute}  {each.state}  {each.subject}  "
        + {each.account: f"against {each.against}", each.against: f"by {each.account}"}.get(
            own or "", f"by {each.account} against {each.against}"
        )
        for each in found
    ]
    waiting = [each for each in found if each.against == own and each.state == "open"]
    if waiting and not common.json:
        note("For you to answer: `licet disputes show DISPUTE`, then `licet disputes answer`.")
    show(common, {"disputes": msgspec.to_builtins(found)}, lines or ["No disputes."])


@app.command(name="show")
def show_dispute(dispute: str, /, *, common: Common = COMMON) -> None:
    """Show one dispute with what both parties say and what was decided; every signature is checked here.

    Parameters
    ----------
    dispute
        The dispute, such as dsp_….
    """
    from licet.catalogue.disputing import steps_of

    with common.client() as client:
        found = client.dispute(dispute)
        steps = steps_of(client, found)
    document = {"dispute": msgspec.to_builtins(found.dispute), "steps": msgspec.to_builtins(steps)}
    show(common, document, [*_told(found.dispute), *_said(steps)])


@app.command(name="answer")
def answer_dispute(
    dispute: str,
    /,
    *,
    position: Annotated[Literal["concede", "contest"], Parameter(help="Whether you agree with it, or object.")],
    text: _TEXT,
    evidence: _EVIDENCE = None,
    yes: _YES = False,
    common: Common = COMMON,
) -> None:
    """Answer a dispute that somebody opened with you, once.

    Parameters
    ----------
    dispute
        The dispute, such as dsp_….
    """
    from licet.catalogue.disputing import answer

    _step(
        common,
        dispute,
        lambda client, found: answer(client, found, position, text, evidence or ()),
        "Sign and send this answer?",
        adds=f"you {position}: {printable(text)}",
        yes=yes,
    )


@app.command(name="withdraw")
def withdraw_dispute(dispute: str, /, *, text: _TEXT, yes: _YES = False, common: Common = COMMON) -> None:
    """Take a dispute of yours back: what it held goes on as if it had not been opened.

    Parameters
    ----------
    dispute
        The dispute, such as dsp_….
    """
    from licet.catalogue.disputing import withdraw

    _step(common, dispute, lambda client, found: withdraw(client, found, text), "Take it back?", yes=yes)


@app.command(name="appeal")
def appeal_decision(
    dispute: str, /, *, text: _TEXT, evidence: _EVIDENCE = None, yes: _YES = False, common: Common = COMMON
) -> None:
    """Appeal a decision that you lost by, once: another operator decides again, and that is the end of it.

    Parameters
    ----------
    dispute
        The dispute, such as dsp_….
    """
    from licet.catalogue.disputing import appeal

    _step(
        common,
        dispute,
        lambda client, found: appeal(client, found, text, evidence or ()),
        "Sign and send this appeal?",
        adds=f"you appeal: {printable(text)}",
        yes=yes,
    )


@app.command(name="accept")
def accept_decision(
    dispute: str, /, *, text: _TEXT = "I accept the decision.", yes: _YES = False, common: Common = COMMON
) -> None:
    """Accept a decision that you lost by: the dispute ends at once, also after your appeal.

    Parameters
    ----------
    dispute
        The dispute, such as dsp_….
    """
    from licet.catalogue.disputing import accept

    _step(common, dispute, lambda client, found: accept(client, found, text), "Accept the decision?", yes=yes)


def _step(
    common: Common,
    dispute: str,
    sign: Callable[[Client, DisputeShown], DisputeAccepted],
    question: str,
    *,
    yes: bool,
    adds: str | None = None,
) -> None:
    """``sign`` takes one more step in a dispute, once whoever asks has agreed; ``adds``: what it says to all before."""
    from licet.catalogue.disputing import steps_of

    with common.client() as client:
        found = client.dispute(dispute)
        told = _told(found.dispute)
        if adds is not None:
            told += [*_said(steps_of(client, found)), f"  {adds}"]
        confirm(told, f"{question} [y/N]", yes=yes, nothing="nothing was signed")
        accepted = sign(client, found)
    show(common, _document(accepted), [*_told(accepted.dispute), _signed(accepted)])


def _told(each: DisputeInfo) -> list[str]:
    held = {True: "until then nothing of it is paid", False: "until then it is without effect"}
    lines = [f"{each.dispute}  {_STATES[each.state]}", f"  {each.account} against {each.against}, about {each.subject}"]
    if each.ended_at is None and each.decided is not None and each.appeal_until is not None:
        winner = each.account if each.decided == "upheld" else each.against
        until = f"or does not appeal until {each.appeal_until[:16].replace('T', ' ')} UTC"
        ends = "or another operator has decided" if each.appealed_at else until
        lines.append(f"  decided for {winner}; over once {each.lost_by} accepts it, {ends}; {held[each.holds]}")
    elif each.ended_at is None:
        lines.append(f"  decided after an answer, or from {each.decided_after[:10]} on; {held[each.holds]}")
    return lines


def _said(steps: Sequence[DisputeStep | None]) -> list[str]:
    lines = []
    for each in steps:
        if each is None:
            lines.append("  a step that was erased, or is not in the published log yet")
            continue
        word = each.position or each.outcome
        lines.append(f"  {each.issued_at[:10]}  {each.step}{f', {word}' if word else ''}  {each.account}")
        lines += [f"    {printable(line)}" for line in each.text.split("\n")]
        lines += [f"    evidence: {reference}" for reference in each.evidence]
    return lines


def _signed(accepted: DisputeAccepted) -> str:
    return f"signed: {accepted.statement}, entry {accepted.receipt.log_index} of the log"


def _document(accepted: DisputeAccepted) -> dict[str, Any]:
    return {
        "dispute": msgspec.to_builtins(accepted.dispute),
        "statement": accepted.statement,
        "log_index": accepted.receipt.log_index,
    }
