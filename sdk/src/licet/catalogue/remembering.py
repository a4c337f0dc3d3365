"""What the monitor of a profile has seen and taken for its own, kept beside the profile's key in ``monitor.json``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from licet.errors import InputError
from licet.home import Profile, needs, write_private
from licet.index.store import Seen as SeenSnapshot
from licet.statements.keys import SigningKey

_FILE: Final = "monitor.json"


class Memory(msgspec.Struct, forbid_unknown_fields=True):
    """What the monitor knew after its last look: the snapshot, each work's claim level and flags, and how many of the
    checkpoints that this home has seen were then known to be of one log (``held``; ``held_to`` says which)."""

    snapshot: SeenSnapshot | None = None
    keys: list[str] = []
    states: dict[str, list[str]] = {}
    held: int = 0
    held_to: str = ""


def remembered(profile: Profile) -> Memory:
    """Return what was kept, an empty memory before the first look."""
    path = profile.folder / _FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Memory)
    except FileNotFoundError:
        return Memory()
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(f"{path}: expected what the monitor has kept, got {error}") from None


def remember(profile: Profile, memory: Memory) -> None:
    """Keep ``memory`` in the place of what was kept."""
    with needs(profile.folder, "what the monitor has seen"):
        write_private(profile.folder / _FILE, msgspec.json.encode(memory))


def know(profile: Profile, keyids: Iterable[str]) -> None:
    """Take these keys for the account's own from now on."""
    memory = remembered(profile)
    memory.keys = sorted({*memory.keys, *keyids})
    remember(profile, memory)


def keys_before(profile: Profile) -> set[str]:
    """Return the ids of the keys that were this profile's before it rotated: their files are kept beside its own."""
    return {SigningKey.load(path).keyid for path in profile.folder.glob("key.*.pem")}
