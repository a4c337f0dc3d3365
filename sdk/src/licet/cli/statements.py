"""``licet statement``: what was signed, kept as a file and checked without asking anybody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import App, Parameter

from licet.cli.log import read_policy
from licet.cli.output import COMMON, Common, show
from licet.cli.wording import refuse_existing
from licet.errors import InputError, MalformedError
from licet.log import policy as policies
from licet.misfits import unlike

if TYPE_CHECKING:
    from licet.log.policy import Policy

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
    policy: Annotated[Path | None, Parameter(help="A policy (C2SP tlog-policy) or a trust file.")] = None,
    common: Common = COMMON,
) -> int:
    """Verify a statement file offline: signatures, keys, place in the log. Exit 1 if nothing pinned vouches for it."""
    from licet.home import Home, TrustFile
    from licet.statements.statement_file import verify_statement_file
    from licet.statements.trust import Trust
    from licet.wire.common import StatementFile

    pinned: TrustFile | None = None
    rules: Policy | None = None
    try:
        data = file.read_bytes() if file.stat().st_size <= MAX_FILE else b""
        text = policy.read_bytes() if policy is not None and policy.stat().st_size <= MAX_FILE else b""
        if policy is not None and not policies.looks_like(text):
            pinned = msgspec.json.decode(text, type=TrustFile)
        else:
            pinned = Home().profile(common.profile).trust
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise InputError(
            f"--policy: expected a policy, or a trust file with origin and root, got {unlike(error)}"
        ) from None
    if policy is not None and policies.looks_like(text):
        rules = read_policy(policy)
        if rules.logs and pinned is not None and all(each.verifier.name != pinned.origin for each in rules.logs):
            pinned = None  # the policy is about other logs than that of the registry pinned here
    try:
        statement = msgspec.json.decode(data, type=StatementFile)
    except msgspec.MsgspecError as error:
        raise MalformedError(f"{file}: expected a statement file, got {unlike(error)}") from None
    verified = verify_statement_file(statement, Trust(pinned.origin, pinned.root) if pinned else None, rules)
    document = {
        "verified": verified.verified,
        "root": verified.anchored,
        "policy": verified.logged_under,
        "kind": verified.kind,
        "log_index": verified.log_index,
        "logged_at": verified.logged_at,
        "checks": verified.checks,
    }
    if verified.anchored:
        verdict = "verified"
    elif verified.verified:
        verdict = "verified by the policy's log alone: no root key is pinned, and none is needed for this kind"
    elif verified.logged_under:
        verdict = (
            f"in the policy's log, but a {verified.kind} rests on the registry's keys, and no root is pinned for them"
        )
    else:
        verdict = "self-consistent, not anchored: no registry is pinned here (--policy names one)"
    lines = [f"{verified.kind}, entry {verified.log_index} of the log at {verified.logged_at}: {verdict}"]
    show(common, document, [*lines, *(f"  {check}" for check in verified.checks)])
    return 0 if verified.verified else 1
