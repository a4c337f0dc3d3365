"""A PostgreSQL of our own in a data folder: nothing to install, nothing on the network.

::

    DATA/holder.json     who holds the folder, since when, where it serves
    DATA/postgres/       the cluster, owner-only
    DATA/postgres.log    what the server says
    DATA/run/            the socket, owner-only; in a private temporary folder where DATA is too deep or closed
    DATA/binaries/       a copy of the programs, only where the server's user cannot reach the Python environment
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from registry.database import launcher
from registry.database.binaries import MAJOR, Binaries, carriable, copied, installed, reachable
from registry.database.holder import Hold, holder_of
from registry.database.owner import Owner, owner_of
from registry.errors import DataFolderError

_RUN_PREFIX = "licet-"
_ATTACH_SECONDS = 60.0
_SOCKET_PATH_BYTES = 100  # the shortest limit of the systems we know is 103


class EmbeddedPostgres:
    """The server of one data folder; ``start`` and ``stop`` it, any number of times.

    ``options`` are server settings that win over ours; ``durable=False`` makes the cluster without waiting for
    the disk, for tests.
    """

    def __init__(
        self,
        data: Path,
        *,
        url: str | None = None,
        major: int = MAJOR,
        options: Mapping[str, str] | None = None,
        durable: bool = True,
    ) -> None:
        self.data = data.absolute()
        self._url = url
        self._major = major
        self._durable = durable
        self._options = dict(options or {}) | ({} if durable else {"fsync": "off", "full_page_writes": "off"})
        self._hold = Hold(self.data)
        self._cluster = self.data / "postgres"
        self._postmaster: launcher.Postmaster | None = None
        self._run: Path | None = None

    def start(self) -> str:
        """Return the address of the running server, which this process holds from here on.

        A cluster is made where there is none. A server that a killed service left is adopted, and one that was
        killed itself recovers. Raises ``HeldError`` (another process holds the folder) and ``DataFolderError``.
        """
        try:
            self.data.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise DataFolderError(
                f"cannot make the data folder {self.data}: {error.strerror}; "
                "choose one that you may write, with --data or LICET_REGISTRY_DATA"
            ) from error
        self._hold.take(self._url)
        try:
            self._postmaster = self._up()
            address = dsn(self._postmaster.sockets)
            self._hold.announce(dsn=address)
        except BaseException:
            self.stop()
            raise
        return address

    def stop(self) -> None:
        """The server is down and the folder is free; nothing happens when it already is."""
        try:
            if self._postmaster is not None:
                launcher.stop(self._postmaster, self._cluster)
                self._postmaster = None
        finally:
            run, self._run = self._run, None
            if run is not None and (run == self.data / "run" or _ours(str(run)) is not None):
                shutil.rmtree(run, ignore_errors=True)
            self._hold.release()

    def announce(self, url: str) -> None:
        """Note the address under which the service answers, for whoever finds the folder held."""
        self._hold.announce(url=url)

    def _up(self) -> launcher.Postmaster:
        owner = owner_of(self._cluster)
        if self._cluster.exists():
            major = launcher.major_of(self._cluster)
            if major != self._major:
                raise DataFolderError(_foreign(self._cluster, major, self._major))
        if self._cluster.exists() and (found := launcher.adopt(self._cluster)) is not None:
            self._run = found.sockets.parent
            self._hold.announce(run=str(self._run))
            return found
        if self._hold.previous is not None and (left := _ours(self._hold.previous.run)) is not None:
            shutil.rmtree(left, ignore_errors=True)
        binaries = installed(self._major)
        outside = owner.dropped and not reachable(self.data, owner.uid, owner.gid)
        sockets = self._make_run(owner, outside=outside)
        binaries = self._within_reach(binaries, owner, outside=outside)
        if not self._cluster.exists():
            launcher.make_cluster(binaries, self._cluster, owner, durable=self._durable)
        log = self.data / "postgres.log"
        return launcher.launch(binaries, self._cluster, owner, sockets, log, self._options)

    def _make_run(self, owner: Owner, *, outside: bool) -> Path:
        """Return a fresh folder for the socket that only ``owner`` (and root) can enter."""
        run = self.data / "run"
        if outside or len(os.fsencode(launcher.socket_path(run / "s"))) > _SOCKET_PATH_BYTES:
            run = _temporary(owner)
        else:
            shutil.rmtree(run, ignore_errors=True)
            run.mkdir(mode=0o711)
        self._run = run
        self._hold.announce(run=str(run))
        if owner.dropped:
            run.chmod(0o711)  # ours, just made; the socket's own folder below is closed
        sockets = run / "s"
        sockets.mkdir(mode=0o700)
        owner.give(sockets)
        return sockets

    def _within_reach(self, binaries: Binaries, owner: Owner, *, outside: bool) -> Binaries:
        if not owner.dropped or reachable(binaries.postgres, owner.uid, owner.gid):
            return binaries
        assert self._run is not None
        return copied(binaries, (self._run if outside else self.data) / "binaries")


@asynccontextmanager
async def embedded(
    data: Path, *, url: str | None = None, attach: bool = False, options: Mapping[str, str] | None = None
) -> AsyncIterator[str]:
    """Yield the address of the database in ``data``, which runs until the block ends.

    With ``attach``, a folder that another process holds is no error: that process's database is used, and left
    running. Raises ``HeldError`` and ``DataFolderError``.
    """
    if attach and (running := await asyncio.to_thread(attached, data)) is not None:
        yield running
        return
    server = EmbeddedPostgres(data, url=url, options=options)
    starting = asyncio.ensure_future(asyncio.to_thread(server.start))
    try:
        yield await asyncio.shield(starting)
    finally:
        # Whatever ended the block, even a cancellation while the server was coming up, it goes down.
        await asyncio.shield(_settle(starting, server))


async def _settle(starting: asyncio.Future[str], server: EmbeddedPostgres) -> None:
    await asyncio.wait([starting])
    if starting.exception() is None:
        await asyncio.to_thread(server.stop)


def attached(data: Path) -> str | None:
    """Return the address of the database that another process runs in ``data``, None if nobody holds it.

    A holder that is still starting its database is waited for.
    """
    deadline = time.monotonic() + _ATTACH_SECONDS
    while (holder := holder_of(data)) is not None:
        if holder.dsn is not None or time.monotonic() > deadline:
            return holder.dsn
        time.sleep(0.05)
    return None


def dsn(sockets: Path, database: str = launcher.DATABASE) -> str:
    """Return the address of ``database`` on the server whose socket is in ``sockets``."""
    return f"postgresql://{launcher.USER}@/{database}?host={quote(str(sockets), safe='/')}"


def _foreign(cluster: Path, made: int, here: int) -> str:
    """Return what is to be done about a cluster that another major version made; it is not touched."""
    if made < here and carriable(made):
        advice = f"`licet-registry upgrade-database --data {cluster.parent}` carries it over and keeps the old one"
    elif made < here:
        advice = (
            f"start it with PostgreSQL {made}'s own programs, dump it with pg_dump, move {cluster.name} away, run "
            f"`licet-registry migrate` to make a new one, and read the dump into it with psql"
        )
    else:
        advice = "use the release that made it, or a newer one"
    return (
        f"expected data of PostgreSQL {here} in {cluster}, got data of PostgreSQL {made}; nothing was changed: {advice}"
    )


def _temporary(owner: Owner) -> Path:
    """Return a new private folder whose path is short and which ``owner`` can reach."""
    for base in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):  # noqa: S108  # mkdtemp is private
        folder = Path(base)
        short = len(os.fsencode(launcher.socket_path(folder / f"{_RUN_PREFIX}12345678/s"))) <= _SOCKET_PATH_BYTES
        if short and folder.is_dir() and (not owner.dropped or reachable(folder, owner.uid, owner.gid)):
            return Path(tempfile.mkdtemp(prefix=_RUN_PREFIX, dir=folder))
    raise DataFolderError("expected a temporary folder with a short path that all users can enter, such as /tmp")


def _ours(run: str | None) -> Path | None:
    """Return the folder that a note names if it is one that we made: notes may come from another user."""
    if run is None or not Path(run).name.startswith(_RUN_PREFIX):
        return None
    try:
        status = os.lstat(run)
    except OSError:
        return None
    mine = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    return Path(run) if mine and Path(run).parent in _temporary_bases() else None


def _temporary_bases() -> set[Path]:
    return {Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")}  # noqa: S108  # only compared
