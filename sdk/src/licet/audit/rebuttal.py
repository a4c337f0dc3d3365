"""The answer to a document that shows a work left out: the logged erasure of the account whose work it is.

It explains the absence, and accuses nobody: that the office logged an erasure which the account never asked for would
show in the account's own hands, and is another matter.
"""

from __future__ import annotations

from typing import Any

from licet.audit.omission import Shown
from licet.errors import VerificationError
from licet.statements.kinds import Erase
from licet.statements.statement_file import StatementFileLike, verify_statement_file
from licet.statements.trust import Trust


def verify_rebuttal(shown: Shown, file: StatementFileLike, trust: Trust) -> str:
    """Return, as a sentence, how the statement in ``file`` explains what was shown.

    Raises ``VerificationError`` if it does not: for anything but an erasure of that account, logged between the
    statement and the snapshot, that left no deny; or if nothing could explain it.
    """
    if shown.unless is None:
        raise VerificationError(
            f"expected a document that an erasure could explain, got one that shows: {shown.sentence}"
        )
    open_ = shown.unless
    verified = verify_statement_file(file, trust)
    stated: Any = verified.payload
    if not isinstance(stated, Erase):
        raise VerificationError(f"expected the statement of an erasure, got a {verified.kind}")
    if (stated.account, stated.genesis) != (open_.account, open_.genesis):
        raise VerificationError(f"expected the erasure of {open_.account}, got that of {stated.account}")
    if not open_.after < verified.log_index < open_.before:
        raise VerificationError(
            f"expected an erasure behind log entry {open_.after} and below entry {open_.before}, "
            f"got one at entry {verified.log_index}"
        )
    if stated.deny is not None:
        raise VerificationError(
            f"expected an erasure that left no deny, got one that left {stated.deny.count} works in the snapshots"
        )
    return (
        f"log entry {verified.log_index} of {verified.logged_at} erased {stated.account}, and no deny was to stay: "
        f"its works left the snapshots with it"
    )
