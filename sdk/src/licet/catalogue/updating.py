"""Pictures that changed, further files and addresses: new keys of works, signed as a work-update (semantics 9).

What a work was recognised by stays: an update only adds, and the terms in force go for all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import UNSET

from licet import times
from licet.catalogue import batch as rooms
from licet.catalogue.held import held
from licet.catalogue.items import Item, Refused, text_of
from licet.client import Client
from licet.errors import InputError
from licet.fingerprints.urls import canonical_url
from licet.identifiers import new_uuid
from licet.statements import envelope as envelopes
from licet.statements.keys import SigningKey
from licet.statements.kinds import FileDigest, WorkDigest, WorksScope, WorkUpdate
from licet.statements.works import grown, work_digest, works_root
from licet.wire.works import StatementAccepted, Work, WorkIn, WorkKeys

LARGEST: Final = 1000  # works under one update


class Growth(NamedTuple):
    """What a work was and what it is to be, and what is sent of it."""

    before: WorkDigest
    after: WorkDigest
    adds: WorkKeys


def growth(before: WorkDigest, file: WorkIn | None, urls: Sequence[str]) -> Growth:
    """Return what the prepared ``file`` (None: none) and ``urls`` add; ``InputError`` where that is nothing."""
    if file is None:
        after = grown(before, None, urls)
        added = sorted(set(after.url) - set(before.url))
        if not added:
            raise InputError.field("url", "an address that the work does not have yet", ", ".join(urls) or "none")
        return Growth(before, after, WorkKeys(before.work, urls=added))
    if before.sha256 is None or file.sha256 is None:
        raise InputError.field("path", "a picture of a work that has one", before.work)
    if file.mode != before.mode:
        raise InputError.field("path", f"a picture in the work's mode, {before.mode}", file.mode)
    after = grown(before, FileDigest(file.sha256, file.pixels, file.pdq, file.iscc or UNSET), urls)
    added = sorted(set(after.url) - set(before.url))
    keys = WorkKeys(before.work, file.sha256, file.pixels, file.pdq, file.quality, added, file.iscc)
    return Growth(before, after, keys)


def update_work(
    client: Client, work: Work, picture: Path | None, urls: Sequence[str], *, as_registered: bool = False
) -> StatementAccepted:
    """Return once ``work`` is recognised by ``picture`` as what it is now, and by ``urls`` beside its own.

    The picture is sent, unless the work is by fingerprint alone. Raises ``InputError`` for what cannot be read or adds
    nothing, ``VerificationError`` where the registry says otherwise of the work than was signed.
    """
    (before,) = held(client, [work], as_registered=as_registered)
    addresses = sorted({canonical_url(url) for url in urls})
    file: WorkIn | Refused | None = None
    if picture is not None:
        item = Item(shown=text_of(picture), path=str(picture), fingerprint_only=work.mode != "upload")
        read = rooms.hashed(item)
        file = read if isinstance(read, Refused) else rooms.prepared(client, read)
    if isinstance(file, Refused):
        raise InputError(f"{file.path}: {file.reason}", field="--file")
    return sign_update(client, [growth(before, file, addresses)])


def sign_update(client: Client, growths: Sequence[Growth]) -> StatementAccepted:
    """Return once the new keys of at most 1,000 works are signed, accepted and in the log."""
    profile = client.need_account()
    me = client.me()
    if me.genesis is None:
        raise InputError(f"expected an account that can sign, got one of kind {me.kind}")
    ordered = sorted(growths, key=lambda each: each.before.work)
    digests = [work_digest(each.after) for each in ordered]
    payload = WorkUpdate(
        registry=client.registry_ref(),
        account=me.account,
        genesis=me.genesis,
        scope=WorksScope(len(ordered), works_root(digests)),
        change="keys",
        before=works_root(work_digest(each.before) for each in ordered),
        issued_at=times.to_text(times.now()),
        nonce=new_uuid().hex,
    )
    envelope = envelopes.seal(payload, SigningKey.load(profile.key_path))
    works = [each.before.work for each in ordered]
    return client.submit_statement(envelope, works, digests=digests, adds=[each.adds for each in ordered])
