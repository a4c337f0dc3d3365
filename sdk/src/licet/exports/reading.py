"""What somebody hands in to be verified: a statement file, or one of its forms for others, told apart by its bytes."""

from __future__ import annotations

from typing import Final

import msgspec

from licet.errors import InputError, MalformedError
from licet.exports import cose, credential, receipt, signed_statement, signing
from licet.log.policy import Policy
from licet.misfits import unlike
from licet.statements.statement_file import VerifiedStatement, verify_statement_file
from licet.statements.trust import Trust
from licet.wire.common import StatementFile

_COSE: Final = b"\xd2"


def verify_any(
    data: bytes, trust: Trust | None, rules: Policy | None = None, *, about: bytes | None = None, name: str = "file"
) -> tuple[VerifiedStatement, list[str]]:
    """Return the statement that ``data`` proves and what was checked beside it.

    ``data`` is a statement file, a credential, a SCITT signed statement, or a COSE receipt of the statement whose file
    is ``about``. Raises ``InputError`` for a receipt alone, and as `verify_statement_file` does.
    """
    if about is not None:
        file = read_statement_file(about, "--entry")
        verified = verify_statement_file(file, trust, rules)
        placed = receipt.verify(data, receipt.entry_of(file), signing.trusted_log(file, trust))
        if placed.index != verified.log_index:
            raise MalformedError(f"expected a receipt for log index {verified.log_index}, got one for {placed.index}")
        return verified, [f"a COSE receipt for entry {placed.index} of {placed.size}"]
    if data.startswith(_COSE):
        if cose.parse(data, limit=signed_statement.MAX_BYTES).payload is None:
            raise InputError(
                f"{name}: expected the statement that a COSE receipt is about, got none (--entry names it)"
            )
        return signed_statement.verify_signed_statement(data, trust, rules)
    if credential.looks_like(data):
        return credential.verify_credential(data, trust, rules)
    return verify_statement_file(read_statement_file(data, name), trust, rules), []


def read_statement_file(data: bytes, name: str) -> StatementFile:
    """Return the statement file in ``data``, verified by nobody; ``MalformedError`` begins with ``name``."""
    try:
        return msgspec.json.decode(data, type=StatementFile)
    except msgspec.MsgspecError as error:
        raise MalformedError(f"{name}: expected a statement file, got {unlike(error)}") from None
