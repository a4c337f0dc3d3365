"""The archive's key: one secret that moves forward a step a day and never back.

``DATA/keys/archive.key`` holds the key of one day, its *epoch*. The key of each later day follows from it by HKDF, the
one of an earlier day from nothing: destroying what lies before a day is replacing the file by that day's key
(`forget_before`). So an old copy of the file, kept safe by the operator, opens everything that came after it, and
what was archived before the day in every copy is lost for ever. That is how an erased statement leaves archive and
backups (semantics 28).
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from licet.canonical import from_base64, to_base64
from licet.errors import LicetError, MalformedError
from registry.errors import ArchiveError
from registry.storage import sync_folder

NAME: Final = "archive.key"
_SIZE: Final = 32
_DAY: Final = 86_400
_FIRST: Final = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
_MOST_STEPS: Final = 100_000


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    epoch: int
    key: str


class ArchiveKey:
    """The secret in one file, and every key that follows from it."""

    def __init__(self, path: Path, epoch: int, key: bytes) -> None:
        self.path = path
        self.epoch = epoch
        self._key = key

    @classmethod
    def load(cls, folder: Path) -> ArchiveKey | None:
        """Return the key kept in ``folder``, None where there is no file; raises ``ArchiveError`` for a broken one."""
        path = folder / NAME
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
            key = from_base64(kept.key, "key")
            if len(key) != _SIZE or not 0 <= kept.epoch < _MOST_STEPS:
                raise MalformedError(f"expected a key of {_SIZE} bytes and its day")
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError, LicetError) as error:
            raise ArchiveError(f"{path}: expected the archive's key, got a file that is not one ({error})") from None
        return cls(path, kept.epoch, key)

    @classmethod
    def make(cls, folder: Path, now: datetime) -> ArchiveKey:
        """Return the key in ``folder``, durable and readable by its owner alone: a fresh one unless one is there.

        Of several who make one at once, all get the same.
        """
        made = cls(folder / NAME, epoch_at(now), os.urandom(_SIZE))
        staging = made.path.with_name(f".{NAME}.{os.urandom(8).hex()}")
        _write_private(staging, made._encoded())
        try:
            os.link(staging, made.path)
        except FileExistsError:
            present = cls.load(folder)
            assert present is not None
            return present
        finally:
            staging.unlink()
        sync_folder(folder)
        return made

    def of_epoch(self, epoch: int, salt: bytes) -> bytes:
        """Return the key of one sealed file of day ``epoch``; raises ``ArchiveError`` for a day whose key is gone."""
        if epoch < self.epoch:
            raise ArchiveError(
                f"sealed on day {epoch}, and {self.path} opens what was sealed from day {self.epoch} on: its key was "
                f"destroyed; an older copy of the file, if one was kept, opens it"
            )
        if epoch - self.epoch > _MOST_STEPS:
            raise ArchiveError(f"expected a day that can be, got {epoch}")
        key = _ahead(self._key, epoch - self.epoch)
        return HKDF(SHA256(), _SIZE, salt, b"licet/archive/file/v1").derive(key)

    def current(self, now: datetime) -> int:
        """Return the epoch to seal in: today's, or the first one that has a key where the clock is behind it."""
        return max(self.epoch, epoch_at(now))

    def forget_before(self, epoch: int) -> bool:
        """No file that was sealed before day ``epoch`` can be opened with this key again. Whether anything changed."""
        if epoch <= self.epoch:
            return False
        self._key, self.epoch = _ahead(self._key, epoch - self.epoch), epoch
        self._save()
        return True

    def _save(self) -> None:
        staging = self.path.with_name(f".{NAME}.{os.getpid()}")
        _write_private(staging, self._encoded())
        staging.replace(self.path)
        sync_folder(self.path.parent)

    def _encoded(self) -> bytes:
        return msgspec.json.encode(_Kept(self.epoch, to_base64(self._key)))


def _write_private(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def epoch_at(moment: datetime) -> int:
    """Return the number of the day of ``moment``."""
    return max(0, (int(moment.timestamp()) - _FIRST) // _DAY)


@lru_cache(maxsize=8)
def _ahead(key: bytes, steps: int) -> bytes:
    for _ in range(steps):
        key = HKDF(SHA256(), _SIZE, None, b"licet/archive/next-day/v1").derive(key)
    return key
