"""What the registry says of itself, and its log."""

from __future__ import annotations

from collections.abc import Callable

from licet.errors import ServiceError
from licet.exchange.calls import Call, get, nothing
from licet.wire import accounts


def live() -> Call[None]:
    """Whether anything answers."""
    return Call("getLive", "GET", "/health/live", nothing)


def registry() -> Call[accounts.RegistryInfo]:
    """Who the registry says that it is."""
    return get("getRegistry", "/v1/registry", accounts.RegistryInfo)


def checkpoint() -> Call[str]:
    """What the log says of itself now."""
    return Call("getCheckpoint", "GET", "/log/checkpoint", _text("a signed checkpoint"))


def log_key() -> Call[str]:
    """The key that the log signs with."""
    return Call("getLogKey", "GET", "/log/vkey", _text("a verifier key"))


def log_keys() -> Call[str]:
    """Every statement about the registry's own keys, with its place in the log."""
    return Call("getLogKeys", "GET", "/log/keys", _text("the registry's key statements", ends="]"))


def _text(what: str, ends: str = "\n") -> Callable[[bytes], str]:
    def read(body: bytes) -> str:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            text = ""
        if not text.endswith(ends) or text.startswith("<"):
            raise ServiceError(f"expected {what} from the service, got something else", foreign=True)
        return text

    return read
