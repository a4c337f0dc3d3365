"""What is signed at the portal: the page shows the very bytes, a passkey signs their digest, and the form brings both.

``templates/signing.html`` draws it and ``signForm`` in ``static/passkey.js`` lets it be signed. Nothing is kept of what
was only shown: the form carries its own bytes, so one that is sent twice says the same twice.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from licet import canonical, times
from licet.canonical import from_base64, to_base64
from licet.errors import InputError
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope, Signature, pae
from licet.statements.kinds import PAYLOAD_TYPE
from licet.statements.webauthn import Assertion, to_base64url
from registry.accounts.identity import Caller
from registry.accounts.letting_in import roots
from registry.accounts.stepping import FRESH, hold_fresh
from registry.errors import Invalid
from registry.portal.frame.forms import Form
from registry.services import Services

MOST_SIGNATURES: Final = 4

Payload = TypeVar("Payload", bound=msgspec.Struct)


class Signable(NamedTuple):
    """A statement on a page: its bytes as the form carries and as people read them, and who may sign it there."""

    kind: str
    payload: str  # Base64 of the bytes
    text: str  # the same bytes: canonical JSON
    challenge: str  # the digest that the passkey signs
    passkeys: list[tuple[str, str]]  # credential and key id of each that may do everything
    site: str
    fresh: int | None  # seconds for which no passkey has to be shown first; None where none has to be at all


async def signable(
    services: Services, caller: Caller, payload: msgspec.Struct | bytes, kind: str, *, fresh: bool = False
) -> Signable:
    """Return ``payload`` as a page shows it, to be signed by a passkey of ``caller``; ``fresh``: a step-up first."""
    body = payload if isinstance(payload, bytes) else canonical.encode(payload)
    return Signable(
        kind,
        to_base64(body),
        body.decode(),
        to_base64url(sha256(pae(PAYLOAD_TYPE.format(kind=kind), body)).digest()),
        await roots(services, caller.account),
        services.settings.site.rp_id,
        fresh_for(caller) if fresh else None,
    )


def read(form: Form, kind: type[Payload], field: str = "payload") -> Payload:
    """Return the payload that ``form`` carries; raises ``Invalid`` for anything else than one of ``kind``."""
    try:
        return msgspec.json.decode(from_base64(form.get(field), field), type=kind)
    except (InputError, msgspec.MsgspecError, ValueError):
        raise Invalid(f"{field}: expected the statement that the page was made with, got something else") from None


def envelope_of(form: Form, kind: str) -> Envelope:
    """Return the statement in ``form`` with the signatures that passkeys have given it, in their order."""
    return Envelope(form.get("payload"), PAYLOAD_TYPE.format(kind=kind), signatures_of(form))


async def attested(services: Services, caller: Caller, envelope: Envelope) -> Envelope:
    """Return a statement that no passkey has signed with the registry's word that ``caller`` asked for it.

    Whoever takes it holds it to give nothing up. Raises ``StepUpRequired`` unless a passkey was shown just now.
    """
    hold_fresh(caller)
    async with services.database.transaction() as conn:
        office = await services.keys.hold(conn, "office")
    return envelopes.countersign(envelope, office)


def signatures_of(form: Form) -> list[Signature]:
    """Return the signatures in ``form``, none where scripts are off; raises ``Invalid`` for parts of one."""
    columns: list[Any] = [form.all(name) for name in ("keyid", "sig", "authenticator", "client")]
    if len({len(each) for each in columns}) != 1 or len(columns[0]) > MOST_SIGNATURES:
        raise Invalid(f"expected at most {MOST_SIGNATURES} whole signatures by passkeys, got parts, or more")
    return [
        Signature(keyid, sig, Assertion(authenticator, client))
        for keyid, sig, authenticator, client in zip(*columns, strict=True)
    ]


def fresh_for(caller: Caller) -> int:
    """Return for how many seconds more the session of ``caller`` needs no passkey shown (``data-fresh``)."""
    if caller.stepped_up_at is None:
        return 0
    return max(0, int((caller.stepped_up_at + FRESH - times.now()).total_seconds()))
