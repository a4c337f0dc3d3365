"""Folders of pictures: each picture is a row, in the order of names; sidecars travel with their picture."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from licet.datasets.forms.parts import MALFORMED, Copying, Remarks
from licet.datasets.forms.seals import changed
from licet.errors import InputError
from licet.fingerprints.formats import PICTURE_SUFFIXES, is_picture_file
from licet.fingerprints.formats import is_picture_name as is_picture

__all__ = ["BATCH", "OF_TEXTS", "SIDECARS", "FolderPart", "is_picture"]

SIDECARS: Final = (".txt", ".caption", ".json")
BATCH: Final = 256
#: What to do about a folder of texts: beside pictures they are captions, so they are never taken for works unasked.
OF_TEXTS: Final = "texts are filtered in a table, by a column path or --columns text="


class FolderPart:
    """The pictures of one folder, through and through, or some files in it.

    Names say which files are pictures, of a format that is read or not; of a file without an ending its first bytes.
    ``path`` of a row is relative to the folder, with ``/``. Hidden files and folders are passed over, and folders
    that are links are not followed.
    """

    holds_files = True
    bundle = False
    bound = False

    def __init__(self, folder: Path, name: str, files: Sequence[str] | None = None) -> None:
        self.name = name
        self.base: Any = folder  # a subclass has it elsewhere
        self.remarks = Remarks()
        self._files = sorted(_pictures(folder)) if files is None else sorted(set(files))
        self._whole = files is None
        self._placed: dict[int, bytes] = {}
        if not self._files:
            shown = ", ".join(sorted(PICTURE_SUFFIXES))
            message = f"{folder}: expected a folder with pictures ({shown}), got one without any; {OF_TEXTS}"
            raise InputError(message, field=str(folder))

    @property
    def place(self) -> Path | None:
        """Where it lies: the folder, or (of some files) the first."""
        folder: Path = self.base
        return folder if self._whole else folder / self._files[0]

    @property
    def rows(self) -> int:
        """How many pictures there are."""
        return len(self._files)

    @property
    def steps(self) -> int:
        """How many batches there are."""
        return -(-self.rows // BATCH)

    def stamp(self) -> dict[str, Any]:
        """Return what tells this input from a changed one without reading the pictures: names, sizes, times."""
        digest = sha256()
        for name in self._files:
            digest.update(f"{name}\0{_state(self.base / name)}\n".encode("utf-8", "surrogateescape"))
        return {"name": self.name, "kind": "folder", "rows": self.rows, "batch": BATCH, "files": digest.hexdigest()}

    def batches(self, skip: int = 0) -> Iterator[pa.RecordBatch]:
        """Yield the rows as batches with the one column ``path``, without the first ``skip`` batches.

        A name that is no text cannot stand in the decisions: it is shown as near as can be, and its row is malformed.
        """
        for start in range(skip * BATCH, self.rows, BATCH):
            names = self._files[start : start + BATCH]
            try:
                yield pa.RecordBatch.from_pydict({"path": pa.array(names, pa.large_string())})
            except UnicodeEncodeError:
                wrong = np.array([not _is_text(name) for name in names], np.bool_)
                shown = [name.encode("utf-8", "surrogateescape").decode(errors="backslashreplace") for name in names]
                problem = np.where(wrong, MALFORMED, 0).astype(np.uint8)
                columns = {"path": pa.array(shown, pa.large_string()), "problem": pa.array(problem)}
                yield pa.RecordBatch.from_pydict(columns)

    def digest(self, digests: Iterable[bytes | None]) -> str:
        """Return the digest of the content, given the SHA-256 of each file (None: it could not be read).

        Raises ``InputError`` if a picture that was copied last is not the one that has this SHA-256.
        """
        total = sha256(b"licet/folder/v1\n")
        for row, (name, each) in enumerate(zip(self._files, digests, strict=True)):
            if self._placed.get(row, each) != each:
                raise changed(str(self.base / name))
            total.update(f"{name}\0{each.hex() if each else ''}\n".encode("utf-8", "surrogateescape"))
        return total.hexdigest()

    def write(self, target: Path | None) -> Copying:
        """Yield the rows, and put the kept pictures under ``target`` by their names: as links to the same data where
        that is possible, else as copies; sidecars always as copies, because captions get edited."""
        self.remarks = Remarks()
        self._placed = {}
        if target is not None:
            target.mkdir(parents=True, exist_ok=True)
        start = 0
        for batch in self.batches():
            if "problem" in batch.schema.names:
                for place in np.flatnonzero(batch["problem"].to_numpy()).tolist():
                    self.remarks.add(f"{self.base}: expected names in UTF-8, got {batch['path'][place].as_py()}")
            mask = yield batch
            if target is not None:
                for place in np.flatnonzero(mask).tolist():
                    self._placed[start + place] = self._place(self._files[start + place], target)
            start += len(batch)

    def _place(self, name: str, target: Path) -> bytes:
        """Put one picture and its sidecars there, and return the SHA-256 of the picture that is there now."""
        source, goal = self.base / name, target / name
        goal.parent.mkdir(parents=True, exist_ok=True)
        goal.unlink(missing_ok=True)
        try:
            os.link(source.resolve(), goal)
        except OSError:
            shutil.copyfile(source, goal)
        for ending in SIDECARS:
            # picture.txt and picture.jpg.txt are both in use.
            for sidecar in (source.with_suffix(ending), source.with_name(source.name + ending)):
                if sidecar.is_file() and self._belongs(sidecar, source):
                    with contextlib.suppress(shutil.SameFileError):
                        shutil.copyfile(sidecar, goal.with_name(sidecar.name))
        if not goal.is_file():  # a pipe would never end
            raise changed(str(source))
        with goal.open("rb") as file:
            return file_digest(file, "sha256").digest()

    def _belongs(self, sidecar: Path, picture: Path) -> bool:
        """Return whether ``sidecar`` lies in the input, or where its picture really lies (caches link both): a dataset
        from elsewhere must not carry off other files of this machine by links."""
        real = sidecar.resolve()
        return real.is_relative_to(self.base.resolve()) or real.parent == picture.resolve().parent


def _pictures(folder: Path) -> Iterator[str]:
    for root, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(root, name)
            if not name.startswith(".") and is_picture_file(path) and not path.is_dir():
                yield path.relative_to(folder).as_posix()


def _refuse(error: OSError) -> None:
    raise InputError(f"{error.filename}: expected a readable folder, got {error.strerror or error}")


def _state(path: Path) -> str:
    try:
        status = path.stat()
    except OSError as error:
        return f"- {error.errno}"
    return f"{status.st_size} {status.st_mtime_ns}"


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
