"""``licet balance``: what is owed, per currency, never added up across them."""

from __future__ import annotations

from licet.cli.output import COMMON, Common, show

_WORDS = {
    "payable": "payable to you",
    "escrow": "in escrow: owed while your claim was below level 2, or contested",
    "receivable": "owed by you",
}


def balance(*, common: Common = COMMON) -> None:
    """Show what you are owed, or owe."""
    with common.client() as client:
        me, found = client.me(), client.balance()
    document = {"account": found.account, "name": me.name, "lines": found.lines, "as_of": found.as_of}
    lines = [f"{line.amount} {line.currency}  {_WORDS[line.account]}" for line in found.lines]
    show(common, document, lines or ["nothing is owed either way"])
