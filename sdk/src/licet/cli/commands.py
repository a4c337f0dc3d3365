"""Every command by name, and what is told without running one: `licet --version` and `licet --help` import no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

# Command → its module, imported only when it is called so that `licet check` stays quick, and its line of help.
COMMANDS: Final = {
    "account": ("licet.cli.accounts:app", "Make an account with keys of your own, show it, recover it."),
    "login": ("licet.cli.login:login", "Say who you are here, or the ways in: nobody has a password."),
    "token": ("licet.cli.tokens:app", "Create, list and revoke access tokens."),
    "claim": ("licet.cli.claims:app", "Claim a domain, and have it looked at: what it proves raises your claim level."),
    "claims": ("licet.cli.claims:claims", "List the domains that you claim."),
    "register": ("licet.cli.register:register", "Register pictures, texts or a table of works, and sign their terms."),
    "works": ("licet.cli.works:app", "List, show, change, share, withdraw and export your works."),
    "terms": ("licet.cli.terms:app", "Show, change, take back and undo what you consent to."),
    "check": ("licet.cli.check:check", "Ask whether a use of a picture, text, URL or digest is permitted."),
    "signals": ("licet.cli.signals:signals", "Show what the web and files say about uses, in every dialect."),
    "explain": ("licet.cli.explain:explain", "Show the chain from a picture or text to the rule that decides it."),
    "snapshot": ("licet.cli.snapshot:app", "Fetch and verify the signed snapshot that decisions are made from."),
    "filter": ("licet.cli.filter:filter_dataset", "Filter a dataset: keep what is permitted, take licences if asked."),
    "recheck": ("licet.cli.recheck:recheck", "Name the rows of an earlier filter that must go now."),
    "dataset": ("licet.cli.dataset:app", "Compare filtered datasets; list, show and describe those in the register."),
    "licences": ("licet.cli.licences:app", "List and show licences, ask for them, offer, accept and revoke them."),
    "duties": ("licet.cli.duties:app", "List and show what is due since licences were revoked, state it done."),
    "run": ("licet.cli.runs:app", "Report a training run."),
    "models": ("licet.cli.models:app", "List, show and describe the models that were trained, and on what."),
    "usage": ("licet.cli.usage:app", "Send spooled usage, show what is still to be sent, or correct what was."),
    "revenue": ("licet.cli.revenue:app", "Report revenue that is shared, and show how shares of it come about."),
    "balance": ("licet.cli.balance:balance", "Show what you are owed, or owe, now or through a closed month."),
    "invoices": ("licet.cli.invoices:app", "List and show what you are asked to pay."),
    "charges": ("licet.cli.charges:app", "List what you were charged, or credited."),
    "disputes": ("licet.cli.disputes:app", "Say that a work is yours or a charge was wrong; answer, follow, appeal."),
    "payout": ("licet.cli.remittances:payout", "Say where you are paid, or show it."),
    "remittances": ("licet.cli.remittances:app", "List and show what you were paid."),
    "statement": ("licet.cli.statements:app", "Fetch a signed statement, or verify one offline."),
    "log": ("licet.cli.log:app", "Verify the transparency log."),
    "witness": ("licet.cli.witness:app", "Cosign the checkpoints of logs that only ever grow."),
    "monitor": ("licet.cli.monitor:monitor", "Watch your own works in each new snapshot."),
    "audit": ("licet.cli.audit:app", "Pull evidence and verify it offline, decide rows of a dataset again."),
    "trace": ("licet.cli.trace:trace", "Show where a picture of yours went: licences, uses, charges, log entries."),
    "doctor": ("licet.cli.doctor:doctor", "Say what is wrong with this set-up."),
}
ABOUT: Final = "Register works with signed terms, filter datasets against them, report use, check the books."


def told(given: Sequence[str]) -> str | None:
    """Return what is asked of the whole command line alone, its version or its help; None for anything else."""
    if list(given) == ["--version"]:
        from licet import __version__

        return __version__
    if list(given) in ([], ["--help"], ["-h"]):
        return _help()
    return None


def _help() -> str:
    width = max(map(len, COMMANDS)) + 2
    commands = "\n".join(f"  {name:<{width}}{line}" for name, (_, line) in sorted(COMMANDS.items()))
    return (
        f"Usage: licet COMMAND\n\n{ABOUT}\n\nCommands:\n{commands}\n\n"
        "`licet COMMAND --help` says what a command takes; every one takes --json and --profile NAME.\n"
        "`licet --version` says which licet this is, `licet doctor` what is wrong with a set-up."
    )
