"""The manifest of a dataset, ``OUT.manifest.json``: one signed statement of what was decided, readable beside it."""

from __future__ import annotations

import hmac
import os
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from licet import canonical
from licet.client import Client
from licet.errors import InputError, MalformedError, VerificationError
from licet.home import needs
from licet.misfits import unlike
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.keys import KeySet, SigningKey, key_id, public_key
from licet.statements.kinds import DatasetManifest

MAX_BYTES: Final = 32 << 20
_ROWS: Final = b"licet/rows/v1"


class ManifestFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: the envelope, the public key that it is signed with, and its payload once more to be read.

    ``registered`` says whether that key is an organisation's; a local key vouches only that nothing was changed since.
    """

    envelope: Envelope
    key: str
    registered: bool
    manifest: dict[str, Any]


class ReadManifest(msgspec.Struct, frozen=True):
    """A manifest whose signature holds."""

    payload: DatasetManifest
    envelope: Envelope
    key: str  # id of the key

    @property
    def digest(self) -> str:
        """The digest of the payload: what a run names."""
        return self.envelope.payload_digest


class Signer(msgspec.Struct, frozen=True):
    """Whose key signs: an organisation's, or a local one of nobody's (``organisation`` None)."""

    key: SigningKey
    organisation: str | None


def signer(client: Client) -> Signer:
    """Return the account's key if this profile is an organisation, else a key of this home, made at first need."""
    profile = client.profile
    if profile.account is not None and profile.account.kind == "organisation" and profile.key_path.exists():
        return Signer(SigningKey.load(profile.key_path), profile.account.account)
    path = client.home.folder / "local-key.pem"
    if not path.exists():
        with needs(path.parent, "the key that signs manifests"):
            SigningKey.generate().save(path)
    return Signer(SigningKey.load(path), None)


def row_secret(key: SigningKey, nonce: str) -> bytes:
    """Return the 32 bytes that salt the rows of the manifest with this nonce: whoever holds the key can open them."""
    return hmac.digest(key.seed, _ROWS + nonce.encode(), sha256)


def encode_manifest(payload: DatasetManifest, key: SigningKey) -> bytes:
    """Return the bytes of ``OUT.manifest.json`` for ``payload``, signed with ``key``."""
    file = ManifestFile(
        envelope=envelopes.seal(payload, key),
        key=key.public.hex(),
        registered=payload.organisation is not None,
        manifest=msgspec.to_builtins(payload),
    )
    return msgspec.json.format(msgspec.json.encode(file)) + b"\n"


def read_manifest(path: Path) -> ReadManifest:
    """Return the manifest in ``path`` once its signature holds and what is written beside it says the same.

    Whose key it is, the caller decides. Raises ``InputError``, ``MalformedError`` and ``VerificationError``.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise MalformedError(f"{path}: expected a manifest of at most {MAX_BYTES} bytes")
        file = msgspec.json.decode(path.read_bytes(), type=ManifestFile)
    except OSError as error:
        raise InputError(f"{path}: expected a manifest, got {error.strerror or error}") from None
    except (ValueError, msgspec.MsgspecError) as error:
        raise MalformedError(f"{path}: expected a manifest that licet wrote, got {unlike(error)}") from None
    return manifest_in(file, str(path))


def read_manifest_file(path: Path) -> ManifestFile:
    """Return the file as it is, for who hands it on; raises as `read_manifest` does of what does not parse."""
    read_manifest(path)
    return msgspec.json.decode(path.read_bytes(), type=ManifestFile)


def manifest_in(file: ManifestFile, name: str) -> ReadManifest:
    """Return the manifest in ``file``, called ``name`` in errors, as `read_manifest` does."""
    public = public_key(file.key, "key")
    payload = envelopes.open_as(DatasetManifest, file.envelope, [key_id(public)], KeySet([public]))
    if canonical.encode(file.manifest) != file.envelope.body:
        raise VerificationError(f"{name}: what stands in it to be read is not what was signed")
    if file.registered != (payload.organisation is not None):
        raise VerificationError(f"{name}: it says of itself that it is registered, and was signed otherwise")
    return ReadManifest(payload, file.envelope, key_id(public))


def beside(out: Path, ending: str) -> Path:
    """Return the file with this ending beside ``out``: ``manifest.json``, ``decisions.parquet``, ``credits.jsonl``."""
    return out.with_name(f"{out.name}.{ending}")


def write_whole(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path``, on the disk before it is under its name."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
