"""Whether whoever has a picture finds its work: every key that was signed for is in the segments of the snapshot.

A leaf of the state root says what is in force on a work, not by what it is found. Looked at are the exact keys (file,
pixels, instance code, address), the sites whose domain the registry itself calls proven, and, where the near tier is
here, content codes and the PDQ of whatever the registry calls good enough to be searched. Neither is signed: a registry
that calls a good one bad, or a proven one unproven, is not found out by this; `licet works show` says what it calls
them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from licet.catalogue.held import Signed
from licet.catalogue.judging import Finding
from licet.fingerprints.pdq import MIN_QUALITY
from licet.identifiers import to_uuid
from licet.index import Index
from licet.index.keys import Keys
from licet.statements.kinds import FileDigest, WorkDigest
from licet.statements.works import work_digest
from licet.wire.licensing import RowKeys
from licet.wire.works import Work, WorkFile

#: How good the PDQ of a file is, by work and SHA-256, as the registry says.
Qualities = Mapping[tuple[str, str], int]


class _Key(NamedTuple):
    work: str
    what: str
    row: RowKeys


def unfindable(
    index: Index,
    log_size: int,
    forms: Sequence[WorkDigest],
    signed: Mapping[str, Signed],
    *,
    elsewhere: bool,
    qualities: Qualities = MappingProxyType({}),
    proven: Collection[str] = (),
) -> Iterator[Finding]:
    """Yield the keys of works that the snapshot ``index``, over ``log_size`` entries, does not find them by.

    ``forms`` are what the registry says of the works, ``signed`` what this home signed for. Where both differ, the
    registry hides what was signed, unless keys of the account signed ``elsewhere``, in another home. ``proven`` are the
    works whose site counts.
    """
    wanted: list[_Key] = []
    for form in forms:
        last = signed.get(form.work)
        if last is None or last.log_index >= log_size or index.work(form.work) is None:
            continue  # not for this home to say, or not in this snapshot (which is looked at by its leaf)
        if work_digest(form).hex() == last.digest:
            wanted += _keys(form, qualities if index.near else {}, near=index.near, proven=form.work in proven)
        elif not elsewhere:
            message = f"{form.work}: the registry has it under other keys than were signed in {last.statement}"
            yield Finding("unfindable", f"{message}, log entry {last.log_index}", form.work)
    if not wanted:
        return
    ids = np.frombuffer(b"".join(to_uuid(each.work, "wrk").bytes for each in wanted), np.uint8).reshape(-1, 16)
    numbers = index.works.find(ids)
    matches = index.lookup(Keys.from_rows([each.row for each in wanted]), "near" if index.near else "exact")
    met = set(zip(matches.row.tolist(), matches.work.tolist(), strict=True))
    for place, each in enumerate(wanted):
        if (place, int(numbers[place])) not in met:
            message = f"{each.work}: the snapshot does not find it by {each.what}"
            yield Finding("unfindable", f"{message}, which was signed for", each.work)


def qualities_of(works: Iterable[Work]) -> Qualities:
    """Return what the registry says of how good the PDQs of ``works`` are."""
    found = {}
    for work in works:
        files: list[Work | WorkFile] = [work, *work.files]
        for each in files:
            if each.sha256 is not None and each.quality is not None:
                found[work.work, each.sha256] = each.quality
    return found


def sites_of(works: Iterable[Work]) -> set[str]:
    """Return which of ``works`` are rules of sites that the registry calls proven, and its newest snapshot knows so."""
    return {work.work for work in works if work.site_proven and work.in_snapshot and not work.withdrawn}


def _keys(form: WorkDigest, qualities: Qualities, *, near: bool, proven: bool) -> Iterator[_Key]:
    files: list[WorkDigest | FileDigest] = [form, *(form.files if isinstance(form.files, list) else [])]
    for each in files:
        if each.sha256 is not None:
            yield _Key(form.work, f"its file {each.sha256}", RowKeys(sha256=each.sha256))
        if each.pixels is not None:
            yield _Key(form.work, f"its pixels {each.pixels}", RowKeys(pixels=each.pixels))
        units = each.iscc.split() if isinstance(each.iscc, str) else []
        for unit in units[-1:]:
            yield _Key(form.work, f"its instance code {unit}", RowKeys(iscc=unit))
        # A plain picture is found by what it is, not by what it looks like, as many look like it.
        tells = each.pdq is None or qualities.get((form.work, each.sha256 or ""), 0) >= MIN_QUALITY
        for unit in units[:-1] if near and tells else ():
            yield _Key(form.work, f"its content code {unit}", RowKeys(iscc=unit))
        if each.pdq is not None and tells:
            quality = qualities[form.work, each.sha256 or ""]
            yield _Key(form.work, f"what is like it, PDQ {each.pdq}", RowKeys(pdq=each.pdq, quality=quality))
    for url in form.url:
        yield _Key(form.work, f"its address {url}", RowKeys(url=url))
    if proven and isinstance(form.site, str):
        yield _Key(form.work, f"its site {form.site}", RowKeys(url=f"https://{form.site}"))
