"""The process that imports a program once and forks for every call: ``python process.py PROGRAM SOCKET``.

Each connection to the socket brings a file that says what to run, stdin, stdout, stderr, and a pipe for the exit code.
The child is what the program would be once it has imported its code: environment, folder, streams and signals are its
own, nothing was run in its memory before, and it ends as an interpreter ends. Its ``/proc/…/cmdline`` is another.
The process ends when its stdin does.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

BIN = Path(sys.executable).parent
PROGRAMS = {"licet": "licet.cli", "licet-registry": "registry.cli"}
#: Whose modules are imported beforehand, and what these import only when they are called.
BEFOREHAND = {
    "licet": (
        "licet", "PIL.ImageCms", "PIL.ImageFile", "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "PIL.WebPImagePlugin",
        "anyio._backends._asyncio", "asyncio", "calendar", "concurrent.futures.thread", "csv", "cv2", "encodings.idna",
        "httpcore", "httpx", "idna", "numpy.ma", "pyarrow.compute", "pyarrow.parquet",
        "sqlite3", "zoneinfo",
    ),
    "licet-registry": ("registry.running.office", "registry.running.safekeeping", "registry.database.carrying"),
}  # fmt: skip


def serve(listener: socket.socket) -> dict[str, Any]:
    """Fork for every request, in the child return it; the parent goes on until its stdin is closed."""
    pids: dict[int, int] = {}
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        readable, _, _ = select.select([0, listener.fileno(), woken], [], [])
        if 0 in readable:
            os._exit(0)
        if woken in readable:
            os.read(woken, 4096)
            _tell_ended(pids)
        if listener.fileno() in readable:
            connection, _ = listener.accept()
            with connection:
                _, files, _, _ = socket.recv_fds(connection, 1, 5)
            if len(files) != 5:
                continue
            *given, ended = files
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for descriptor in (listener.detach(), woken, wake, ended, *pids.values()):
                    os.close(descriptor)
                return _become(*given)
            pids[pid] = ended
            for descriptor in given:
                os.close(descriptor)


def _import(name: str) -> None:
    """Import a module, and if it is our package all that is in it; what is absent, a command does without."""
    with contextlib.suppress(ImportError):
        module = importlib.import_module(name)
        if name == "licet":
            for found in pkgutil.walk_packages(module.__path__, "licet.", onerror=lambda _: None):
                if not found.name.startswith("licet.engines") and not found.name.endswith("__main__"):
                    _import(found.name)


def _tell_ended(pids: dict[int, int]) -> None:
    for pid in list(pids):
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            _, status = os.waitpid(pid, 0)
            pipe = pids.pop(pid)
            with contextlib.suppress(BrokenPipeError):
                os.write(pipe, str(os.waitstatus_to_exitcode(status)).encode())
            os.close(pipe)


def _become(asked: int, *streams: int) -> dict[str, Any]:
    with open(asked, encoding="ascii") as file:
        request: dict[str, Any] = json.load(file)
    for place, descriptor in enumerate(streams):
        os.dup2(descriptor, place)
        os.close(descriptor)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # for as long as the process lives
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return request


def main(program: str, place: str) -> NoReturn:
    """Serve; in the children run the program."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the tests, and with them our stdin
    entry: Callable[[], Any] = importlib.import_module(PROGRAMS[program]).main
    for name in BEFOREHAND[program]:
        _import(name)
    gc.freeze()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{place}.new")
    listener.listen(64)
    Path(f"{place}.new").rename(place)
    request = serve(listener)
    sys.argv = [str(BIN / program), *request["arguments"]]
    if "TEST_FIRST" in os.environ:  # what a test has run before the program, as a sitecustomize would be
        runpy.run_path(os.environ["TEST_FIRST"])
    _end(entry)


def _end(entry: Callable[[], Any]) -> NoReturn:
    """Run the program and end as an interpreter does, but for taking every module apart, which takes long."""
    code = 1
    try:
        entry()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(ValueError):
            stream.flush()
    os._exit(code & 255)


if __name__ == "__main__":
    main(*sys.argv[1:])
