"""The log around the period: two signed checkpoints, and every entry between them, from which the root is built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from licet.audit import layout
from licet.audit.checks.opening import Audit
from licet.audit.layout import COVERED_KINDS, Consistency
from licet.audit.report import checking, refused
from licet.canonical import from_base64
from licet.counted import many
from licet.errors import MalformedError
from licet.log import checkpoint as checkpoints
from licet.log import entry as entries
from licet.log import merkle, note
from licet.log.checkpoint import Checkpoint
from licet.log.entry import Entry

MAX_NOTE: Final = note.MAX_BYTES


class LogFacts(NamedTuple):
    """What the log says about the period. ``note`` is the closing checkpoint as signed, ``taken`` the indices of the
    statements that a bundle of everything must hold, ``beyond`` whether the log goes on after the period's end.
    ``end`` is the first index that is not before its end, ``batches`` the month's usage batches by index and leaf
    hash."""

    opening: Checkpoint
    closing: Checkpoint
    note: str
    taken: dict[str, set[int]]
    beyond: bool
    end: int
    batches: list[tuple[int, bytes]]


def check_log(audit: Audit) -> LogFacts:
    """Return the facts of the log, rebuilt from its entries."""
    opening, _ = _checkpoint(audit, layout.OPENING)
    closing, text = _checkpoint(audit, layout.CLOSING)
    audit.passed("checkpoints", f"the log key signed sizes {opening.size} and {closing.size}")
    with checking("log-consistency", layout.CONSISTENCY):
        _consistent(audit, opening, closing)
    size = many(closing.size, "entry", "entries")
    audit.passed(
        "log-consistency",
        f"{size}, beginning with the {opening.size:,} before the period",
    )
    taken, end, batches = _rebuilt(audit, opening, closing)
    beyond = end < closing.size
    shown = closing.size - max(0, opening.size - 1)
    whole = many(shown, "entry", "entries")
    audit.passed("log-entries", f"{whole} in full, whose root is the signed {closing.root.hex()}")
    ended = "goes on after" if beyond else "has not gone past"
    audit.passed("log-period", f"they begin where {audit.period.name} begins; the log {ended} its end")
    return LogFacts(opening, closing, text, taken, beyond, end, batches)


def _checkpoint(audit: Audit, member: str) -> tuple[Checkpoint, str]:
    with checking("checkpoints", member):
        data = audit.container.read(member, MAX_NOTE)
        return checkpoints.open(data, audit.keys.log, closed=True), data.decode("utf-8")


def _consistent(audit: Audit, opening: Checkpoint, closing: Checkpoint) -> None:
    stated = audit.read_as(Consistency, layout.CONSISTENCY)
    if (stated.old, stated.new) != (opening.size, closing.size):
        raise MalformedError(f"expected a proof from {opening.size} to {closing.size}, got another")
    hashes = [from_base64(each, "hashes") for each in stated.hashes]
    if opening.size:
        merkle.verify_consistency(opening.size, closing.size, opening.root, closing.root, hashes)
    elif hashes or opening.root != merkle.EMPTY_ROOT:
        raise MalformedError("expected the root of an empty log and no proof, got more")


def _rebuilt(
    audit: Audit, opening: Checkpoint, closing: Checkpoint
) -> tuple[dict[str, set[int]], int, list[tuple[int, bytes]]]:
    with checking("log-entries", layout.FRONTIER):
        frontier = merkle.Frontier.parse(audit.container.read(layout.FRONTIER, 8 + 64 * merkle.HASH_SIZE))
        if frontier.size != max(0, opening.size - 1):
            raise MalformedError(f"expected the tree before entry {opening.size - 1}, got one of {frontier.size}")
    taken: dict[str, set[int]] = {kind: set() for kind in COVERED_KINDS}
    time, end = "", opening.size
    batches: list[tuple[int, bytes]] = []
    with checking("log-entries", layout.ENTRIES):
        for data in _entries(audit):
            index = frontier.size
            if index >= closing.size:
                raise MalformedError(f"expected {closing.size - index} entries, got more")
            entry = entries.parse(data)
            leaf = merkle.leaf_hash(data)
            frontier.append(leaf)
            if frontier.size == opening.size and frontier.root != opening.root:
                raise MalformedError("expected entries that give the root of the opening checkpoint")
            _in_time(audit, index, entry, time, opening.size)
            time = entry.time
            if index >= opening.size and audit.period.holds(entry.time):
                end = index + 1
                if entry.kind in taken:
                    taken[entry.kind].add(index)
                if entry.kind == "usage-batch":
                    batches.append((index, leaf))
        if (frontier.size, frontier.root) != (closing.size, closing.root):
            raise MalformedError(f"expected {closing.size} entries that give the root of the closing checkpoint")
    return taken, end, batches


def _in_time(audit: Audit, index: int, entry: Entry, before: str, opening: int) -> None:
    """Times never decrease; what is before the opening is before the period, what follows is not."""
    if entry.time < before:
        raise refused("log-period", layout.ENTRIES, f"entry {index} is older than the one in front of it")
    if (entry.time < audit.period.start) != (index < opening):
        raise refused(
            "log-period",
            layout.ENTRIES,
            f"expected {audit.period.name} to begin at entry {opening}, got entry {index} at {entry.time}",
        )


def _entries(audit: Audit) -> Iterator[bytes]:
    rest = b""
    for chunk in audit.container.chunks(layout.ENTRIES):
        rest += chunk
        at = 0
        while at + 2 <= len(rest):
            end = at + 2 + int.from_bytes(rest[at : at + 2], "big")
            if end > len(rest):
                break
            yield rest[at + 2 : end]
            at = end
        rest = rest[at:]
    if rest:
        raise MalformedError("expected whole entries, got one that is cut off")
