"""Starting, adopting and stopping one PostgreSQL, on a unix socket only."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from registry.database.binaries import Binaries, reachable
from registry.database.owner import Owner, named_owner
from registry.errors import DataFolderError

USER = "licet"
DATABASE = "licet"
_PORT = 5432  # only names the socket
_READY_SECONDS = 600.0  # recovery after a crash may have much to replay
_STOP_SECONDS = 60.0
_STALE_SECONDS = 15.0  # how long the processes of a killed server may take to notice
_WRITING_SECONDS = 0.5  # far longer than a server takes from making its note to filling it
_LOG_BYTES = 10_000_000

# "May we speak TLS?", the one question that is answered before any other (PostgreSQL, message formats).
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)

OPTIONS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "cluster_name": "licet",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
    "jit": "off",
    # Ids of uses are digests: each goes to a page of its own, and those of some millions should be at hand.
    "shared_buffers": "512MB",
    "max_wal_size": "2GB",
    # The archive reads committed changes from the server's own log; what it does not read must not fill the disk.
    "wal_level": "logical",
    "max_replication_slots": "20",
    "max_slot_wal_keep_size": "4GB",
}


def socket_path(folder: Path) -> Path:
    """Return the socket that PostgreSQL makes in ``folder``."""
    return folder / f".s.PGSQL.{_PORT}"


def make_cluster(binaries: Binaries, cluster: Path, owner: Owner, *, durable: bool = True) -> None:
    """A new, empty database cluster is at ``cluster``, whole or not at all.

    UTF-8 and code point order everywhere, so that text sorts alike on every machine; page checksums; only the
    socket is open, without a password, because its folder is. Raises ``DataFolderError`` with initdb's words.
    """
    staging = cluster.with_name(cluster.name + ".new")
    _remove(staging)
    staging.mkdir(mode=0o700)
    try:
        maker = named_owner()
        maker.give(staging)
        place = _seen(staging, maker)
        arguments = [
            str(binaries.initdb),
            f"--pgdata={place}",
            f"--username={USER}",
            "--encoding=UTF8",
            "--locale=C",
            *(["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if binaries.major >= 17 else []),
            "--data-checksums",
            "--auth-local=trust",
            "--auth-host=reject",
            *([] if durable else ["--no-sync", "--wal-segsize=1"]),
        ]
        _run(arguments, staging, maker)
        fsync = "on" if durable else "off"
        single = [str(binaries.postgres), "--single", "-D", place, "-c", f"fsync={fsync}", "postgres"]
        _run(single, staging, maker, text=f"CREATE DATABASE {DATABASE};\n")
        owner.give(staging)
        staging.rename(cluster)
        if durable:
            # initdb and the server have synced the files; file systems keep the order of owners and names.
            _sync_folder(cluster.parent)
    finally:
        _remove(staging)


@dataclass(slots=True)
class Postmaster:
    """A running server: our child, or one that a killed service left behind."""

    pid: int
    sockets: Path
    child: subprocess.Popen[bytes] | None = None


def launch(
    binaries: Binaries, cluster: Path, owner: Owner, sockets: Path, log: Path, options: Mapping[str, str]
) -> Postmaster:
    """The server of ``cluster`` accepts connections in ``sockets`` when this returns.

    Raises ``DataFolderError`` with the server's last words if it does not come up.
    """
    settings = {**OPTIONS, **options, "unix_socket_directories": str(sockets)}
    arguments = [str(binaries.postgres), "-D", _seen(cluster, owner)]
    for name, value in settings.items():
        arguments += ["-c", f"{name}={value}"]
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    _disown_reused_pid(cluster)
    deadline = time.monotonic() + _STALE_SECONDS
    while True:
        log.touch(mode=0o600)  # failed statements may show values
        with log.open("ab") as lines:
            before = lines.tell()
            child = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=lines,
                stderr=lines,
                cwd=cluster,
                env=_environment(),
                umask=0o077,
                start_new_session=True,  # Ctrl-C is for the service, which then stops the database
                **owner.identity,
            )
        if _wait_ready(cluster, child):
            return Postmaster(child.pid, sockets, child)
        words = log.read_bytes()[before:].decode(errors="replace")
        # A killed server's last processes still hold its memory: they end by themselves.
        if "pre-existing shared memory block" in words and time.monotonic() < deadline:
            time.sleep(0.2)
            continue
        raise DataFolderError(f"PostgreSQL does not start: {_last_words(words)} (see {log})")


def adopt(cluster: Path) -> Postmaster | None:
    """Return the server that already runs on ``cluster``, None if there is none.

    It was left by a service that was killed. One that is still starting is waited for; one that is stopping too.
    """
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        lines = _pid_file(cluster)
        if lines is None:
            return None
        pid, sockets = int(lines[0]), Path(lines[4])
        if not _alive(pid, cluster, sockets):
            return None
        if lines[7].strip() == "ready" and _accepts(sockets):
            return Postmaster(pid, sockets)
        if time.monotonic() > deadline:
            raise DataFolderError(
                f"PostgreSQL (process {pid}) runs on {cluster} but does not answer; end it and try again"
            )
        time.sleep(0.02)


def stop(postmaster: Postmaster, cluster: Path) -> None:
    """The server is down, with everything on disk: connections are cut, nothing is waited for."""
    for kind in (signal.SIGINT, signal.SIGQUIT):
        with contextlib.suppress(ProcessLookupError):
            os.kill(postmaster.pid, kind)
        if _wait_gone(postmaster, cluster):
            return
    raise DataFolderError(f"PostgreSQL (process {postmaster.pid}) does not stop")


def major_of(cluster: Path) -> int:
    """Return the major version that made ``cluster``. Raises ``DataFolderError`` if it is no cluster."""
    try:
        return int((cluster / "PG_VERSION").read_text().strip())
    except (OSError, ValueError) as error:
        raise DataFolderError(f"expected a PostgreSQL data folder at {cluster}, got none that can be read") from error


def _seen(cluster: Path, owner: Owner) -> str:
    """Return the path by which ``owner`` reaches ``cluster``.

    Where an ancestor folder is closed to it, that is the working directory, which we enter before the drop and
    which the server never leaves; no permission of anybody's folder has to change.
    """
    if not owner.dropped or reachable(cluster.parent, owner.uid, owner.gid):
        return str(cluster)
    if sys.platform == "linux":
        return "/proc/self/cwd"
    raise DataFolderError(f"expected {cluster.parent} to be open to other users; choose another folder with --data")


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _run(arguments: list[str], folder: Path, owner: Owner, *, text: str = "") -> None:
    result = subprocess.run(
        arguments,
        input=text,
        capture_output=True,
        text=True,
        cwd=folder,
        env=_environment(),
        umask=0o077,
        check=False,
        **owner.identity,
    )
    if result.returncode != 0 or "ERROR:" in result.stderr:
        name = Path(arguments[0]).name
        raise DataFolderError(f"{name} failed: {_last_words(result.stderr or result.stdout)}")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _last_words(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [
        line for line in lines if any(word in line for word in ("FATAL", "PANIC", "ERROR", "error:", "could not"))
    ]
    return (telling or lines or ["it said nothing"])[-1]


def _remove(folder: Path) -> None:
    if not folder.is_symlink() and folder.exists():
        shutil.rmtree(folder)


def _pid_file(cluster: Path) -> list[str] | None:
    """Return the eight lines of ``postmaster.pid``, None while there is no whole one."""
    try:
        lines = (cluster / "postmaster.pid").read_text(errors="replace").replace("\0", "").splitlines()
    except FileNotFoundError:
        return None
    if not lines or re.fullmatch(r"[1-9][0-9]{0,9}", lines[0], re.ASCII) is None:
        return None
    return (lines + [""] * 8)[:8]


def _alive(pid: int, cluster: Path, sockets: Path) -> bool:
    """Return whether ``pid`` is a server on ``cluster``, and not another process that got its number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it belongs to somebody else, which a server of ours run by root does not tell apart
    if sys.platform == "linux":
        try:
            # Every server works in its data folder; a zombie works nowhere.
            return Path(f"/proc/{pid}/cwd").samefile(cluster)
        except OSError:
            return False
    return _accepts(sockets)


def _accepts(sockets: Path) -> bool:
    """Return whether a server answers on the socket: a dying one still accepts, and says nothing."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(str(socket_path(sockets)))
            probe.sendall(_SSL_REQUEST)
            return probe.recv(1) in {b"N", b"S"}
        except OSError:
            return False


def _disown_reused_pid(cluster: Path) -> None:
    """Let the server judge a note left by a crash by its shared memory, not by a number that is in use again.

    After a restart of a container the number in ``postmaster.pid`` often belongs to another process of the same
    user. PostgreSQL skips that check for its parent's number, and still makes the one on shared memory.
    """
    path = cluster / "postmaster.pid"
    lines = _pid_file(cluster)
    if lines is None and path.exists():
        time.sleep(_WRITING_SECONDS)
        lines = _pid_file(cluster)
        if lines is None:
            path.unlink(missing_ok=True)  # emptied by a power cut; a server that is starting would have written it
    if lines is None:
        return
    with path.open("r+", errors="surrogateescape") as note:
        rest = note.read().partition("\n")[2]
        note.seek(0)
        note.write(f"{os.getpid()}\n{rest}")
        note.truncate()


def _wait_ready(cluster: Path, child: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + _READY_SECONDS
    while child.poll() is None:
        lines = _pid_file(cluster)
        if lines is not None and lines[0] == str(child.pid) and lines[7].strip() == "ready":
            return True
        if time.monotonic() > deadline:
            child.kill()
            child.wait()
            break
        time.sleep(0.01)
    return False


def _wait_gone(postmaster: Postmaster, cluster: Path) -> bool:
    if postmaster.child is not None:
        try:
            postmaster.child.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        return True
    deadline = time.monotonic() + _STOP_SECONDS
    while _alive(postmaster.pid, cluster, postmaster.sockets):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
