"""The end of a call held at every read and write of the driver for threads.

httpx bounds each step and begins anew with every byte, so a head that drips would never end. asyncio can end a whole
call from outside; a thread can not be, and asks here how much time is left each time that it waits for the network.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, Final

from licet.transport.library import httpx

Left = Callable[[], float]  # seconds until the end, raising once it is past

_PIECE: Final = 1 << 14  # bytes sent before asking again how much time is left
_left: ContextVar[Left | None] = ContextVar("left", default=None)  # of what this thread waits for


@contextlib.contextmanager
def held(left: Left) -> Iterator[None]:
    """Hold every read and write of this thread to ``left``, inside the block."""
    token = _left.set(left)
    try:
        yield
    finally:
        _left.reset(token)


def hold(client: httpx.Client) -> None:
    """Make connections of ``client``, through proxies too, ask what time is `held`; it must not have opened any."""
    # The only way to a connection's socket before its first answer: httpx has no option for httpcore's backends.
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.HTTPTransport):
            pool: Any = transport._pool
            pool._network_backend = _Backend(pool._network_backend)


class _Backend:
    """Opens connections that ask (an ``httpcore.NetworkBackend``)."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> _Stream:
        with _within(timeout) as seconds:
            return _Stream(self._real.connect_tcp(host, port, timeout=seconds, **options))

    def sleep(self, seconds: float) -> None:
        self._real.sleep(seconds)


class _Stream:
    """A connection that asks (an ``httpcore.NetworkStream``)."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _within(timeout) as seconds:
            data: bytes = self._real.read(max_bytes, timeout=seconds)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            with _within(timeout) as seconds:
                self._real.write(buffer[start : start + _PIECE], timeout=seconds)

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> _Stream:
        with _within(timeout) as seconds:
            return _Stream(self._real.start_tls(ssl_context, server_hostname, timeout=seconds))

    def close(self) -> None:
        self._real.close()

    def get_extra_info(self, info: str) -> Any:
        return self._real.get_extra_info(info)


@contextlib.contextmanager
def _within(timeout: float | None) -> Iterator[float | None]:
    """Give what a step may take of ``timeout``: no longer than what is left."""
    ask = _left.get()
    if ask is None:
        yield timeout
        return
    left = ask()
    try:
        yield timeout if left == float("inf") else left if timeout is None else min(timeout, left)
    except Exception:
        ask()  # the step ended with the whole: that is what to say
        raise
