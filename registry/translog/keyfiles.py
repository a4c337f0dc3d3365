"""The private halves of the registry's working keys, as files that their owner alone can read.

``DATA/keys/PURPOSE.pem`` is the first key of a purpose, ``PURPOSE-<16 digits of its id>.pem`` each later one; the log's
ML-DSA-44 seeds are ``cosignature*.seed``, 64 hex digits. Which of them is in force is for the log to say.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from licet.errors import InputError, LicetError
from licet.log import cosignature
from licet.statements.keys import SigningKey, key_id, public_key
from licet.statements.kinds import LogCosigner, PublicKey
from registry.errors import StartError
from registry.storage import sync_folder

Purpose = Literal["log", "snapshot", "licence", "office", "cosignature"]
SIGNING: Final[tuple[Purpose, ...]] = ("log", "snapshot", "licence", "office")
PURPOSES: Final[tuple[Purpose, ...]] = (*SIGNING, "cosignature")
ROOT_PUBLIC: Final = "root.pub"
ROOT: Final = "root.pem"


@dataclass(frozen=True)
class Half:
    """A private key, the public half as statements name it, and the file that it is in."""

    keyid: str
    public: PublicKey | LogCosigner
    secret: SigningKey | bytes  # bytes: the seed of an ML-DSA-44 key
    path: Path


def halves(folder: Path) -> dict[str, Half]:
    """Return every private half in ``folder`` by key id, a purpose's first key first.

    Raises ``StartError`` that names the file which is broken.
    """
    found: dict[str, Half] = {}
    for purpose in PURPOSES:
        ending = "seed" if purpose == "cosignature" else "pem"
        for path in (folder / f"{purpose}.{ending}", *sorted(folder.glob(f"{purpose}-*.{ending}"))):
            if not path.exists():
                continue
            try:
                half = _read(path)
            except (OSError, ValueError) as error:
                raise StartError(f"{path}: {error}; restore the registry's keys from a backup") from None
            except LicetError as error:
                raise StartError(f"{error.message}; restore the registry's keys from a backup") from None
            if half is not None:
                found[half.keyid] = half
    return found


def generate(folder: Path, purpose: Purpose, *, first: bool = False) -> Half:
    """Return a new key for ``purpose``, durably in a file of ``folder`` that only its owner may read."""
    if purpose == "cosignature":
        if not cosignature.supported():
            raise StartError(f"{cosignature.LACKING}: the log cannot have a key of it here")
        seed = os.urandom(cosignature.SEED_SIZE)
        half = _cosigner(seed, folder)
        path = folder / ("cosignature.seed" if first else f"cosignature-{half.keyid[:16]}.seed")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(seed.hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        half = Half(half.keyid, half.public, seed, path)
    else:
        key = SigningKey.generate()
        path = folder / (f"{purpose}.pem" if first else f"{purpose}-{key.keyid[:16]}.pem")
        key.save(path)
        half = Half(key.keyid, PublicKey(key.public.hex()), key, path)
    sync_folder(folder)
    return half


def root_public(folder: Path) -> bytes:
    """Return the public half of the root; raises ``StartError`` that names the file."""
    path = folder / ROOT_PUBLIC
    try:
        return public_key(path.read_text().strip(), str(path))
    except (OSError, ValueError) as error:
        raise StartError(f"{error}; restore the registry's keys from a backup") from None
    except LicetError as error:
        raise StartError(f"{error.message}; restore the registry's keys from a backup") from None


def id_of(key: PublicKey | LogCosigner) -> str:
    """Return the id of a key as a statement names it."""
    return key_id(bytes.fromhex(key.public))


def _read(path: Path) -> Half | None:
    if path.suffix == ".pem":
        key = SigningKey.load(path)
        return Half(key.keyid, PublicKey(key.public.hex()), key, path)
    text = path.read_text().strip()
    seed = bytes.fromhex(text)
    if len(seed) != cosignature.SEED_SIZE or seed.hex() != text:
        raise InputError(f"{path}: expected 64 lower-case hex digits, got another text")
    return _cosigner(seed, path) if cosignature.supported() else None


def _cosigner(seed: bytes, path: Path) -> Half:
    public = cosignature.Signer("log", cosignature.MLDSA44, seed).verifier.public_key
    return Half(key_id(public), LogCosigner(public.hex()), seed, path)
