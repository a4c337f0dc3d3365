"""Files that outlive a process, behind one interface: a folder of this machine, or a bucket that speaks S3.

Names are ``/``-separated and relative. A file that was written is there, whole and durably, when the call returns; a
reader never sees half of one. Nothing here knows what the files mean.
"""

from __future__ import annotations

from registry.storage.folder import FolderStore, sync_folder, write_whole
from registry.storage.opening import open_store
from registry.storage.store import FOREVER, FRESH, JSON, OCTETS, TEXT, Store

__all__ = [
    "FOREVER",
    "FRESH",
    "JSON",
    "OCTETS",
    "TEXT",
    "FolderStore",
    "Store",
    "open_store",
    "sync_folder",
    "write_whole",
]
