"""The archive: every committed change, encrypted, in order, outside of the database; and the way back from it.

`Archive.keep` is called by the sequencer after its COMMIT: no receipt leaves before its statement is archived. `replay`
brings an older copy of the database up to the end; `take_base` and `load_base` copy everything at one moment.
"""

from __future__ import annotations

from registry.archive.aside import is_aside, put_back, set_aside
from registry.archive.bases import Owner, get_from, load_base, new_base, put_into, take_base
from registry.archive.feed import Archive, Behind, behind
from registry.archive.keys import ArchiveKey
from registry.archive.opening import open_key
from registry.archive.places import manifests, segment_numbers
from registry.archive.renewing import renew_if_due
from registry.archive.replaying import last_complete, replay
from registry.archive.sealing import Manifest

__all__ = [
    "Archive",
    "ArchiveKey",
    "Behind",
    "Manifest",
    "Owner",
    "behind",
    "get_from",
    "is_aside",
    "last_complete",
    "load_base",
    "manifests",
    "new_base",
    "open_key",
    "put_back",
    "put_into",
    "renew_if_due",
    "replay",
    "segment_numbers",
    "set_aside",
    "take_base",
]
