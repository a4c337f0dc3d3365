"""A stored snapshot, verified again from its bytes."""

from __future__ import annotations

import hashlib

from licet.errors import VerificationError
from licet.index.pull import verify_manifest
from licet.index.snapshot import Snapshot
from licet.index.store import SnapshotStore
from licet.statements.trust import RegistryKeys


def verify_stored(store: SnapshotStore, keys: RegistryKeys) -> list[str]:
    """Return what was checked, a sentence each, once the current snapshot of ``store`` holds in every byte.

    Raises ``VerificationError`` (``ExpiredError`` past its time) and ``InputError`` if nothing was pulled.
    """
    published = store.published()
    manifest = verify_manifest(published.envelope, published.receipt, keys, seen=store.seen(keys.ref.origin))
    checks = [
        f"snapshot {manifest.sequence} is signed by {keys.ref.origin}, in its log, good until {manifest.expires_at}"
    ]
    for ref in manifest.segments:
        path = store.segments / ref.digest
        if not path.is_file():
            checks.append(f"{ref.tier} segment {ref.digest[:16]}… is not here")
            continue
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != ref.digest:
            raise VerificationError(
                f"segment {ref.digest}: the file here has the digest {digest}; `licet snapshot pull` fetches it again"
            )
        checks.append(f"{ref.tier} segment {ref.digest[:16]}… has its digest ({ref.size:,} bytes)")
    Snapshot.open(store.segments, manifest)
    return checks
