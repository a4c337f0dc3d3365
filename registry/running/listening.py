"""The port: whether it is free, and whether somebody answers there."""

from __future__ import annotations

import asyncio
import errno
import socket

from registry.errors import SettingsError, Unavailable
from registry.settings import Settings


def claim_port(host: str, port: int) -> int:
    """Return the port to use: ``port`` if it is free, any free one for 0.

    Granian shares its port with processes of its kind, so two services would each get half of the requests: whoever
    starts asks here first. Raises ``Unavailable`` if it is in use and ``SettingsError`` if it cannot be had at all.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
            chosen: int = probe.getsockname()[1]
            return chosen
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Unavailable(f"port {port} on {host} is in use; stop what uses it, or choose another") from None
        raise SettingsError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None


def local_url(settings: Settings) -> str:
    """Return the address that this machine reaches the service under."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


async def answers(settings: Settings, path: str = "/health/live", seconds: float = 5.0) -> bool:
    """Return whether ``GET path`` is answered with 200 at this moment."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  # compared only
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(host, settings.port)
            try:
                writer.write(request.encode())
                status = await reader.readline()
                await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return status.startswith(b"HTTP/1.1 200 ")
