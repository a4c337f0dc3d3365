"""A published checkpoint as people read it: what it says, and who signed it as far as its lines say so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

from licet.errors import LicetError
from licet.log import checkpoint as checkpoints
from licet.log import cosignature, note
from licet.log.keys import LogKeys
from licet.statements.key_list import KEYS, KeyList
from registry.storage import Store
from registry.translog import publication

By = Literal["log", "beside", "witness", "other"]
_COSIGNED: Final = frozenset({8 + 64, 8 + 2420})  # bytes: a time, and a signature of Ed25519 or ML-DSA-44
_MOST_TIME: Final = 1 << 40


class Line(NamedTuple):
    """A signature line: whose it says to be, by which key, and for a cosignature when."""

    name: str
    key: str
    by: By
    at: datetime | None


class Verifier(NamedTuple):
    """A key of the log as one copies it, and the sizes of the tree that it counts for."""

    vkey: str
    beside: bool
    since: int
    until: int | None


class Published(NamedTuple):
    """The newest checkpoint that readers are given."""

    text: str
    size: int
    root: str
    lines: list[Line]
    keys: list[Verifier]


async def published(files: Store) -> Published | None:
    """Return the newest checkpoint with the keys that are published beside it; None before the first.

    Nothing of it is verified here: that is for the reader's browser, and for whoever believes neither.
    """
    content, listed = await files.read(publication.CHECKPOINT), await files.read(KEYS)
    if content is None or listed is None:
        return None
    signed = note.parse(content)
    stated = checkpoints.parse(signed.text)
    keys = KeyList.parse(listed, None).log
    return Published(
        content.decode(),
        stated.size,
        signed.text.split("\n")[2],
        [_line(each, keys) for each in signed.signatures],
        verifiers(keys),
    )


def verifiers(keys: LogKeys) -> list[Verifier]:
    """Return every key of the log, the newest first; those that only sign beside another stand at the end."""
    newest = keys.spans[::-1]
    spans = [each for beside in (False, True) for each in newest if each.beside is beside]
    return [Verifier(each.key.vkey, each.beside, each.since, each.until) for each in spans]


def _line(line: note.Signature, keys: LogKeys) -> Line:
    own: Sequence[bool] = [
        span.beside for span in keys.spans if (span.key.name, span.key.key_id) == (line.name, line.key_id)
    ]
    by: By = "other"
    if own or (line.name, line.key_id) in keys.unchecked:
        by = "log" if own and not own[0] else "beside"
    elif len(line.value) in _COSIGNED and line.name != keys.name:
        by = "witness"
    timed = by in ("beside", "witness")
    return Line(line.name, line.key_id.hex(), by, _time(line) if timed else None)


def _time(line: note.Signature) -> datetime | None:
    try:
        seconds = cosignature.time_of(line)
    except LicetError:
        return None
    return datetime.fromtimestamp(seconds, UTC) if seconds < _MOST_TIME else None
