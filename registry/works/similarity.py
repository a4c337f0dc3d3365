"""Works of other accounts that a picture matches (semantics 6): by file, by pixels, or PDQ within 31 bits in 8 turns.

The question goes to the same index that decisions are made from, so it is as of one consent version; whatever comes
after that version is asked about again when the work is signed for (``registry.consent.conflicts``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import numpy as np

from licet.decisions import KEY_KINDS
from licet.index import Index
from licet.index.keys import Keys as IndexKeys
from licet.index.records import FLAGS
from licet.wire.licensing import RowKeys
from registry.errors import Unavailable
from registry.services import Services
from registry.works.types import Keys, Neighbour

_URL: Final = KEY_KINDS.index("url")
_WITHDRAWN: Final = 1 << FLAGS.index("withdrawn")


def row_keys(keys: Keys, orientations: bytes | None = None) -> RowKeys:
    """Return ``keys`` as a question. Addresses are left out: a page that shows a picture is nobody's claim to it.

    ``orientations`` are the 8 × 32 bytes of the PDQ, where the picture was seen; without them they are derived.
    """
    pdq = keys.pdq
    if pdq is not None and orientations is not None:
        pdq = ",".join(orientations[place : place + 32].hex() for place in range(0, len(orientations), 32))
    return RowKeys(sha256=keys.sha256, pixels=keys.pixels, pdq=pdq, quality=keys.quality if pdq else None)


async def neighbours(services: Services, account: UUID, rows: Sequence[RowKeys]) -> tuple[int, list[Neighbour]]:
    """Return the consent version that was asked, and every match of ``rows`` with a work of another account.

    Raises ``Unavailable`` where decisions cannot be made at present: a work is never registered unexamined.
    """
    if services.reader is None:
        raise Unavailable("this process does not serve decisions, so it cannot compare works")
    index, version, _ = await services.reader.current()
    return version, await asyncio.to_thread(neighbours_in, index, account, rows)


def neighbours_in(index: Index, account: UUID, rows: Sequence[RowKeys]) -> list[Neighbour]:
    """Return every match of ``rows`` in ``index`` with a work of another account that has not been withdrawn."""
    if not rows:
        return []
    found = index.lookup(IndexKeys.from_rows(rows), "near")
    works = index.works.take(found.work)
    own = (works.account == np.frombuffer(account.bytes, np.uint8)).all(axis=1)
    counts = np.flatnonzero(~own & (works.flags & _WITHDRAWN == 0) & (found.key != _URL))
    return [
        Neighbour(
            row=int(found.row[at]),
            work=UUID(bytes=works.work[at].tobytes()),
            account=UUID(bytes=works.account[at].tobytes()),
            key=KEY_KINDS[found.key[at]],
            distance=int(found.distance[at]),
        )
        for at in counts
    ]
