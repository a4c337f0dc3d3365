"""The stores that addresses lead to, and what we ask of each: what is there, of which version, and its bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol, cast
from urllib.parse import unquote, urlsplit

from licet.errors import InputError, LicetError, NotAllowedError, UnreachableError

_RETRIES: Final = 4
_PATIENCE: Final = timedelta(seconds=30)
_PREFIXES: Final = {"s3": "AWS", "gs": "GOOGLE", "az": "AZURE"}
#: Where the libraries beneath look for credentials, as far as most people need to know.
_VARIABLES: Final = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (AWS_SKIP_SIGNATURE=true for a public bucket)",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or GOOGLE_SKIP_SIGNATURE=true for a public bucket",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
    "hf": "HF_TOKEN",
}
_EXTRA: Final = "pip install 'licet[cloud]'"


class Entry(NamedTuple):
    """One object. ``version`` tells it from every other content that had or will have its name."""

    path: str
    size: int
    version: dict[str, str]


class Store(Protocol):
    """A bucket, a server or a repository."""

    lists: bool

    def head(self, path: str) -> Entry | None:
        """Return what is at ``path`` now, or None."""

    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield everything whose path begins with ``prefix``, a folder."""

    def read(self, entry: Entry, start: int, end: int) -> bytes:
        """Return exactly these bytes; raises ``InputError`` if the object is another by now."""


def open_store(given: str, shown: str) -> tuple[Store, str, str]:
    """Return the store of an address, how its root is shown, and the path in it; raises ``InputError`` that names the
    extra where its library is not installed."""
    scheme, _, rest = given.partition("://")
    if scheme.lower() == "hf":
        return _hub(rest, shown)
    try:
        import obstore  # noqa: F401 - to say what is missing before anything else fails
        from obstore.store import from_url
    except ImportError:
        raise _missing(shown, "obstore") from None
    parts = urlsplit(given)
    host, _, path = rest.partition("/")
    http = scheme.lower() in ("http", "https")
    root = f"{scheme.lower()}://{host}"
    options: dict[str, Any] = {
        "retry_config": {"max_retries": _RETRIES, "retry_timeout": _PATIENCE},
        "client_options": {"timeout": _PATIENCE, "connect_timeout": timedelta(seconds=5)},
    }
    # Over plain HTTP only a server on one's own machine, or a store of which the environment says so.
    allowed = os.environ.get(f"{_PREFIXES.get(scheme.lower(), 'HTTP')}_ALLOW_HTTP", "").lower() in ("1", "true", "yes")
    options["client_options"]["allow_http"] = allowed or scheme.lower() == "http"
    with _told(root):
        store = from_url(root, **options)
    return ObjectStore(store, root, lists=not http), root, unquote(parts.path.lstrip("/")) if http else path


class ObjectStore:
    """What obstore reads."""

    def __init__(self, store: Any, shown: str, *, lists: bool) -> None:
        self.lists = lists
        self._store = store
        self._shown = shown

    def head(self, path: str) -> Entry | None:
        """Return what is at ``path`` now, or None."""
        import obstore

        try:
            with _told(f"{self._shown}/{path}"):
                return _entry(obstore.head(self._store, path))
        except FileNotFoundError:
            return None

    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield everything under ``prefix``, in the store's order."""
        import obstore

        try:
            with _told(f"{self._shown}/{prefix}"):
                for chunk in obstore.list(self._store, prefix or None):
                    yield from (_entry(each) for each in chunk)
        except FileNotFoundError:
            raise InputError.field("input", "a bucket that exists", self._shown) from None

    def read(self, entry: Entry, start: int, end: int) -> bytes:
        """Return these bytes of the version that was found."""
        import obstore

        shown = f"{self._shown}/{entry.path}"
        options: dict[str, Any] = {"range": (start, end)}
        if "etag" in entry.version and not entry.version["etag"].startswith("W/"):
            options["if_match"] = entry.version["etag"]
        try:
            with _told(shown):
                data = bytes(obstore.get(self._store, entry.path, options=cast("Any", options)).bytes())
        except FileNotFoundError:
            raise InputError(f"{shown}: expected the object that was there, got none: it was removed") from None
        if len(data) != end - start:
            raise InputError(f"{shown}: expected {end - start:,} bytes from byte {start:,}, got {len(data):,}")
        return data


class HubStore:
    """A repository of the Hugging Face hub, at one commit."""

    lists = True

    def __init__(self, system: Any, root: str, shown: str) -> None:
        self._system = system
        self._root = root
        self._shown = shown

    def head(self, path: str) -> Entry | None:
        """Return what is at ``path``, or None."""
        try:
            with _told(f"{self._shown}/{path}"):
                found = self._system.info(f"{self._root}/{path}")
        except FileNotFoundError:
            return None
        return self._entry(found) if found["type"] == "file" else None

    def list(self, prefix: str) -> Iterator[Entry]:
        """Yield everything under ``prefix``."""
        try:
            with _told(f"{self._shown}/{prefix}"):
                found = self._system.find(f"{self._root}/{prefix}".rstrip("/"), detail=True)
        except FileNotFoundError:
            return
        for path in sorted(found):
            yield self._entry(found[path])

    def read(self, entry: Entry, start: int, end: int) -> bytes:
        """Return these bytes; a commit never changes."""
        shown = f"{self._shown}/{entry.path}"
        try:
            with _told(shown):
                data: bytes = self._system.cat_file(f"{self._root}/{entry.path}", start=start, end=end)
        except FileNotFoundError:
            raise InputError(f"{shown}: expected the file that was there, got none") from None
        if len(data) != end - start:
            raise InputError(f"{shown}: expected {end - start:,} bytes from byte {start:,}, got {len(data):,}")
        return data

    def _entry(self, found: dict[str, Any]) -> Entry:
        path = found["name"].removeprefix(self._root).lstrip("/")
        large = found.get("lfs") or {}
        digest = large.get("sha256") if isinstance(large, dict) else getattr(large, "sha256", None)
        return Entry(path, int(found["size"] or 0), {"blob": str(digest or found.get("blob_id"))})


def _hub(rest: str, shown: str) -> tuple[Store, str, str]:
    try:
        from huggingface_hub import HfApi, HfFileSystem
    except ImportError:
        raise _missing(shown, "huggingface_hub") from None
    system = HfFileSystem(skip_instance_cache=True)
    try:
        with _told(shown):
            resolved: Any = system.resolve_path(rest)
            kind = f"{resolved.repo_type}s/" if resolved.repo_type != "model" else ""
            info = HfApi().repo_info(resolved.repo_id, repo_type=resolved.repo_type, revision=resolved.revision)
    except FileNotFoundError:
        raise InputError.field("input", "an address that exists, and that HF_TOKEN opens", shown) from None
    there = f"hf://{kind}{resolved.repo_id}"
    store = HubStore(system, f"{kind}{resolved.repo_id}@{info.sha}", there)
    return store, there, resolved.path_in_repo


def _entry(found: Any) -> Entry:
    version = {"etag": found.get("e_tag"), "version": found.get("version")}
    known = {name: value for name, value in version.items() if value}
    modified = found.get("last_modified")
    if not known and isinstance(modified, datetime):
        known = {"modified": modified.isoformat()}
    return Entry(found["path"], int(found["size"]), known)


@contextmanager
def _told(shown: str) -> Iterator[None]:
    """Turn what the libraries raise into our errors, in few words and without what they were called with."""
    try:
        yield
    except (LicetError, FileNotFoundError):
        raise
    except Exception as error:  # noqa: BLE001 - each library has its own tree, and none is imported here
        raise _ours(error)(shown) from None


def _ours(error: Exception) -> Callable[[str], LicetError]:
    name = type(error).__name__
    answer = getattr(getattr(error, "response", None), "status_code", None)
    if name in ("UnauthenticatedError", "PermissionDeniedError", "GatedRepoError") or answer in (401, 403):
        return lambda shown: NotAllowedError(
            f"{shown}: the store refuses to show it; as for credentials, {_credentials(shown)}"
        )
    if name in ("RepositoryNotFoundError", "RevisionNotFoundError", "EntryNotFoundError") or (
        "NoSuchBucket" in str(error)
    ):
        return lambda shown: InputError.field("input", "an address that exists", shown)
    if name == "PreconditionError":
        return lambda shown: InputError(f"{shown}: the input changed while it was read; --overwrite starts anew")
    if name in ("InvalidPathError", "UnknownConfigurationKeyError", "ValueError"):
        return lambda shown: InputError.field("input", "an address that can be read", shown)
    why = "no credentials were found" if "169.254.169.254" in str(error) else "no answer from the store"
    if why.startswith("no credentials"):
        return lambda shown: InputError(f"{shown}: {why}; {_credentials(shown)}")
    return lambda shown: UnreachableError(f"{shown}: {why} ({name}); the same command goes on once it answers")


def _credentials(shown: str) -> str:
    names = _VARIABLES.get(shown.partition("://")[0].lower(), "the environment")
    return f"they are read from {names}"


def _missing(shown: str, module: str) -> InputError:
    return InputError(f"{shown}: expected {module} for inputs that lie elsewhere, got none: {_EXTRA}")
