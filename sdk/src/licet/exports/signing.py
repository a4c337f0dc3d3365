"""Who may export a statement: the holder of the one Ed25519 key that signed it; and what an export calls it."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from licet.errors import InputError, VerificationError
from licet.log.keys import LogKeys
from licet.statements.evidence import Evidence
from licet.statements.keys import SigningKey, key_id
from licet.statements.trust import Trust, is_key_statement, verify_registry_keys
from licet.wire.common import StatementFile


def subject(file: StatementFile) -> str:
    """Return the name of the statement: the SHA-256 of its payload, as the next one names it, as an RFC 6920 URI."""
    digest = urlsafe_b64encode(bytes.fromhex(file.envelope.payload_digest)).decode().rstrip("=")
    return f"ni:///sha-256;{digest}"


def hold_to_signer(file: StatementFile, key: SigningKey | bytes) -> None:
    """Return only if ``key`` (or its 32 public bytes) is the first that signed ``file``.

    Raises ``InputError`` for one's own key, else ``VerificationError``. A passkey cannot sign anything but
    its own ceremonies, so what it signed has no export.
    """
    signed_by = file.envelope.signatures[0].keyid if file.envelope.signatures else None
    own = isinstance(key, SigningKey)
    keyid = key.keyid if isinstance(key, SigningKey) else key_id(key)
    if keyid != signed_by:
        error = InputError if own else VerificationError
        raise error(f"expected the key that signed the statement, {signed_by}, got {keyid}")


def trusted_log(file: StatementFile, trust: Trust | None) -> LogKeys:
    """Return the log keys that the registry's keys in ``file`` name, under ``trust`` if there is one."""
    everything: list[Evidence] = [*file.keys, file]
    named = [each for each in everything if is_key_statement(each.envelope)]
    return verify_registry_keys(trust, named).log
