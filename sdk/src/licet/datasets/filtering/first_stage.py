"""The first of two stages: a list of addresses that was filtered before anything was downloaded.

Rows of the second stage, which has the files, meet those of the first by address, else by key. What the first stage
kept out stays out: where ``license``, ``review`` or ``deny`` was decided of a row then, nothing looser is now, with the
reason ``after:<reason>``. ``unknown`` and ``allow`` bind nobody, because now the picture itself is looked at. A licence
lifts what others said then, and nothing that the index said beside it, of the same row or another of the same name.

The first stage may have a hundred million rows, so what is needed of it lies in sorted files in the job's folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from licet.datasets.examining.deciding import BEFORE, Floor, beside, unsaid
from licet.datasets.examining.signalled import PREFIX
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.manifest import ReadManifest, Signer
from licet.decisions import CODES, VERDICTS, Request
from licet.errors import InputError, NotAllowedError, RollbackError, VerificationError
from licet.fingerprints.urls import url_keys
from licet.statements import kinds

Places = npt.NDArray[np.int64]
_BINDS: Final = CODES["license"]  # and what is stricter
_BUCKETS: Final = 256
_ENTRY: Final = np.dtype([("hash", "<u8"), ("verdict", "u1"), ("reason", "<i4")])
_NAMES: Final = ("url", "key")
_NOBODY: Final = 0  # the hash of a row without a name


class After(msgspec.Struct, frozen=True, kw_only=True):
    """How two stages fit. ``rows`` and ``kept`` are the first stage's; ``matched`` rows of this one were in it.

    Of these ``held`` were kept out then and so are now; ``new`` rows were not in it; ``missing`` rows were kept then
    and have no file now. ``listed`` is the file that names new and missing ones.
    """

    manifest: str
    dataset: str
    rows: int
    kept: int
    matched: int
    held: int
    new: int
    missing: int
    listed: str | None


class FirstStage:
    """A first stage that was checked, ready to be asked."""

    def __init__(self, file: DecisionsFile, manifest: ReadManifest, folder: Path) -> None:
        """Sort what ``file`` says into ``folder``; memory holds one 256th of it."""
        folder.mkdir(parents=True, exist_ok=True)
        self.manifest: Final = manifest
        self._file = file
        self._reasons: list[str] = []
        self._table = self._sorted(folder)

    def places(self, rows: pa.RecordBatch) -> Places:
        """Return where each row is in the table of the first stage, −1 where it was not in it."""
        hashes = _hashes(rows)
        place = self._find(hashes["url"])
        return np.where(place < 0, self._find(hashes["key"]), place)

    def floor(self, places: Places) -> Floor:
        """Return what rows at ``places`` may not be looser than."""
        known = places >= 0
        verdict = np.zeros(len(places), np.uint8)
        found = self._table[places[known]]
        verdict[known] = np.where(found["verdict"] >= _BINDS, found["verdict"], 0)
        reasons = [""] * len(places)
        for row, reason in zip(np.flatnonzero(known).tolist(), found["reason"].tolist(), strict=True):
            reasons[row] = f"{BEFORE}{self._reasons[reason]}"
        return Floor(verdict, reasons)

    def missing(self, seen: npt.NDArray[np.bool_]) -> Iterator[dict[str, Any]]:
        """Yield the rows that were kept and at whose place (in `places`) nothing was ``seen``."""
        unknown = self._file.question.unknown == "keep"
        for batch in self._file.batches():
            place = self.places(batch)
            open_ = np.isin(batch["verdict"].to_pylist(), ["allow", "license", *(["unknown"] if unknown else [])])
            gone = np.flatnonzero(open_ & (place >= 0) & ~seen[np.maximum(place, 0)])
            for row in batch.select(["part", "row", "url", "key"]).take(pa.array(gone)).to_pylist():
                yield {"what": "missing", **{name: value for name, value in row.items() if value is not None}}

    def __len__(self) -> int:
        return len(self._table)

    def _find(self, hashes: npt.NDArray[np.uint64]) -> Places:
        table = self._table["hash"]
        if not len(table):
            return np.full(len(hashes), -1, np.int64)
        at = np.minimum(np.searchsorted(table, hashes), len(table) - 1)
        return np.where((table[at] == hashes) & (hashes != _NOBODY), at, -1).astype(np.int64)

    def _sorted(self, folder: Path) -> npt.NDArray[Any]:
        """Return one entry a name, sorted, the strictest decision of each; it lies on the disk, not in memory."""
        known: dict[str, int] = {}
        buckets = [folder / f"{number:03d}" for number in range(_BUCKETS)]
        for bucket in buckets:
            bucket.unlink(missing_ok=True)
        for batch in self._file.batches():
            reasons = batch["reason"].to_pylist()
            entries = np.zeros(len(batch), _ENTRY)
            entries["verdict"] = [CODES[verdict] for verdict in batch["verdict"].to_pylist()]
            entries["reason"] = [known.setdefault(reason, len(known)) for reason in reasons]
            for hashes in _hashes(batch).values():
                entries["hash"] = hashes
                _scatter(entries[hashes != _NOBODY], buckets)
        whole = folder / "table"
        with whole.open("wb") as file:
            for bucket in buckets:
                if bucket.exists():
                    file.write(_strictest(np.fromfile(bucket, _ENTRY), known).tobytes())
                    bucket.unlink()
        self._reasons = list(known)
        if not whole.stat().st_size:
            return np.zeros(0, _ENTRY)
        return np.memmap(whole, _ENTRY, "r")


def open_first_stage(
    given: str | Path, who: Signer, request: Request, min_claim_level: int, snapshot: kinds.Snapshot
) -> tuple[DecisionsFile, ReadManifest]:
    """Return the first stage that ``given`` names, once it can be built upon.

    It must be of addresses, signed by the key that signs this stage, of the same registry and of no newer snapshot, for
    the same use or a wider one, and its decisions must be those that were signed over. Raises ``InputError``,
    ``MalformedError``, ``VerificationError``, ``RollbackError`` and ``NotAllowedError``, each of which names what.
    """
    file = DecisionsFile.find(Path(given).expanduser())
    manifest = file.manifest
    if manifest is None:
        raise InputError.field("--after", "a signed manifest beside the decisions", str(file.path))
    first = manifest.payload
    if first.stage != "urls":
        raise InputError.field("--after", "the manifest of a list of addresses (stage urls)", f"stage {first.stage}")
    if manifest.key != who.key.keyid:
        owner = first.organisation or "a local key"
        raise NotAllowedError(
            f"--after: expected a first stage signed with this profile's key {who.key.keyid}, got one of {owner}"
            f" ({manifest.key})"
        )
    if first.registry != snapshot.registry:
        raise VerificationError(
            f"--after: expected a first stage under {snapshot.registry.origin}, got {first.registry.origin}"
        )
    if snapshot.log_size < first.log_size:
        raise RollbackError(
            f"--after: the first stage was decided at log size {first.log_size}, and the snapshot here is older"
            f" ({snapshot.log_size}): `licet snapshot pull` fetches the newest"
        )
    _refuse_wider(Request.from_json(first.use), request)
    if min_claim_level < first.min_claim_level:
        raise InputError.field("--min-claim-level", f"{first.min_claim_level} or more, as before", min_claim_level)
    file.verify()
    return file, manifest


def _refuse_wider(first: Request, now: Request) -> None:
    for name, option in (("uses", "--use"), ("purpose", "--purpose"), ("territory", "--territory")):
        before, wanted = getattr(first, name), getattr(now, name)
        if before is not None and not (wanted is not None and set(wanted) <= set(before)):
            shown = "anywhere" if wanted is None else ", ".join(wanted)
            raise InputError.field(option, f"no more than the first stage asked for ({', '.join(before)})", shown)
    for name in ("model", "open_weights", "sublicense", "exclusive", "licensee"):
        before, wanted = getattr(first, name), getattr(now, name)
        if before is not None and before != wanted:
            raise InputError.field(name, f"{before}, as the first stage asked", wanted)
    if first.model_scope == "one-version" and now.model_scope != "one-version":
        raise InputError.field("--model-scope", "one-version, as the first stage asked", now.model_scope)


def _hashes(rows: pa.RecordBatch) -> dict[str, npt.NDArray[np.uint64]]:
    """Return eight bytes of a digest for each row's address and key, 0 where it has none."""
    nothing = np.zeros(len(rows), np.uint64)
    found = dict.fromkeys(_NAMES, nothing)
    if "url" in rows.schema.names:
        keys, there = url_keys(rows["url"])
        found["url"] = np.where(there, np.ascontiguousarray(keys[:, :8]).view("<u8").reshape(-1), nothing)
    if "key" in rows.schema.names:
        digests = [
            b"" if text is None else sha256(b"key\0" + text.encode()).digest() for text in rows["key"].to_pylist()
        ]
        found["key"] = np.array([int.from_bytes(each[:8], "little") for each in digests], np.uint64)
    return found


def _scatter(entries: npt.NDArray[Any], buckets: Sequence[Path]) -> None:
    bucket = (entries["hash"] >> np.uint64(56)).astype(np.int64)
    order = np.argsort(bucket, kind="stable")
    for number, piece in zip(*_runs(bucket[order], entries[order]), strict=True):
        with buckets[number].open("ab") as file:
            file.write(piece.tobytes())


def _runs(numbers: Places, entries: npt.NDArray[Any]) -> tuple[list[int], list[npt.NDArray[Any]]]:
    if not len(numbers):
        return [], []
    cuts = np.flatnonzero(numbers[1:] != numbers[:-1]) + 1
    return numbers[np.concatenate(([0], cuts))].tolist(), np.split(entries, cuts)


def _strictest(entries: npt.NDArray[Any], known: dict[str, int]) -> npt.NDArray[Any]:
    """Return the strictest entry of each name, with what another of that name says without signals beside it."""
    reasons = list(known)
    # What is left of each entry without signals: its own verdict, or what stands beside the signal.
    left = entries["verdict"].copy()
    for number, why in enumerate(reasons):
        if why.startswith(PREFIX):
            left[entries["reason"] == number] = unsaid(0, why)[0]
    order = np.lexsort((len(VERDICTS) - left, len(VERDICTS) - entries["verdict"], entries["hash"]))
    ranked, left = entries[order], left[order]
    first = np.ones(len(ranked), np.bool_)
    first[1:] = ranked["hash"][1:] != ranked["hash"][:-1]
    starts = np.flatnonzero(first)
    found = ranked[starts]
    if not len(starts):
        return found
    most = np.maximum.reduceat(left, starts)
    for place in np.flatnonzero(most > left[starts]).tolist():
        run = slice(starts[place], starts[place + 1] if place + 1 < len(starts) else None)
        other = ranked[run][np.argmax(left[run])]
        said = reasons[found["reason"][place]]
        reason = beside(said, *unsaid(int(other["verdict"]), reasons[other["reason"]]))
        found["reason"][place] = known.setdefault(reason, len(known))
    return found
