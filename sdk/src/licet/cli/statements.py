"""``licet statement``: what was signed, kept as a file and checked without asking anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter

from licet.cli.output import COMMON, Common, show
from licet.cli.trusting import believed
from licet.cli.wording import refuse_existing
from licet.errors import InputError
from licet.identifiers import to_uuid

app = App(name="statement", help="Fetch a signed statement, verify one offline, or export it for others.")
MAX_FILE = 64 << 20


@app.command
def fetch(
    statement: str,
    /,
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"], help="Where to keep it.")],
    receipt: Annotated[bool, Parameter(negative="", help="Fetch its COSE receipt (RFC 9942) instead.")] = False,
    overwrite: Annotated[bool, Parameter(negative="", help="Replace the file that is there.")] = False,
    common: Common = COMMON,
) -> None:
    """Fetch a statement with everything that proves it."""
    from licet.home import write_private

    to_uuid(statement, "stm", field="statement")
    refuse_existing(output, overwrite=overwrite)
    with common.client() as client:
        data = client.statement_receipt(statement) if receipt else client.statement_file(statement)
    write_private(output, data)
    show(common, {"statement": statement, "file": str(output), "bytes": len(data)}, [f"{statement} is in {output}."])


@app.command
def verify(
    file: Path,
    /,
    *,
    policy: Annotated[Path | None, Parameter(help="A policy (C2SP tlog-policy) or a trust file.")] = None,
    entry: Annotated[Path | None, Parameter(help="The statement file that a COSE receipt is about.")] = None,
    common: Common = COMMON,
) -> int:
    """Verify a statement offline: signatures, keys, place in the log. Exit 1 if nothing pinned vouches for it.

    Takes a statement file, a credential or signed statement of it, or a COSE receipt with its --entry.
    """
    from licet.exports.reading import verify_any
    from licet.home import Home
    from licet.statements.trust import Trust

    try:
        data = _read(file)
        about = None if entry is None else _read(entry)
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read: {error.strerror}") from None
    pinned, rules = believed(policy, Home().profile(common.profile))
    trust = Trust(pinned.origin, pinned.root) if pinned else None
    verified, more = verify_any(data, trust, rules, about=about, name=str(file))
    checks = [*verified.checks, *more]
    document = {
        "verified": verified.verified,
        "root": verified.anchored,
        "policy": verified.logged_under,
        "kind": verified.kind,
        "log_index": verified.log_index,
        "logged_at": verified.logged_at,
        "effect_recomputed": verified.effect_recomputed,
        "checks": checks,
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
    show(common, document, [*lines, *(f"  {check}" for check in checks)])
    return 0 if verified.verified else 1


@app.command
def export(
    file: Path,
    /,
    *,
    form: Annotated[Literal["vc", "scitt"], Parameter(name="--as", help="W3C credential, or SCITT signed statement.")],
    output: Annotated[Path, Parameter(name=["-o", "--output"], help="Where to keep it.")],
    receipt: Annotated[list[Path] | None, Parameter(help="A COSE receipt to put into a signed statement.")] = None,
    overwrite: Annotated[bool, Parameter(negative="", help="Replace the file that is there.")] = False,
    common: Common = COMMON,
) -> None:
    """Write a statement in a form that others verify, signed by the key that signed the statement."""
    from licet.exports.credential import consent_credential
    from licet.exports.reading import read_statement_file
    from licet.exports.signed_statement import signed_statement
    from licet.home import Home, write_private
    from licet.statements.keys import SigningKey

    refuse_existing(output, overwrite=overwrite)
    if receipt and form != "scitt":
        raise InputError("--receipt: expected it with --as scitt, got --as vc; a credential carries the proof already")
    try:
        statement = read_statement_file(_read(file), str(file))
        receipts = [_read(each) for each in receipt or []]
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read: {error.strerror}") from None
    key = SigningKey.load(Home().profile(common.profile).key_path)
    if form == "vc":
        data = msgspec.json.format(msgspec.json.encode(consent_credential(statement, key), order="sorted")) + b"\n"
    else:
        data = signed_statement(statement, key, receipts)
    write_private(output, data)
    what = "credential" if form == "vc" else "transparent statement" if receipts else "signed statement"
    document = {"form": form, "file": str(output), "bytes": len(data), "receipts": len(receipts)}
    show(common, document, [f"The {what} is in {output}."])


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE:
        raise InputError(f"{path}: expected at most {MAX_FILE} bytes, got {path.stat().st_size}")
    return path.read_bytes()
