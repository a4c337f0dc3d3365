"""A process of the service as the one that started it sees it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Any, Final

import msgspec
import structlog

STOP_SECONDS: Final = 15.0
_log = structlog.get_logger("registry.up")


class Child:
    """One process of the service: alive from `start` to `end`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._begun = False
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """The process is importing, and waits for `go`."""
        self.ready.clear()
        self._begun = False
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "registry.running.part", self.name),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the parent, which ends them in order
        )
        self._listening = asyncio.create_task(self._listen(self._process))

    def go(self, given: dict[str, Any]) -> None:
        """The process begins its work with these settings."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._begun = True
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(msgspec.json.encode(given) + b"\n")

    async def exited(self) -> int:
        """Return the exit code once the process is gone."""
        assert self._process is not None
        return await self._process.wait()

    async def end(self) -> None:
        """The process is gone: asked, then told, then killed."""
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        if not self._begun:  # it holds nothing yet
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        for insist in (process.terminate, process.kill):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
                break
            _log.warning("part.insisting", part=self.name)
            with contextlib.suppress(ProcessLookupError):
                insist()
        await process.wait()
        if self._listening is not None:
            await self._listening
        self._process = None

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            if line == b"ready\n":
                self.ready.set()
            else:
                sys.stderr.write(line.decode(errors="replace"))
