"""Words on stdout and stderr, whatever is at their other end: a reader that leaves, a narrow encoding, nothing at all.

What was done does not hang on who reads about it: a closed pipe (``| head``) swallows the rest, and the exit code stays
the command's own. A disk that is full is another matter: then the document is lost, which is said.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Final, TextIO

_lost: Final[list[OSError]] = []  # why something that was meant for stdout is not there


def say(text: str, *, aside: bool = False, end: str = "\n") -> None:
    """Print ``text`` on stdout, or ``aside`` on stderr."""
    stream = sys.stderr if aside else sys.stdout
    if stream is None:  # closed from the start
        return
    try:
        print(text, file=stream, end=end, flush=end != "\n")
    except OSError as error:
        _unheard(stream, error)


def prepare() -> None:
    """Let what stdout cannot show stand as ``\\u5141`` from here on, as stderr does by itself."""
    if narrow() and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def narrow() -> bool:
    """Return whether stdout takes less than every character."""
    return sys.stdout is not None and (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"


def finished() -> bool:
    """Return whether everything that was said has gone out, or nobody wanted it; if not, say so."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except OSError as error:
            _unheard(stream, error)
    if _lost:
        say(f"error: cannot write all that was found: {_lost.pop().strerror}", aside=True)
        _lost.clear()
        return False
    return True


def _unheard(stream: TextIO, error: OSError) -> None:
    """Let the rest go nowhere, so that nothing complains about it at the end."""
    if stream is sys.stdout and not isinstance(error, BrokenPipeError):
        _lost.append(error)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
