"""Everything that a registry holds of an account, taken home: fetched in files, verified as they come, taken up again.

The service sends a tar whose files are named by what they hold last, so a transfer that broke off goes on behind the
last whole file, whatever became of the process. What has come lies beside the target, in ``.TARGET.ACCOUNT.partial``.
"""

from __future__ import annotations

import os
import re
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

import msgspec

from licet.catalogue.export import whole
from licet.client import Client
from licet.errors import InputError, MalformedError, ServiceError, UnreachableError, VerificationError
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import Trust
from licet.wire.common import StatementFile

LAST: Final = "export.json"
LARGEST: Final = 256 << 20  # bytes of one file
_BLOCK: Final = 512
_NAME: Final = re.compile(r"[a-z_]{1,40}/[0-9a-z-]{1,100}\.(?:jsonl|json|webp)", re.ASCII)
_TRIES: Final = 5  # that bring nothing new, one after the other


def take_home(
    client: Client, target: Path, *, overwrite: bool = False, advance: Callable[[int], None] = lambda _: None
) -> dict[str, int]:
    """Return how much there was in each section once everything is in ``target``: a tar, a zip, or else a folder.

    Every signed statement in it was verified against the pinned registry, and so was who exported. Raises
    ``InputError`` where something is there already and may not be replaced, ``VerificationError`` naming the file that
    does not hold, and ``UnreachableError``; what has come is kept for the next call then.
    """
    if target.exists() and not overwrite:
        raise InputError.field("-o", "a place where nothing is yet, or --overwrite", str(target))
    account = client.need_account().account
    assert account is not None  # `need_account` has looked
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.parent / f".{target.name[:100]}.{account.account}.partial"
    taking = _Taking(partial, client.trust(), account.account)
    taking.look(advance)
    idle = 0
    while not taking.complete:
        before = taking.size
        try:
            _fetch(client, taking, advance)
        except UnreachableError:
            if taking.size == before and idle >= _TRIES:
                raise
        idle = 0 if taking.size > before else idle + 1
        if idle > _TRIES:
            raise ServiceError("expected the export to go on, got nothing more of it; ask again later")
    _place(partial, target)
    return dict(taking.counts)


def _fetch(client: Client, taking: _Taking, advance: Callable[[int], None]) -> None:
    """Fetch what follows; whatever came whole counts, also if the line is cut."""
    try:
        with taking.partial.open("r+b" if taking.partial.exists() else "w+b") as file:
            os.chmod(taking.partial, 0o600)  # noqa: PTH101 - what follows is somebody's private data
            file.truncate(taking.size)
            file.seek(taking.size)
            with client.account_export(taking.last) as chunks:
                for chunk in chunks:
                    file.write(chunk)
                    advance(len(chunk))
    finally:
        taking.look(lambda _: None)


class _Taking:
    """What has come: ``size`` bytes of whole files, the ``last`` of them, and whether that is the end."""

    def __init__(self, partial: Path, trust: Trust, account: str) -> None:
        self.partial = partial
        self.size = 0
        self.last: str | None = None
        self.complete = False
        self.counts: Counter[str] = Counter()
        self._trust = trust
        self._account = account

    def look(self, advance: Callable[[int], None]) -> None:
        """Take every further whole file into account, each verified; raises ``VerificationError``."""
        if self.partial.exists():
            with self.partial.open("rb") as file:
                file.seek(self.size)
                for name, content, size in _files(file):
                    self._take(name, content)
                    self.size += size
                    advance(size)

    def _take(self, name: str, content: bytes) -> None:
        if self.complete:
            raise MalformedError(f"the service: expected {LAST} to be the last file, got {name} behind it")
        if name == LAST:
            self._is_ours(content)
            self.complete = True
            return
        section, _, rest = name.partition("/")
        if rest.endswith(".json"):
            _verify(name, content, self._trust)
        self.counts[section] += content.count(b"\n") if rest.endswith(".jsonl") else 1
        self.last = name

    def _is_ours(self, content: bytes) -> None:
        try:
            about = msgspec.json.decode(content, type=_About)
        except msgspec.MsgspecError as error:
            raise MalformedError(f"{LAST}: expected what an export says of itself, got {error}") from None
        found = (about.account, about.registry.origin, about.registry.root)
        if found != (self._account, self._trust.origin, self._trust.root):
            raise VerificationError(f"{LAST}: expected the export of {self._account}, got one of {about.account}")


class _Where(msgspec.Struct):
    origin: str
    root: str


class _About(msgspec.Struct):
    account: str
    registry: _Where


def _verify(name: str, content: bytes, trust: Trust) -> None:
    try:
        file = msgspec.json.decode(content, type=StatementFile)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedError(f"{name}: expected a statement file, got {error}") from None
    try:
        verified = verify_statement_file(file, trust)
    except VerificationError as error:
        raise VerificationError(f"{name}: {error.message}") from None
    if not verified.anchored:
        raise VerificationError(f"{name}: expected a statement of the pinned registry, got another one's")


def _files(file: IO[bytes]) -> Iterator[tuple[str, bytes, int]]:
    """Yield name, content and length in the tar of each whole file from here on."""
    while len(header := file.read(_BLOCK)) == _BLOCK and header != bytes(_BLOCK):
        try:
            about = tarfile.TarInfo.frombuf(header, "ascii", "strict")
        except (tarfile.HeaderError, UnicodeDecodeError, ValueError) as error:
            raise MalformedError(f"the service: expected a tar, got {error}") from None
        if not (about.isreg() and 0 <= about.size <= LARGEST and (about.name == LAST or _NAME.fullmatch(about.name))):
            raise MalformedError(f"the service: expected a file of an export, got {about.name!r} of {about.size} bytes")
        content = file.read(about.size)
        padding = -about.size % _BLOCK
        if len(content) < about.size or len(file.read(padding)) < padding:
            return
        yield about.name, content, _BLOCK + about.size + padding


def _place(partial: Path, target: Path) -> None:
    if target.suffix.lower() == ".tar":
        os.replace(partial, target)  # noqa: PTH105 - says what it does to what is there
        return
    with whole(target) as folder, partial.open("rb") as file:
        for name, content, _ in _files(file):
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
    partial.unlink()
