"""``LICET_HOME``: keys, pinned trust, tokens, snapshots, licences and the usage spool of one user.

::

    profiles/<name>/  account.json  key.pem  token  trust.json
    snapshots/<origin digest>/      segments and the memory of sequences already seen
    licences/<organisation>/        licences held, one file each
    spool.sqlite                    usage that is still to be sent
    signals.sqlite                  what sites said about uses, for a day

Everything in it is written whole or not at all, and only the owner may read it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

import msgspec

from licet.errors import InputError
from licet.misfits import unlike
from licet.private import make_private

DEFAULT_URL: Final = "http://localhost:8000"
T = TypeVar("T")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class AccountFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which account a profile stands for, at which service."""

    url: str
    account: str
    kind: str
    name: str
    genesis: str
    keyid: str


class TrustFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The registry that was pinned at first contact: its log origin and its root public key (hex)."""

    url: str
    origin: str
    root: str
    pinned_at: str


class Profile:
    """One identity in the home: an account's files, each readable by its owner alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def key_path(self) -> Path:
        """Where the account's private key is kept."""
        return self.folder / "key.pem"

    @property
    def statements(self) -> Path:
        """Where what this account signed is kept, with its receipts: one JSON file a statement."""
        return self.folder / "statements"

    def keep_statement(self, name: str, data: bytes) -> None:
        """Keep what was signed and acknowledged under ``name``; where the home cannot be written, it is not kept."""
        with contextlib.suppress(OSError):
            write_private(self.statements / f"{name}.json", data)

    @property
    def account(self) -> AccountFile | None:
        """The account, or None before ``licet account create``."""
        return _read(self.folder / "account.json", AccountFile)

    @account.setter
    def account(self, value: AccountFile) -> None:
        _keep(self.folder / "account.json", msgspec.json.format(msgspec.json.encode(value)))

    @property
    def trust(self) -> TrustFile | None:
        """The pinned registry, or None before first contact."""
        return _read(self.folder / "trust.json", TrustFile)

    @trust.setter
    def trust(self, value: TrustFile) -> None:
        _keep(self.folder / "trust.json", msgspec.json.format(msgspec.json.encode(value)))

    @property
    def token(self) -> str | None:
        """The account's token, or None."""
        try:
            return (self.folder / "token").read_text("utf-8").strip() or None
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{self.folder / 'token'}: cannot be read: {error}") from None

    @token.setter
    def token(self, value: str) -> None:
        _keep(self.folder / "token", f"{value}\n".encode())

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the profile's lock, once whoever has it lets go of it; it ends with the process in any case."""
        with needs(self.folder, "the registry's root key, accounts and tokens"):
            make_private(self.folder)
            file = (self.folder / "lock").open("ab")
        with file:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX)
            yield

    def forget_token(self) -> None:
        """No token is kept any more: the registry would refuse it even where none is needed."""
        (self.folder / "token").unlink(missing_ok=True)


class Home:
    """The folder that ``LICET_HOME`` names, or the platform's place for application data."""

    def __init__(self, folder: Path | str | None = None) -> None:
        chosen = folder or os.environ.get("LICET_HOME")
        if not chosen:
            import platformdirs

            chosen = platformdirs.user_data_dir("licet", appauthor=False)
        self.folder = Path(chosen).expanduser().absolute()

    def profile(self, name: str | None = None) -> Profile:
        """Return profile ``name`` (none: ``LICET_PROFILE``, else ``default``); ``InputError`` for a bad name."""
        chosen = name or os.environ.get("LICET_PROFILE") or "default"
        if not _NAME.fullmatch(chosen):
            raise InputError.field("profile", "a name of letters, digits, dot, dash and underscore", chosen)
        return Profile(self.folder / "profiles" / chosen)

    def snapshots(self, origin: str) -> Path:
        """Return the folder for snapshots of the registry ``origin``; ``LICET_CACHE`` moves it."""
        base = os.environ.get("LICET_CACHE")
        root = Path(base).expanduser() if base else self.folder / "snapshots"
        return root / hashlib.sha256(origin.encode()).hexdigest()[:16]

    def licences(self, organisation: str) -> Path:
        """Return the folder for the licences that ``organisation`` holds."""
        return self.folder / "licences" / organisation

    @property
    def spool(self) -> Path:
        """The SQLite file of usage that is still to be sent."""
        return self.folder / "spool.sqlite"


@contextlib.contextmanager
def write_whole(path: Path) -> Iterator[BinaryIO]:
    """Give a file that replaces ``path`` in one step when the block ends, readable by its owner alone.

    After an exception or a crash ``path`` is what it was before.
    """
    make_private(path.parent)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:200]}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def write_private(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data`` in one step, readable by its owner alone; a crash leaves the old or the new."""
    with write_whole(path) as file:
        file.write(data)


@contextlib.contextmanager
def needs(place: Path, what: str, variable: str = "LICET_HOME") -> Iterator[None]:
    """Raise ``InputError`` that names ``variable`` where ``what`` cannot be kept in ``place``, for what an OS says."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{place}: expected a folder to keep {what} in, got {error.strerror or error}; set {variable} to a folder "
            f"that you may write",
            field=variable,
        ) from None


def _keep(path: Path, data: bytes) -> None:
    with needs(path.parent, "the registry's root key, accounts and tokens"):
        write_private(path, data)


def _read(path: Path, schema: type[T]) -> T | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    try:
        return msgspec.json.decode(data, type=schema)
    except msgspec.MsgspecError as error:
        raise InputError(f"{path}: expected the file that licet wrote, got {unlike(error)}") from None
