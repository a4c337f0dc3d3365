"""What an organisation says of a version of a model: how far it is, since when, and what it was made from."""

from __future__ import annotations

from typing import Literal

import msgspec

from licet.statements.kinds.common import VERSION, RegistryRef


class BaseVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The model that a version was made from.

    ``organisation`` names whose version of this registry it is; null: one that is not here, in its maker's own words.
    """

    model: str
    version: str | None
    organisation: str | None
    url: str | None


class ModelCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="model-card"):
    """One version of a model as its organisation describes it: the latest in the log counts, those before stay."""

    registry: RegistryRef
    organisation: str
    genesis: str
    model: str  # ORG/NAME
    version: str
    status: Literal["in-training", "released", "retired"]
    listed: bool  # in the public register; what is released or retired always is
    dated: str | None  # the day of its status, such as 2026-11-28
    family: str | None
    summary: str | None
    card_url: str | None
    open_weights: bool | None
    base: BaseVersion | None
    issued_at: str
    nonce: str
    v: int = VERSION
