"""Where somebody is paid, sealed: who has the database, or a backup of it, cannot read it without the key beside it.

``DATA/keys/payouts.key`` holds 32 random bytes. Each row is sealed by AES-256-GCM under a nonce of its own, bound to
its account and id: moved to another row it opens nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from registry.errors import StartError
from registry.storage import sync_folder

NAME: Final = "payouts.key"
_SIZE: Final = 32
_NONCE: Final = 12


class Payee(msgspec.Struct, frozen=True):
    """Whom a bank is to pay, by an ``iban`` or by an ``account`` at a bank in ``bank``, a country; empty: not given.

    ``clearing`` is what the national system of that country calls the bank.
    """

    name: str
    country: str  # where the payee lives
    bank: str = ""  # what was sealed before there were accounts without IBAN leaves it out
    iban: str = ""
    account: str = ""
    bic: str = ""
    clearing: str = ""

    @property
    def number(self) -> str:
        """What the bank calls the account."""
        return self.iban or self.account

    @property
    def ends(self) -> str:
        """What may be shown of the number: its last four characters, and of a short one no more than a third."""
        return self.number[-min(4, len(self.number) // 3) :]

    @property
    def place(self) -> str:
        """The country of the bank."""
        return self.bank or self.iban[:2]


def seal(folder: Path, account: UUID, number: UUID, payee: Payee) -> bytes:
    """Return ``payee`` sealed for row ``number`` of ``account``; makes the key where there is none."""
    nonce = os.urandom(_NONCE)
    return nonce + _cipher(folder).encrypt(nonce, msgspec.json.encode(payee), account.bytes + number.bytes)


def unseal(folder: Path, account: UUID, number: UUID, sealed: bytes) -> Payee:
    """Return what `seal` sealed; raises ``StartError`` where the key is another."""
    try:
        content = _cipher(folder).decrypt(sealed[:_NONCE], sealed[_NONCE:], account.bytes + number.bytes)
    except InvalidTag:
        raise StartError(
            f"{folder / NAME}: expected the key that payout details were sealed with, got another; put the folder "
            "`keys` of the old data folder back"
        ) from None
    return msgspec.json.decode(content, type=Payee)


def _cipher(folder: Path) -> AESGCM:
    path = folder / NAME
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = _make(folder)
    if len(key) != _SIZE:
        raise StartError(f"{path}: expected a key of {_SIZE} bytes, got {len(key)}")
    return AESGCM(key)


def _make(folder: Path) -> bytes:
    """Of several who make the key at once, all get the same."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    staging = path.with_name(f".{NAME}.{os.urandom(8).hex()}")
    with os.fdopen(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(os.urandom(_SIZE))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(staging, path)
    except FileExistsError:
        pass
    finally:
        staging.unlink()
    sync_folder(folder)
    return path.read_bytes()
