"""Rows of a dataset's decisions, opened: drawn at random, each with the proof that the signed manifest holds it.

Which rows are opened follows from a seed of three parts: what the organisation signed before, a checkpoint of the log
that came after, and a word of the auditor's. So neither of the two chooses, and anybody can draw again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa

from licet import canonical
from licet.canonical import from_base64, to_base64
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.manifest import ManifestFile, ReadManifest, manifest_in
from licet.datasets.results.rows import FILE_SCHEMA
from licet.datasets.results.stored import by_part
from licet.decisions.openings import PathBuilder, Place
from licet.decisions.rows import (
    both_hashes,
    leaf_hashes,
    row_leaf,
    row_salt,
    salted_leaf,
)
from licet.errors import InputError, MalformedError, VerificationError
from licet.log import merkle
from licet.misfits import unlike
from licet.wire.licensing import LicenceGranted

MOST: Final = 100_000  # rows that are opened at once
MAX_BYTES: Final = 1 << 30
_TAG: Final = "licet/audit-sample/v1"
_BYTES: Final = frozenset(field.name for field in FILE_SCHEMA if pa.types.is_fixed_size_binary(field.type))


class Seed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the draw begins, in hex. ``checkpoint`` (as signed) and ``nonce`` say what it was made of; null: it was
    given."""

    value: str
    checkpoint: str | None = None
    nonce: str | None = None


class OpenedRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row as the decisions file has it, the ``index``-th of all. ``path`` (base64) proves it under the manifest's
    ``row_root`` behind ``salt``, or, where the salt is not known, its verdict alone under ``decisions_root``."""

    index: int
    row: dict[str, Any]
    salt: str | None
    path: list[str]


class Opened(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was opened of one dataset, for whoever decides it again: rows by index, and the licences that they name as
    far as they are shown."""

    manifest: ManifestFile
    seed: Seed
    rows: list[OpenedRow]
    licences: list[LicenceGranted]
    v: int = 1

    @property
    def salted(self) -> bool:
        """Whether fingerprints are proven too, and not verdicts alone."""
        return all(row.salt is not None for row in self.rows)

    def batch(self) -> pa.RecordBatch:
        """The rows, in the columns of a decisions file; raises ``MalformedError`` for values that have no place there.

        Columns that say nothing are null.
        """
        rows = [
            {name: from_base64(value, name) if name in _BYTES else value for name, value in each.row.items()}
            for each in self.rows
        ]
        try:
            return pa.RecordBatch.from_pylist(rows, schema=FILE_SCHEMA)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise MalformedError(f"rows: expected the fields of decision rows, got {error}") from None


def seed_of(manifest: str, checkpoint: str, nonce: str) -> Seed:
    """Return the seed for the manifest of this digest: SHA-256 of canonical JSON of all three."""
    parts = {"type": _TAG, "manifest": manifest, "checkpoint": checkpoint, "nonce": nonce}
    return Seed(sha256(canonical.encode(parts)).hexdigest(), checkpoint, nonce)


def drawn(seed: str, count: int, size: int) -> list[int]:
    """Return ``count`` different numbers below ``size`` (all of them, if there are no more), each as likely as another.

    The first 8 bytes of SHA-256(seed ‖ counter), one after the other, modulo ``size``; what would favour small numbers
    is passed over, and what was drawn already.
    """
    if count >= size:
        return list(range(size))
    start, fair = bytes.fromhex(seed), (1 << 64) - (1 << 64) % size
    found: set[int] = set()
    counter = 0
    while len(found) < count:
        number = int.from_bytes(sha256(start + counter.to_bytes(8, "big")).digest()[:8], "big")
        counter += 1
        if number < fair:
            found.add(number % size)
    return sorted(found)


def open_rows(
    file: DecisionsFile,
    manifest: ManifestFile,
    seed: Seed,
    count: int,
    secret: bytes | None,
    licences: Callable[[Collection[str]], list[LicenceGranted]],
    advance: Callable[[int], None] = lambda _: None,
) -> Opened:
    """Return ``count`` rows of ``file`` with their proofs, once all of its rows are those that were signed.

    Reads it once, in memory that does not grow with it. ``secret`` opens salted leaves (None: verdicts alone);
    ``licences`` gives those that rows name. Raises ``InputError`` for a file that does not list all rows,
    ``VerificationError`` for other rows than were signed.
    """
    payload = manifest_in(manifest, str(file.path)).payload
    if payload.dataset != file.about.dataset:
        raise VerificationError(f"{file.path}: expected decisions of {payload.dataset}, got {file.about.dataset}")
    if file.about.rows != "all":
        raise InputError(f"{file.path}: expected decisions of all rows, got those that something matches alone")
    wanted = drawn(seed.value, count, payload.rows)
    plain, salted = PathBuilder(wanted), PathBuilder(wanted)
    kept: list[dict[str, Any]] = []
    done = 0
    for batch in file.batches():
        for part in by_part(batch):
            if secret is None:
                plain.add(leaf_hashes(part))
            else:
                one, other = both_hashes(secret, pa.Table.from_batches([part]))
                plain.add(one)
                salted.add(other)
        inside = [index - done for index in wanted if done <= index < done + len(batch)]
        kept += batch.take(pa.array(inside, pa.int64())).to_pylist()
        done += len(batch)
        advance(len(batch))
    signed = VerificationError(f"{file.path}: these are not the decisions that the manifest was signed over")
    if done != payload.rows:
        raise signed
    root, places = plain.finish()
    if root != payload.decisions_root:
        raise signed
    if secret is not None:
        root, places = salted.finish()
        if root != payload.row_root:
            raise VerificationError(f"{file.path}: its fingerprints are not those that the manifest was signed over")
    rows = [_opened(index, row, secret, places[index]) for index, row in zip(wanted, kept, strict=True)]
    named = {row["licence"] for row in kept if row["licence"] is not None}
    return Opened(manifest, seed, rows, licences(named))


def hold(opened: Opened) -> ReadManifest:
    """Return the manifest once its signature holds, the rows are those that the seed draws, and each is proven.

    Raises ``MalformedError`` and ``VerificationError``.
    """
    manifest = manifest_in(opened.manifest, "manifest")
    payload, seed = manifest.payload, opened.seed
    if len(seed.value) != 64 or seed.value.strip("0123456789abcdef"):
        raise MalformedError(f"seed: expected 64 hexadecimal digits, got {seed.value!r:.80}")
    if seed.checkpoint is not None and seed_of(manifest.digest, seed.checkpoint, seed.nonce or "") != seed:
        raise VerificationError("seed: expected what manifest, checkpoint and nonce come to, got another")
    if not 0 <= payload.rows <= merkle.MAX_SIZE or len(opened.rows) > MOST:
        raise MalformedError(f"rows: expected at most {MOST:,} opened, got {len(opened.rows):,}")
    if [row.index for row in opened.rows] != drawn(seed.value, len(opened.rows), payload.rows):
        raise VerificationError("rows: expected those that the seed draws, got others")
    for row in opened.rows:
        _hold_row(row, payload.rows, payload.row_root if row.salt is not None else payload.decisions_root)
    return manifest


def read_opened(path: Path) -> Opened:
    """Return what `write_opened` wrote; raises ``InputError`` and ``MalformedError``."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise MalformedError(f"{path}: expected at most {MAX_BYTES:,} bytes of opened rows")
        return msgspec.json.decode(path.read_bytes(), type=Opened)
    except OSError as error:
        raise InputError(f"{path}: expected opened rows, got {error.strerror or error}") from None
    except (ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise MalformedError(
            f"{path}: expected rows as `licet audit sample -o` opens them, got {unlike(error)}"
        ) from None


def encode_opened(opened: Opened) -> bytes:
    """Return the bytes of the file."""
    return msgspec.json.format(msgspec.json.encode(opened)) + b"\n"


def _opened(index: int, row: dict[str, Any], secret: bytes | None, place: Place) -> OpenedRow:
    salt = None if secret is None else to_base64(row_salt(secret, row))
    fields = {
        name: to_base64(value) if isinstance(value, bytes) else value
        for name, value in row.items()
        if value is not None
    }
    return OpenedRow(index, fields, salt, [to_base64(each) for each in place.path])


def _hold_row(row: OpenedRow, size: int, root: str) -> None:
    where = f"rows: row {row.index}"
    try:
        salt = None if row.salt is None else from_base64(row.salt, "salt")
        leaf = row_leaf(row.row) if salt is None else salted_leaf(salt, row.row)
        hashes = [from_base64(each, "path") for each in row.path]
        merkle.verify_inclusion(merkle.leaf_hash(leaf), row.index, size, hashes, bytes.fromhex(root))
    except InputError as error:
        raise MalformedError(f"{where}: {error.message}") from None
    except (MalformedError, VerificationError) as error:
        raise type(error)(f"{where}: {error.message}") from None
    except ValueError as error:
        raise MalformedError(f"{where}: expected a hash in hexadecimal, got {error}") from None
