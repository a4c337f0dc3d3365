"""Where the results of a job go, and that they appear only together: the manifest last."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from msgspec import UNSET

from licet.characters import hidden
from licet.datasets.examining.basis import Basis
from licet.datasets.examining.deciding import Question
from licet.datasets.filtering.job import Job, JobFile
from licet.datasets.filtering.outputs import Outputs
from licet.datasets.filtering.written import Written
from licet.datasets.results.manifest import Signer, beside, encode_manifest, write_whole
from licet.errors import InputError
from licet.statements.kinds import Asked, DatasetManifest, SignalsRead

MAX_NAME: Final = 200


class Places:
    """``out`` and the files beside it."""

    def __init__(self, out: Path) -> None:
        self.out: Final = out
        self.manifest: Final = beside(out, "manifest.json")
        self.decisions: Final = beside(out, "decisions.parquet")
        self.credits: Final = beside(out, "credits.jsonl")
        self.after: Final = beside(out, "after.jsonl")

    def refuse_foreign(self, *, overwrite: bool, publishing: bool) -> None:
        """Raise ``InputError`` for a complete result (unless ``overwrite``) and for what no job has written.

        ``publishing``: a job was stopped while it moved its results, so what is there is its own.
        """
        complete = self.manifest.exists()
        if complete and not overwrite:
            raise InputError(f"{self.out}: a complete result is there already; --overwrite replaces it")
        if self.out.exists() and not complete and not publishing:
            raise InputError(f"{self.out}: expected nothing there, or an earlier result with its manifest, to replace")

    def publish(self, job: Job, outputs: Outputs, manifest: bytes) -> None:
        """Move the results of ``job`` here and write its manifest: before that is there, nothing counts as whole."""
        publishing(job).touch()
        for old in (self.manifest, self.decisions, self.credits, self.after):
            _remove(old)
        if outputs.data.exists():
            _remove(self.out)
            outputs.data.replace(self.out)
        outputs.decisions.replace(self.decisions)
        if outputs.credits.exists():
            outputs.credits.replace(self.credits)
        if (job.out / self.after.name).exists():
            (job.out / self.after.name).replace(self.after)
        write_whole(self.manifest, manifest)


def publishing(job: Job) -> Path:
    """Return the file that is there while results are moved."""
    return job.folder / "publishing"


def dataset_name(name: str) -> str:
    """Return ``name`` if it can name a dataset, else raise ``InputError``."""
    if not 0 < len(name) <= MAX_NAME or not name.isprintable() or name != name.strip() or hidden(name):
        raise InputError.field("dataset", f"a name of 1 to {MAX_NAME} printable characters", name)
    return name


def manifest_of(
    basis: Basis,
    file: JobFile,
    question: Question,
    written: Written,
    name: str,
    who: Signer,
    *,
    files: bool,
    asked: Asked | None = None,
    listed: bool = True,
    signals: SignalsRead | None = None,
) -> tuple[DatasetManifest, bytes]:
    """Return the manifest of a job and its file, signed by ``who``; ``files``: rows are more than addresses.

    ``asked``: what the service was asked about beside. ``listed``: whether the register shows it to the public at once.
    ``signals``: what was read of what others say.
    """
    payload = DatasetManifest(
        registry=basis.manifest.registry,
        dataset=file.dataset,
        name=name,
        organisation=who.organisation,
        stage="files" if files else "urls",
        use=question.request.to_json(),
        unknown_policy=question.unknown,
        match=question.match,
        min_claim_level=question.min_claim_level,
        snapshot=basis.digest,
        log_size=basis.manifest.log_size,
        decided_at=file.decided_at,
        parts=written.parts,
        rows=written.rows,
        counts=written.counts,
        kept=written.kept,
        decisions_root=written.decisions_root,
        row_root=written.row_root,
        licences=written.licences,
        nonce=file.nonce,
        after=question.after or UNSET,
        asked=asked or UNSET,
        listed=UNSET if listed else False,
        signals=signals or UNSET,
    )
    return payload, encode_manifest(payload, who.key)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
