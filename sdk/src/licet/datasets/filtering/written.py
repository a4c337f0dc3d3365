"""What was written, in figures: of a stretch of rows, of a part, of all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np

from licet.datasets.filtering.at_once import Found
from licet.decisions import VERDICTS
from licet.decisions.roots import RootBuilder, RootPiece


class PartWish(msgspec.Struct, frozen=True, kw_only=True):
    """How every part is to be written; ``about`` is what its file of decisions says of itself."""

    about: dict[str, Any]
    only_matched: bool
    with_data: bool


class WrittenPart(msgspec.Struct, frozen=True, kw_only=True):
    """What one part came to, or a stretch of its rows. ``plain`` and ``salted`` are its pieces of the two roots;
    ``remarks`` what was wrong with its rows; ``credits`` by work. Of stretches the first one states the digest."""

    name: str
    rows: int
    kept: int
    source_digest: str | None
    counts: list[int]
    reasons: list[tuple[str, str, int]]
    licences: list[str]
    credits: dict[str, dict[str, Any]]
    remarks: list[str]
    plain: RootPiece
    salted: RootPiece
    found: Found | None = None  # where rows were decided while they were copied


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What is written, in figures. ``reasons`` counts the rows that are not kept, by (verdict, reason); ``credits`` are
    by work; ``parts`` as the manifest states them."""

    parts: list[dict[str, Any]]
    counts: dict[str, int]
    rows: int
    kept: int
    licences: list[str]
    reasons: dict[tuple[str, str], int]
    credits: dict[str, dict[str, Any]]
    remarks: list[str]
    decisions_root: str
    row_root: str


def together(done: Iterable[WrittenPart]) -> Written:
    """Return what parts, and stretches of parts, come to, in the order of their rows."""
    parts: list[dict[str, Any]] = []
    counts = np.zeros(len(VERDICTS), np.int64)
    reasons: Counter[tuple[str, str]] = Counter()
    licences: set[str] = set()
    credited: dict[str, dict[str, Any]] = {}
    remarks: list[str] = []
    root, salted = RootBuilder(), RootBuilder()
    for each in done:
        if each.source_digest is not None:
            parts.append({"name": each.name, "rows": 0, "kept": 0, "source_digest": each.source_digest})
        parts[-1]["rows"] += each.rows
        parts[-1]["kept"] += each.kept
        counts += np.array(each.counts, np.int64)
        reasons.update({(verdict, reason): count for verdict, reason, count in each.reasons})
        licences.update(each.licences)
        credited |= each.credits
        remarks.extend(each.remarks)
        root.append(each.plain)
        salted.append(each.salted)
    return Written(
        parts=parts,
        counts={verdict: int(count) for verdict, count in zip(VERDICTS, counts, strict=True)},
        rows=sum(each["rows"] for each in parts),
        kept=sum(each["kept"] for each in parts),
        licences=sorted(licences),
        reasons=dict(reasons),
        credits=credited,
        remarks=remarks,
        decisions_root=root.root,
        row_root=salted.root,
    )
