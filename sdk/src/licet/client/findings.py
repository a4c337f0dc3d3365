"""Findings of auditors: signed by a key of the auditor's own, which is made with the first of them and kept at home."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Final

from licet import identifiers, times
from licet.audit.checks import NAMES, SAMPLE
from licet.client.blocking import Client
from licet.errors import InputError, NotAllowedError
from licet.home import Profile
from licet.statements import envelope as envelopes
from licet.statements.keys import SigningKey
from licet.statements.kinds import AuditFinding, FoundRow, PublicKey
from licet.statements.kinds.auditing import MOST_ROWS
from licet.wire.auditing import FindingLogged

STATEMENTS: Final = ("dst", "bat", "lic", "run", "stm", "spl", "ask", "rpt", "dut", "dsp", "crd")
"""The kinds of what a finding can be about: statements that evidence holds."""


def state_finding(
    client: Client,
    *,
    concerns: str,
    period: str,
    check: str,
    summary: str,
    about: str | None = None,
    document: str | None = None,
    shown_by: Path | None = None,
    rows: Sequence[FoundRow] = (),
    examined: int = 1,
    failed: int = 1,
    sure: Callable[[], None] = lambda: None,
) -> FindingLogged:
    """Return once a finding about the books of ``concerns`` in ``period`` is signed and in the log.

    ``shown_by`` is the file that shows it to anybody; its SHA-256 is signed. ``sure`` is asked last of all, and raises
    if it was not meant. Raises ``InputError`` naming the field, and ``NotAllowedError`` for whoever is no auditor.
    """
    me = client.me()
    if me.kind != "auditor":
        raise NotAllowedError(f"expected an auditor's token, got one of kind {me.kind}")
    identifiers.to_uuid(concerns, "org", "art", field="concerns")
    if check not in {*NAMES, SAMPLE}:
        near = get_close_matches(check, NAMES, 3) or sorted(NAMES)
        raise InputError.field("check", f"a check of `licet audit verify`, such as {', '.join(near)}, or sample", check)
    if about is not None:
        identifiers.to_uuid(about, *STATEMENTS, field="about")
    sure()
    key = _key(client.profile)
    try:
        finding = AuditFinding(
            registry=client.registry_ref(),
            finding=identifiers.new_id("fnd"),
            auditor=me.account,
            key=PublicKey(key.public.hex()),
            concerns=concerns,
            period=period,
            check=check,
            about=about,
            document=document,
            examined=examined,
            failed=failed,
            rows=list(rows[:MOST_ROWS]),
            shown_by=None if shown_by is None else _digest(shown_by),
            summary=summary,
            issued_at=times.to_text(times.now()),
            nonce=identifiers.new_uuid().hex,
        )
    except ValueError as error:
        raise InputError(str(error), field=str(error).partition(":")[0]) from None
    return client.state_finding(envelopes.seal(finding, key))


def _key(profile: Profile) -> SigningKey:
    """Return the auditor's key, made now if there is none: an auditor's account has none at the registry."""
    if not profile.key_path.exists():
        SigningKey.generate().save(profile.key_path)
    return SigningKey.load(profile.key_path)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            digest = sha256()
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    return digest.hexdigest()
