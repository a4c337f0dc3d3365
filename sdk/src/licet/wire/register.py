"""The register: versions of datasets and models, and what was trained on what, as their organisations signed it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from licet.wire.duties import Effect

Status = Literal["undescribed", "in-training", "released", "retired"]


class Organisation(msgspec.Struct, frozen=True):
    """Who signed; ``name`` is null once the account was erased."""

    id: str
    name: str | None


class Base(msgspec.Struct, frozen=True):
    """What a version was made from; ``id`` is the model's where it is one of this register."""

    model: str
    version: str | None
    organisation: str | None
    url: str | None
    id: str | None = None


class Card(msgspec.Struct, frozen=True):
    """What an organisation says of a version of its model, signed and logged."""

    card: str  # crd_…
    status: Literal["in-training", "released", "retired"]
    listed: bool
    dated: str | None
    family: str | None
    summary: str | None
    card_url: str | None
    open_weights: bool | None
    base: Base | None
    issued_at: str
    log_index: int | None


class ModelInfo(msgspec.Struct, frozen=True):
    """A model. ``version``, ``status`` and ``family`` are of the version that was stated last; ``runs`` are of all that
    are shown, each once: reported, or come with a licence."""

    model: str  # mdl_…
    name: str
    organisation: Organisation
    family: str | None
    version: str
    status: Status
    versions: int
    runs: int
    stated_at: str  # the first statement that names it


class TrainedOn(msgspec.Struct, frozen=True):
    """A version of a dataset that a version of a model was trained on; ``outside`` of ``runs`` are not covered by a
    licence that they name."""

    dataset: str
    name: str
    version: int
    rows: int
    kept: int
    counts: dict[str, int]
    unknown_policy: Literal["exclude", "keep"] | None
    runs: int
    outside: int = 0


class OpenDuty(msgspec.Struct, frozen=True):
    """What whoever trained with it owes since an artist revoked the licence for ``works`` works, and has not stated to
    be done; ``due_at`` is when the notice is over."""

    effect: Effect
    works: int
    due_at: str
    overdue: bool


class ModelVersionInfo(msgspec.Struct, frozen=True):
    """One version of a model. ``trained_on`` names the 20 versions of datasets that were used last, of ``datasets``;
    ``duties`` are the 20 open ones that are due first. Of ``runs``, ``granted`` came with a licence, whose acceptance
    posted their uses, and were not reported by themselves."""

    model: str
    name: str
    version: str
    status: Status
    listed: bool
    stated_at: str
    card: Card | None
    cards: int
    runs: int
    datasets: int
    trained_on: list[TrainedOn]
    duties: list[OpenDuty] = []
    granted: int = 0


class RegisteredRun(msgspec.Struct, frozen=True):
    """One training run; what only its statement says is null once that was erased. ``outside``: a licence that it names
    does not cover it."""

    run: str  # run_…
    name: str
    organisation: Organisation
    model: str
    model_name: str
    version: str
    dataset: str
    dataset_name: str
    dataset_version: int
    manifest: str
    snapshot: str | None
    dropped: int | None
    licences: int | None
    issued_at: str
    log_index: int | None
    outside: bool = False


class DatasetVersion(msgspec.Struct, frozen=True):
    """One version of a dataset: rows per verdict, and what became of those that nobody speaks for."""

    dataset: str
    name: str
    version: int  # 1 is the first of this name in the log
    organisation: Organisation
    listed: bool
    rows: int
    kept: int
    counts: dict[str, int]
    unknown_policy: Literal["exclude", "keep"] | None
    snapshot: str | None
    decided_at: str
    log_index: int | None


class Change(msgspec.Struct, frozen=True):
    """What differs from another version, that one taken away from this one."""

    dataset: str
    version: int
    rows: int
    kept: int
    counts: dict[str, int]


class TrainedModel(msgspec.Struct, frozen=True):
    """A version of a model that was trained on a version of a dataset."""

    model: str
    name: str
    version: str
    status: Status
    organisation: Organisation
    runs: int


class DatasetShown(DatasetVersion, frozen=True):
    """One version of a dataset with all that the register knows of it; null where its statement was erased.

    ``terms`` counts the licensed works by price model. ``change`` is against the version before, or the one that was
    asked for. ``models`` are the 100 versions of models that were trained on it last, of ``models_count``; ``duties``
    the 20 open ones that are due first.
    """

    stage: Literal["urls", "files"] | None
    use: dict[str, Any] | None
    match: Literal["exact", "near", "derivative"] | None
    min_claim_level: int | None
    log_size: int | None
    decisions_root: str | None
    row_root: str | None
    after: str | None
    parts: int | None
    licences: int | None
    terms: dict[str, int]
    manifest: str
    change: Change | None
    models: list[TrainedModel]
    models_count: int
    duties: list[OpenDuty] = []
