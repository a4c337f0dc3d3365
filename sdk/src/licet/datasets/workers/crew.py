"""Workers somewhere, pieces of work as they are given to them, and our errors on their way back."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from licet import errors
from licet.errors import LicetError


class Crew(Protocol):
    """Workers somewhere."""

    def each(self, do: Callable[[bytes], bytes], pieces: Sequence[bytes]) -> Iterable[bytes]:
        """Yield what ``do`` returns of each of ``pieces``, in any order, as they are done.

        ``do`` can be pickled. Whoever is lost is replaced, and what it was at is done again.
        """


class _Failed(NamedTuple):
    """One of our errors on its way from a worker: the piece is not tried again, it would end so again."""

    kind: str
    message: str
    details: dict[str, Any]


def answer(do: Callable[[Any], Any], piece: bytes, place: str) -> bytes:
    """Return what ``do`` makes of a pickled ``piece``, or one of our errors, pickled for `each_taken`.

    ``place`` is named where the system does not say what it could not read or write.
    """
    try:
        done: Any = do(pickle.loads(piece))  # noqa: S301 - from whoever gave us this code, the same way
    except LicetError as error:
        done = _Failed(type(error).__name__, error.message, error.details)
    except OSError as error:
        at = error.filename2 or error.filename or place
        done = _Failed("InputError", f"{at}: expected to read and write there, got {error.strerror or error}", {})
    return pickle.dumps(done)


def each_taken(crew: Crew, do: Callable[[bytes], bytes], pieces: Sequence[Any]) -> Generator[Any]:
    """Yield what the workers' `answer` of each of ``pieces`` was, in any order; raises the first of our errors."""
    seen = 0
    for given in crew.each(do, [pickle.dumps(piece) for piece in pieces]):
        done = pickle.loads(given)  # noqa: S301 - from our own worker
        if isinstance(done, _Failed):
            raise getattr(errors, done.kind, LicetError)(done.message, **done.details)
        seen += 1
        yield done
    if seen != len(pieces):
        raise errors.ServiceError(f"expected {len(pieces)} pieces done by the workers, got {seen}")
