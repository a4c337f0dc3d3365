"""Which works a statement covers: a digest per work, and one root over all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import pairwise

from msgspec import UNSET, structs

from licet import canonical
from licet.errors import InputError
from licet.log import merkle
from licet.statements.kinds import FileDigest, WorkDigest, WorksScope


def work_digest(work: WorkDigest) -> bytes:
    """Return the 32-byte SHA-256 of the canonical JSON of ``work``: everything about it that matches."""
    return sha256(canonical.encode(work)).digest()


def grown(work: WorkDigest, file: FileDigest | None, urls: Iterable[str]) -> WorkDigest:
    """Return ``work`` with canonical ``urls`` beside its own and ``file`` in front: what it was stays among its files.

    A ``file`` that it has already changes nothing; raises ``InputError`` for one of a work known by addresses alone.
    """
    addresses = sorted({*work.url, *urls})
    before = work.files if isinstance(work.files, list) else []
    if file is None or file.sha256 in {work.sha256, *(each.sha256 for each in before)}:
        return structs.replace(work, url=addresses)
    if work.sha256 is None:
        raise InputError.field("sha256", "none for a work that is known by its addresses alone", file.sha256)
    files = sorted(
        [*before, FileDigest(work.sha256, work.pixels, work.pdq, work.iscc or UNSET)], key=lambda each: each.sha256
    )
    iscc = file.iscc if isinstance(file.iscc, str) else None
    return structs.replace(
        work, sha256=file.sha256, pixels=file.pixels, pdq=file.pdq, iscc=iscc, url=addresses, files=files
    )


def addresses_digest(urls: Iterable[str]) -> str:
    """Return, in hex, what tells works apart that are known by their addresses alone: SHA-256 of the canonical
    addresses in rising order, a line feed between them."""
    return sha256("\n".join(sorted(urls)).encode()).hexdigest()


def site_digest(site: str) -> str:
    """Return, in hex, what tells works apart that are known by their site alone; no address is written like it."""
    return sha256(f"site {site}".encode()).hexdigest()


def works_root(digests: Iterable[bytes]) -> str:
    """Return the hex RFC 6962 root whose leaf data are these work digests, given in the order of work ids."""
    return merkle.root(merkle.leaf_hash(digest) for digest in digests).hex()


def works_scope(works: Sequence[WorkDigest]) -> WorksScope:
    """Return the scope that covers exactly ``works``, in whatever order they come.

    Raises ``InputError`` for no works and for one work twice.
    """
    ordered = sorted(works, key=lambda work: work.work)
    if not ordered:
        raise InputError.field("works", "one or more works", "none")
    for before, after in pairwise(ordered):
        if before.work == after.work:
            raise InputError.field("works", "each work once", after.work)
    return WorksScope(len(ordered), works_root(work_digest(work) for work in ordered))


def work_proof(works: Sequence[WorkDigest], work: str) -> tuple[int, list[bytes]]:
    """Return the place of ``work`` in the scope over ``works`` and the proof that it is there.

    Whoever holds the work's digest checks it with ``licet.log.merkle.verify_inclusion`` over
    ``leaf_hash(work_digest)``. Raises ``InputError`` for a work that is not among them.
    """
    ordered = sorted(works, key=lambda each: each.work)
    for index, each in enumerate(ordered):
        if each.work == work:
            leaves = [merkle.leaf_hash(work_digest(other)) for other in ordered]
            return index, merkle.inclusion_proof(leaves, index)
    raise InputError.field("work", "a work under this scope", work)
