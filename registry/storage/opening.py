"""Which store an address names."""

from __future__ import annotations

from pathlib import Path

from registry.storage.store import Store


def open_store(address: str, folder: Path) -> Store:
    """Return the store at ``address`` (``s3://bucket/prefix``), or for an empty one the folder ``folder``.

    Raises ``StartError`` where what it needs is not installed.
    """
    if not address:
        from registry.storage.folder import FolderStore

        return FolderStore(folder)
    from registry.storage.bucket import BucketStore

    return BucketStore(address)
