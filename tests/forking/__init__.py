"""Our commands without the time that their imports take: run in forks of a process that has imported them.

Most tests are about what a command does. They need it in a process of its own, with its own environment, folder and
streams, and get one; they do not need its imports done hundreds of times. What is about starting, stopping or killing
a command, about a terminal, or about an installation starts the real one. ``LICET_TEST_PROCESSES=1`` does so always.
"""

from __future__ import annotations

import atexit
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from tests.forking.caller import call

BIN = Path(sys.executable).parent
HERE = Path(__file__).resolve().parent
POSSIBLE = sys.platform == "linux" and not os.environ.get("LICET_TEST_PROCESSES")
START_SECONDS = 120.0
_EARLY = ("PYTHON", "LC_", "LANG", "MALLOC", "LD_")  # variables that count before a program's first line is run
#: Only a process of one thread may fork: these libraries start threads when they are imported.
_ALONE = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "OPENBLAS_NUM_THREADS": "1",
}


class Forker:
    """The process that forks for one program, from the first call to the end of the tests."""

    def __init__(self, program: str) -> None:
        self.early = _early(os.environ)
        self._folder = Path(tempfile.mkdtemp(prefix="licet-fork-"))
        self.place = str(self._folder / "socket")
        self._process = subprocess.Popen(
            [sys.executable, HERE / "process.py", program, self.place],
            cwd=HERE.parents[1], env={**os.environ, **_ALONE}, stdin=subprocess.PIPE,
        )  # fmt: skip
        atexit.register(self.end)
        deadline = time.monotonic() + START_SECONDS
        while not Path(self.place).exists():
            assert self._process.poll() is None, f"the process that forks for {program} ended by itself"
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def end(self) -> None:
        """The process is gone."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        shutil.rmtree(self._folder)

    def run(
        self, arguments: list[str], cwd: Path, environment: Mapping[str, str], seconds: float
    ) -> tuple[int, str, str]:
        """Return exit code, stdout and stderr of one call. Raises ``TimeoutError`` after ``seconds``."""
        with Path(os.devnull).open("rb") as nothing, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            streams = (nothing.fileno(), out.fileno(), err.fileno())
            ended = call(self.place, arguments, str(cwd), dict(environment), *streams)
            try:
                if not select.select([ended], [], [], seconds)[0]:
                    raise TimeoutError(f"{arguments} takes longer than {seconds} s")
                code = os.read(ended, 16)
            finally:
                os.close(ended)
            assert code, "the process that forks is gone"
            out.seek(0)
            err.seek(0)
            return int(code), out.read().decode(), err.read().decode()


_forkers: dict[str, Forker] = {}
_one_at_a_time = threading.Lock()


def _forker(program: str) -> Forker:
    with _one_at_a_time:
        if program not in _forkers:
            _forkers[program] = Forker(program)
        return _forkers[program]


def run(
    program: Path, *arguments: str, cwd: Path, environment: Mapping[str, str], seconds: float
) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr of ``program arguments…``, forked if it is ours and that changes nothing."""
    if POSSIBLE and program.parent == BIN:
        forker = _forker(program.name)
        if _early(environment) == forker.early:
            return forker.run(list(arguments), cwd, environment, seconds)
    done = subprocess.run(
        [program, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=seconds
    )
    return done.returncode, done.stdout, done.stderr


def programs(folder: Path) -> Path:
    """Return a folder for a shell's ``PATH`` whose ``licet`` and ``licet-registry`` are forked."""
    if not POSSIBLE:
        return BIN
    for program in ("licet", "licet-registry"):
        path = folder / program
        path.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" -IS "{HERE / "caller.py"}" "{_forker(program).place}" "$@"\n'
        )
        path.chmod(0o755)
    return folder


def _early(environment: Mapping[str, str]) -> dict[str, str]:
    early = {name: value for name, value in environment.items() if name.startswith(_EARLY)}
    early.pop("PYTHONDONTWRITEBYTECODE", None)
    return early
