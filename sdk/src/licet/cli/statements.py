"""``licet statement``: what was signed, kept as a file and checked without asking anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from licet.cli.output import COMMON, Common, show
from licet.cli.wording import refuse_existing
from licet.errors import InputError, MalformedError
from licet.misfits import unlike

app = App(name="statement", help="Fetch a signed statement, or verify one offline.")
MAX_FILE = 64 << 20


@app.command
def fetch(
    statement: str,
    /,
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"], help="Where to keep it.")],
    overwrite: Annotated[bool, Parameter(negative="", help="Replace the file that is there.")] = False,
    common: Common = COMMON,
) -> None:
    """Fetch a statement with everything that proves it."""
    from licet.home import write_private

    refuse_existing(output, overwrite=overwrite)
    with common.client() as client:
        data = client.statement_file(statement)
    write_private(output, data)
    show(common, {"statement": statement, "file": str(output), "bytes": len(data)}, [f"{statement} is in {output}."])


@app.command
def verify(
    file: Path,
    /,
    *,
    policy: Annotated[Path | None, Parameter(help="A trust file (origin and root) instead of the pinned one.")] = None,
    common: Common = COMMON,
) -> int:
    """Verify a statement file offline: signatures, keys, place in the log. Exit 1 without a pinned registry."""
    from licet.home import Home, TrustFile
    from licet.statements.statement_file import verify_statement_file
    from licet.statements.trust import Trust
    from licet.wire.common import StatementFile

    pinned: TrustFile | None
    try:
        data = file.read_bytes() if file.stat().st_size <= MAX_FILE else b""
        pinned = (
            msgspec.json.decode(policy.read_bytes(), type=TrustFile)
            if policy is not None
            else Home().profile(common.profile).trust
        )
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise InputError(f"--policy: expected a trust file with origin and root, got {unlike(error)}") from None
    try:
        statement = msgspec.json.decode(data, type=StatementFile)
    except msgspec.MsgspecError as error:
        raise MalformedError(f"{file}: expected a statement file, got {unlike(error)}") from None
    verified = verify_statement_file(statement, Trust(pinned.origin, pinned.root) if pinned else None)
    document = {
        "verified": verified.anchored,
        "kind": verified.kind,
        "log_index": verified.log_index,
        "logged_at": verified.logged_at,
        "checks": verified.checks,
    }
    verdict = (
        "verified"
        if verified.anchored
        else "self-consistent, not anchored: no registry is pinned here (--policy names one)"
    )
    lines = [f"{verified.kind}, entry {verified.log_index} of the log at {verified.logged_at}: {verdict}"]
    show(common, document, [*lines, *(f"  {check}" for check in verified.checks)])
    return 0 if verified.anchored else 1
