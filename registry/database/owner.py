"""As whom PostgreSQL runs: as ourselves, or, when we are root, as a user that owns nothing else."""

from __future__ import annotations

import grp
import os
import pwd
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.errors import DataFolderError

# Where service managers take users from that exist only while a service runs; nobody has an account there.
_DYNAMIC = range(61_184, 65_520)


@dataclass(frozen=True, slots=True)
class Owner:
    """A numeric user and group. ``dropped``: we are root and have to become it."""

    uid: int
    gid: int
    dropped: bool

    @property
    def identity(self) -> dict[str, Any]:
        """The arguments for ``subprocess`` that make a child run as this owner, in no other group."""
        if not self.dropped:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, top: Path) -> None:
        """Make everything under ``top`` belong to this owner, links themselves and not what they point to."""
        if not self.dropped:
            return
        for folder, _, files in os.walk(top):
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)
            for name in files:
                os.chown(os.path.join(folder, name), self.uid, self.gid, follow_symlinks=False)  # noqa: PTH118


def owner_of(cluster: Path) -> Owner:
    """Return as whom the database in ``cluster`` runs: its folder's owner, or a free number for a new one.

    PostgreSQL refuses to run as root. A number from the dynamic range, unlike ``nobody``, is shared with no other
    service that could read the files or connect to the socket. Raises ``DataFolderError`` where the folder
    belongs to somebody else.
    """
    me = os.geteuid()
    status = cluster.stat() if cluster.is_dir() else None
    if me != 0:
        if status is not None and status.st_uid != me:
            raise DataFolderError(
                f"expected {cluster} to belong to user {me}, it belongs to user {status.st_uid}; "
                "run as that user or as root"
            )
        return Owner(me, os.getegid(), dropped=False)
    if status is not None:
        if status.st_uid == 0:
            raise DataFolderError(f"expected {cluster} to belong to an ordinary user, it belongs to root")
        return Owner(status.st_uid, status.st_gid, dropped=True)
    start = zlib.crc32(os.fsencode(cluster.resolve()))
    for step in range(len(_DYNAMIC)):
        number = _DYNAMIC[(start + step) % len(_DYNAMIC)]
        if _free(number) and _mapped(number):
            return Owner(number, number, dropped=True)
    raise DataFolderError(
        "expected a free user number to run PostgreSQL as, this container maps none; "
        "run as an ordinary user, or set DATABASE_URL"
    )


def named_owner() -> Owner:
    """Return an unprivileged user with a name: ``initdb`` (and nothing after it) insists on one.

    Raises ``DataFolderError`` where there is none, as in a container that runs under a bare number.
    """
    me = os.geteuid()
    if me != 0:
        try:
            pwd.getpwuid(me)
        except KeyError:
            raise DataFolderError(
                f"expected user {me} to have a name, found none in /etc/passwd, and a new database cannot be made "
                "without; add an entry, make the data folder as another user, or set DATABASE_URL"
            ) from None
        return Owner(me, os.getegid(), dropped=False)
    for user in _candidates():
        if user.pw_uid != 0 and _mapped(user.pw_uid):
            return Owner(user.pw_uid, user.pw_gid, dropped=True)
    raise DataFolderError("expected an unprivileged user such as nobody in /etc/passwd, found none")


def _candidates() -> Iterator[pwd.struct_passwd]:
    for name in ("nobody", "daemon"):
        try:
            yield pwd.getpwnam(name)
        except KeyError:
            continue
    yield from pwd.getpwall()


def _free(number: int) -> bool:
    for lookup in (pwd.getpwuid, grp.getgrgid):
        try:
            lookup(number)
        except KeyError:
            continue
        return False
    return True


def _mapped(number: int) -> bool:
    """Return whether this user namespace knows ``number``; a container may map only a few."""
    if sys.platform != "linux":
        return True
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        first, _, count = map(int, line.split())
        if first <= number < first + count:
            return True
    return False
