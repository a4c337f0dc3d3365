"""A witness (C2SP tlog-witness): it cosigns what extends all that it has cosigned before, and nothing else, ever.

Invariants. For each log, the sizes that were cosigned never fall, and each tree has the one before as its beginning.
The new checkpoint is on disk before a cosignature of it leaves, and comparing the old size with what is known and
keeping the new one happen under one lock: of two requests from the same size, one is told the size that the other left.

The state of a log is its newest cosigned checkpoint, a file named by the SHA-256 of its origin, the same bytes that
``GET /<origin hash>/checkpoint`` serves ("Monitor Retrieval Mechanism").
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import IO, Final

import msgspec

from licet.errors import InputError, LicetError, MalformedError, VerificationError
from licet.log import checkpoint as checkpoints
from licet.log import cosignature, merkle, note, policy, witnessing
from licet.private import make_private

MAX_BODY: Final = 131_072  # 16 signatures of 5 kB (signed-note), 63 proof lines, and room
TEXT: Final = "text/plain; charset=utf-8"

Reach = Callable[[str], None]
"""Called with the name of each step before it is taken; tests end the process there."""


class Answer(msgspec.Struct, frozen=True):
    """What goes back over HTTP."""

    status: int
    content_type: str
    body: bytes


class Known(msgspec.Struct, frozen=True):
    """The newest checkpoint of a log that was cosigned here, with the note that is on disk."""

    checkpoint: checkpoints.Checkpoint
    note: str


class Store:
    """The newest cosigned checkpoint of each log, durable; one process at a time holds the folder."""

    def __init__(self, folder: Path) -> None:
        """Take ``folder`` for this process; raises ``InputError`` if another witness has it or it cannot be written."""
        try:
            make_private(folder)
            self._lock: IO[bytes] = (folder / "lock").open("ab")
        except OSError as error:
            raise InputError(f"{folder}: expected a folder for what was cosigned, got {error.strerror}") from None
        if not _locked(self._lock):
            self._lock.close()
            raise InputError(f"{folder}: another witness works with what was cosigned here; it must be stopped first")
        self.folder: Final = folder

    def path(self, origin: str) -> Path:
        """Where the checkpoint of the log ``origin`` is kept."""
        return self.folder / origin_hash(origin)

    def read(self, origin: str) -> str | None:
        """Return the note that was kept for ``origin``, None before the first."""
        try:
            return self.path(origin).read_bytes().decode("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{self.path(origin)}: expected a cosigned checkpoint, got {error}") from None

    def keep(self, origin: str, text: str) -> None:
        """Return once ``text`` is the note of ``origin``, whatever happens to this machine afterwards."""
        path = self.path(origin)
        staging = path.with_name(f".{path.name}")
        with staging.open("wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        staging.replace(path)
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Let another process have the folder."""
        self._lock.close()


class Witness:
    """Cosigns checkpoints of known logs with every one of its keys. Safe to call from many threads."""

    def __init__(
        self,
        signers: Sequence[cosignature.Signer],
        logs: Iterable[policy.LogKey],
        store: Store,
        *,
        reach: Reach = lambda step: None,
    ) -> None:
        """Read what was cosigned before; several keys of one name are one log (a rotation).

        Raises ``InputError`` for no log or no key, and for a kept checkpoint that is not one that these keys cosigned:
        going on without it would forget what was promised.
        """
        self._signers: Final = tuple(signers)
        self._store: Final = store
        self._reach: Final = reach
        self._logs: Final[dict[str, list[policy.LogKey]]] = {}
        for key in logs:
            self._logs.setdefault(key.name, []).append(key)
        if not self._logs or not self._signers:
            raise InputError("expected a log to watch and a key to cosign with, got none")
        self._locks: Final = {origin: threading.Lock() for origin in self._logs}
        self._by_hash: Final = {origin_hash(origin): origin for origin in self._logs}
        self._known: Final[dict[str, Known]] = {}
        for origin in self._logs:
            text = store.read(origin)
            if text is not None:
                self._known[origin] = self._opened(origin, text)

    @property
    def origins(self) -> list[str]:
        """The logs that are watched."""
        return sorted(self._logs)

    def known(self, origin: str) -> Known | None:
        """Return the newest checkpoint of ``origin`` that was cosigned here."""
        return self._known.get(origin)

    def add_checkpoint(self, body: bytes) -> Answer:
        """Return the answer to ``add-checkpoint``, status and body as tlog-witness has them.

        What cannot be kept is not cosigned: then the ``OSError`` of the disk passes through.
        """
        try:
            asked = witnessing.parse_request(body)
        except MalformedError as error:
            return _refusal(400, error.message)
        origin = asked.stated.origin
        keys = self._logs.get(origin)
        if keys is None:
            return _refusal(404, f"unknown log {origin}")
        try:
            signed = note.verify(asked.checkpoint, keys)
        except VerificationError as error:
            return _refusal(403, error.message)
        if asked.old > asked.stated.size:
            return _refusal(400, f"expected an old size of at most {asked.stated.size}, got {asked.old}")
        room = note.MAX_SIGNATURES - len(self._signers)
        if len(signed.signatures) > room:
            return _refusal(400, f"expected at most {room} lines of the log's own, got {len(signed.signatures)}")
        with self._locks[origin]:
            known = self._known.get(origin)
            size = known.checkpoint.size if known else 0
            if asked.old != size:
                return Answer(409, witnessing.SIZE_TYPE, f"{size}\n".encode())
            try:
                _check_growth(known, asked)
            except (VerificationError, MalformedError) as error:
                return _refusal(422, error.message)
            lines = [signer.sign(signed.text) for signer in self._signers]
            text = note.serialise(note.Note(signed.text, (*signed.signatures, *lines)))
            self._reach("cosigned")
            self._store.keep(origin, text)
            self._known[origin] = Known(asked.stated, text)
            self._reach("kept")
        return Answer(200, TEXT, note.lines(lines).encode())

    def checkpoint(self, hashed: str) -> Answer:
        """Return the answer to ``GET /<origin hash>/checkpoint``."""
        known = self._known.get(self._by_hash.get(hashed, ""))
        if known is None:
            return _refusal(404, "no checkpoint of such a log was cosigned here")
        return Answer(200, TEXT, known.note.encode())

    def _opened(self, origin: str, text: str) -> Known:
        try:
            own = [signer.verifier for signer in self._signers]
            checkpoint = checkpoints.parse(note.verify(text, own).text, extensions=True)
            if checkpoint.origin != origin:
                raise VerificationError(f"expected a checkpoint of {origin}, got one of {checkpoint.origin}")
        except LicetError as error:
            raise InputError(
                f"{self._store.path(origin)}: expected the checkpoint that this witness cosigned last, got another: "
                f"{error.message}; without it nothing of this log can be cosigned"
            ) from None
        return Known(checkpoint, text)


def origin_hash(origin: str) -> str:
    """Return the lower-case hex SHA-256 of a log's origin, by which a witness serves its checkpoint."""
    return sha256(origin.encode()).hexdigest()


def _check_growth(known: Known | None, asked: witnessing.Request) -> None:
    """Return only if what is asked for extends what is known ("add-checkpoint": each of the 422)."""
    new = asked.stated
    if new.size == 0 and new.root != merkle.EMPTY_ROOT:
        raise VerificationError("expected the root of the empty tree at size 0, got another")
    if known is None or asked.old == 0:
        if asked.proof:
            raise VerificationError(f"expected no proof from size 0, got {len(asked.proof)} hashes")
        if known is not None and new.size == 0 and new.root != known.checkpoint.root:
            raise VerificationError("two different roots for one tree size: the log shows split views")
        return
    merkle.verify_consistency(asked.old, new.size, known.checkpoint.root, new.root, asked.proof)


def _refusal(status: int, reason: str) -> Answer:
    return Answer(status, TEXT, f"{reason}\n".encode(errors="replace"))


def _locked(file: IO[bytes]) -> bool:
    """Whether the lock on ``file`` is ours now, until this process ends; where there are no locks, it is."""
    with contextlib.suppress(ImportError):
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True
