"""The working folder of one filter job, ``OUT.job``: what is found out already, and what the job has fixed for itself.

::

    job.json                          what was asked, of which input, under which snapshot, decided when
    snapshot.json                     the manifest of that snapshot, as published
    evidence/<part>-<batch>.arrow     what each row is
    matches/<part>-<batch>.arrow      what the index found for it
    quote.json                        a quote that was accepted, perhaps with a lost answer
    publishing                        there while results are moved to their places
    attempts/                         a part's results until all of it is written
    out/                              results until they are whole (out-…/ of many hands)
    out-…/written/<part>              what a part came to that is written, or <part>-<first batch>-<batches> of it
    out-…/stretches/<part>/           rows and decisions of a part that is written in stretches, until all are
    lock                              held by the one process that works on it

Everything appears under its name only once it is whole, so a killed job goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from licet import times
from licet.datasets.examining.deciding import Question
from licet.datasets.examining.evidence import Evidence
from licet.decisions import Request
from licet.errors import InputError, MalformedError
from licet.home import write_private
from licet.identifiers import new_id, new_uuid
from licet.index.lookup import Matches
from licet.index.store import Published
from licet.misfits import unlike

if TYPE_CHECKING:
    from licet.datasets.filtering.first_stage import FirstStage

VERSION: Final = 1


class JobFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a job fixes when it begins. ``question`` and ``inputs`` are what a second run must repeat to go on."""

    question: dict[str, Any]
    inputs: list[dict[str, Any]]
    snapshot: str  # digest of the envelope
    decided_at: str
    dataset: str
    nonce: str
    v: int = VERSION

    @property
    def request(self) -> Request:
        """The request, as of the moment of the decision unless it names another."""
        asked = Request.from_json(self.question["request"])
        return asked if asked.at else msgspec.structs.replace(asked, at=self.decided_at)


def asked(question: Question) -> dict[str, Any]:
    """Return ``question`` as the job keeps and the manifest states it."""
    stated: dict[str, Any] = {
        "request": question.request.to_json(),
        "match": question.match,
        "min_claim_level": question.min_claim_level,
        "unknown": question.unknown,
    }
    if question.after is not None:
        stated["after"] = question.after
    if question.signals is not None:
        stated["signals"] = question.signals
    return stated


class Job:
    """The folder of a job, held by this process alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.first: FirstStage | None = None  # the stage of addresses before this one, once it is opened

    @classmethod
    @contextlib.contextmanager
    def at(cls, out: Path) -> Iterator[Job]:
        """Give the job of ``out``, locked; raises ``InputError`` if another process works on it."""
        folder = out.with_name(out.name + ".job")
        if folder.is_symlink():  # what is found out would lie in somebody else's folder, and be removed there
            raise InputError(f"{folder}: expected a place to work in, got a link to {folder.readlink()}; remove it")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = (folder / "lock").open("ab")
        except OSError as error:
            raise InputError(f"{folder}: expected a place to work in, got {error.strerror or error}") from None
        with lock:
            try:
                fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise InputError(f"{folder}: another process is at work on this output") from None
            yield cls(folder)

    def file(self) -> JobFile | None:
        """Return what an earlier run has fixed, or None; raises ``InputError`` for a folder of another version."""
        path = self.folder / "job.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=JobFile)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            raise InputError(
                f"{path}: expected what this version writes, got {unlike(error)}; remove the folder"
            ) from None

    def published(self) -> Published:
        """Return the manifest that the job decides under."""
        try:
            return msgspec.json.decode((self.folder / "snapshot.json").read_bytes(), type=Published)
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            raise InputError(f"{self.folder}: expected the snapshot of the job, got {error}") from None

    def begin(self, question: Question, inputs: list[dict[str, Any]], published: Published, snapshot: str) -> JobFile:
        """Fix the job anew and return what it is. What was found out of the same input stays; all else goes."""
        earlier = self.file()
        for name in ("job.json", "quote.json", "publishing"):
            (self.folder / name).unlink(missing_ok=True)
        self._clear("matches", "out*")
        other_stage = earlier is not None and earlier.question.get("after") != question.after
        # What is looked up exactly alone is examined with less.
        less = earlier is not None and earlier.question.get("match") == "exact" != question.match
        # What the service said of parts is of its moment and of one question.
        asked_service = earlier is not None and "derivative" in (earlier.question.get("match"), question.match)
        other_signals = earlier is not None and earlier.question.get("signals") != question.signals
        if earlier is None or earlier.inputs != inputs or other_stage or less or asked_service or other_signals:
            shutil.rmtree(self.folder / "evidence", ignore_errors=True)
        file = JobFile(
            question=asked(question),
            inputs=inputs,
            snapshot=snapshot,
            decided_at=times.to_text(times.now()),
            dataset=new_id("dst"),
            nonce=new_uuid().hex,
        )
        write_private(self.folder / "snapshot.json", msgspec.json.encode(published))
        write_private(self.folder / "job.json", msgspec.json.encode(file))
        return file

    def forget(self) -> None:
        """Forget what was found out of the input, which is not what it was: the next run examines it anew."""
        self._clear("evidence", "matches", "out*")

    def holds_anything(self, *, evidence: bool = True) -> bool:
        """Return whether another run would miss something: what was found out (``evidence``), a quote, results."""
        names = ("quote.json", "publishing", *(("evidence", "out*/written/*") if evidence else ()))
        return any(True for name in names for _ in self.folder.glob(name))

    def evidence(self, part: int, batch: int, *, addresses: bool = True) -> Evidence | None:
        """Return what a batch was found to be, if it was; without its ``addresses`` if nothing is asked by them."""
        found = _load(self._place("evidence", part, batch), () if addresses else ("addresses",))
        return None if found is None else Evidence.from_batch(found)

    def keep_evidence(self, part: int, batch: int, evidence: Evidence, *, addresses: bool = True) -> None:
        """Keep what a batch is, without its ``addresses`` if nothing is to be asked by them; a kill leaves all of it or
        nothing."""
        _save(self._place("evidence", part, batch), evidence.to_batch(addresses=addresses))

    def matches(self, part: int, batch: int) -> Matches | None:
        """Return what the index found for a batch, if it was asked."""
        found = _load(self._place("matches", part, batch))
        if found is None:
            return None
        try:
            columns = {name: found[name].to_numpy(zero_copy_only=False) for name in _MATCHES}
        except KeyError as error:
            raise MalformedError(f"expected columns of matches, got none called {error}") from None
        return Matches(**columns)

    def keep_matches(self, part: int, batch: int, matches: Matches) -> None:
        """Keep what the index found for a batch."""
        columns = {name: pa.array(np.ascontiguousarray(getattr(matches, name))) for name in _MATCHES}
        _save(self._place("matches", part, batch), pa.RecordBatch.from_pydict(columns))

    def keep_places(self, part: int, batch: int, places: npt.NDArray[np.int64]) -> None:
        """Keep where the rows of a batch are in the first stage; before its evidence, which says that it is done."""
        _save(self._place("evidence", part, batch).with_suffix(".places"), pa.RecordBatch.from_pydict({"at": places}))

    def places(self, part: int, batch: int) -> npt.NDArray[np.int64]:
        """Return where the rows of a batch are in the first stage."""
        found = _load(self._place("evidence", part, batch).with_suffix(".places"))
        if found is None:
            raise InputError(f"{self.folder}: expected what an earlier run kept of the first stage; remove the folder")
        at: npt.NDArray[np.int64] = found["at"].to_numpy(zero_copy_only=False)
        return at

    def discard(self) -> None:
        """Remove the folder: the job is done."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _clear(self, *names: str) -> None:
        for name in names:
            for each in self.folder.glob(name):
                shutil.rmtree(each, ignore_errors=True)

    def _place(self, kind: str, part: int, batch: int) -> Path:
        return self.folder / kind / f"{part:05d}-{batch:07d}.arrow"


_MATCHES: Final = ("row", "work", "kind", "key", "distance")


def difference(earlier: JobFile, question: Question, inputs: list[dict[str, Any]]) -> str | None:
    """Return in words what the earlier run was asked otherwise, or None if it is the same."""
    parts = []
    wanted = asked(question)
    for name in dict.fromkeys([*earlier.question, *wanted]):
        value, wish = earlier.question.get(name), wanted.get(name)
        if value != wish:
            parts.append(f"{name}: {_shown(value)} then, {_shown(wish)} now")
    if earlier.inputs != inputs:
        before = {str(each.get("name")): each for each in earlier.inputs}
        now = {str(each.get("name")): each for each in inputs}
        changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
        parts.append(f"input: {', '.join(changed[:5])} changed")
    return "; ".join(parts) or None


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _save(path: Path, batch: pa.RecordBatch) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{new_uuid().hex}")  # two may be at the same batch, one thought to be lost
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.OSFile(str(part), "wb") as file, pa.ipc.new_file(file, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    part.replace(path)


def _load(path: Path, without: Collection[str] = ()) -> pa.RecordBatch | None:
    if not path.exists():
        return None
    try:
        with pa.OSFile(str(path)) as file, ExitStack() as stack:
            reader = stack.enter_context(pa.ipc.open_file(file))
            wanted = [place for place, name in enumerate(reader.schema.names) if name not in without]
            if len(wanted) < len(reader.schema):
                options = pa.ipc.IpcReadOptions(included_fields=wanted)
                reader = stack.enter_context(pa.ipc.open_file(file, options=options))
            return reader.get_batch(0)
    except (pa.ArrowException, OSError, IndexError) as error:
        raise InputError(f"{path}: expected what an earlier run kept, got {error}; remove the folder") from None
