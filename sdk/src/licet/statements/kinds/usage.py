"""What an organisation did: datasets, training runs, and every use of a work."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from licet.statements.kinds.common import VERSION, RegistryRef, Total


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many pictures the service was asked about, whether they show parts of works, and what log it answered of."""

    pictures: int
    least_log_size: int
    most_log_size: int


class SignalsRead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was read of what others say about rows: in rows and files alone, or on the web too, and when.

    ``rows`` is of how many there was anything to look at, ``restricted`` of those how many something restricts the use
    of, ``missed`` how many have an address that nobody was asked about, ``nothing`` how many nothing to look at.
    """

    read: Literal["files", "web"]
    rows: int
    restricted: int
    missed: int
    nothing: int
    first_at: str | None  # when what was seen first was seen, and what was seen last; null: nothing was
    last_at: str | None


class DatasetManifest(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="dataset-manifest"
):
    """What one filter job decided, fixed: anybody with the rows can recompute ``decisions_root``."""

    registry: RegistryRef
    dataset: str  # dst_…
    name: str
    organisation: str | None  # null: made without an account, "unregistered"
    stage: Literal["urls", "files"]
    use: dict[str, Any]  # Request.to_json()
    unknown_policy: Literal["exclude", "keep"]
    match: Literal["exact", "near", "derivative"]
    min_claim_level: int
    snapshot: str  # digest of the snapshot's envelope
    log_size: int
    decided_at: str
    parts: list[dict[str, Any]]  # [{name, rows, kept, source_digest}]
    rows: int
    counts: dict[str, int]  # verdict → rows
    kept: int
    decisions_root: str
    row_root: str  # salted
    licences: list[str]
    nonce: str
    #: The digest of the manifest of the stage before, of addresses, that this one of files builds upon; else left out.
    after: str | msgspec.UnsetType = msgspec.UNSET
    #: With ``match`` derivative: what was asked beside the snapshot; else left out.
    asked: Asked | msgspec.UnsetType = msgspec.UNSET
    #: False: not in the public register before a version of a model that is there was trained on it; else left out.
    listed: Literal[False] | msgspec.UnsetType = msgspec.UNSET
    #: What was read of signals of others, where they count; else left out.
    signals: SignalsRead | msgspec.UnsetType = msgspec.UNSET
    v: int = VERSION


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="run"):
    """A training run was started on a dataset that was re-checked against ``snapshot``."""

    registry: RegistryRef
    organisation: str
    genesis: str
    run: str  # the caller's own name for it
    model: str
    version: str
    dataset: str
    manifest: str  # digest of the dataset manifest's payload
    snapshot: str
    dropped: int
    licences: list[str]
    issued_at: str
    nonce: str
    v: int = VERSION


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One use of one work (semantics 20). ``id`` = digest of (organisation, licence or statement, work, run, atom,
    unit, seq): reporting again has no second effect.

    A correction says how many there really were, none with ``quantity`` 0: it is the event that it ``corrects`` in
    every field but ``id``, ``seq`` (the first correction of an event is number 1) and ``quantity``, and names what
    ``was`` said before. It owes the difference."""

    id: str
    licence: str | None
    statement: str | None
    work: str
    atom: str
    run: str
    unit: str
    seq: int
    quantity: int
    at: str
    match: Literal["exact", "near"]
    corrects: str | msgspec.UnsetType = msgspec.UNSET  # the id of an event that is none itself
    was: int | msgspec.UnsetType = msgspec.UNSET


class UsageBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="usage-batch"):
    """Events that an organisation owns up to; ``event_root`` is RFC 6962 over salted event leaves, sorted by id."""

    registry: RegistryRef
    organisation: str
    genesis: str
    batch: str
    dataset: str | None
    count: int
    event_root: str
    totals: list[Total]
    snapshot: str | None
    first_at: str
    last_at: str
    issued_at: str
    v: int = VERSION
