"""At a real terminal: what is asked before it is done for good, and how soon Ctrl-C is obeyed."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest

from tests.whole.stage import SECONDS, Forward, Line, Person, Service, line_to

#: Makes what it is given its terminal, so that Ctrl-C and Ctrl-D typed there mean what they mean.
TAKES = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"

INTERRUPT = b"\x03"


class Terminal:
    """``licet …`` in a terminal of its own."""

    def __init__(self, person: Person, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        command = [sys.executable, "-c", TAKES, str(person.programs / "licet"), *arguments]
        self._over = False
        self.process = subprocess.Popen(
            command, cwd=person.folder, env={**person.environment, "TERM": "xterm"},
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.screen = ""

    def shows(self, words: str) -> bool:
        """Return whether ``words`` come to be on the screen before the command ends."""
        while words not in self.screen:
            if not self._looks(SECONDS):
                return False
        return True

    def types(self, keys: bytes) -> int:
        """Type, and return the exit code of the command; Ctrl-C is pressed until it is obeyed.

        One that comes between a prompt and Python's waiting for a line is kept until the next key.
        """
        os.write(self._ours, keys)
        for _ in range(SECONDS):
            while self._looks(1):
                pass
            if self._over:
                break
            if keys == INTERRUPT:
                os.write(self._ours, keys)
        assert self._over, self.screen
        assert "Traceback" not in self.screen, self.screen
        return self.process.wait(SECONDS)

    def closes(self) -> None:
        """End the command if it still runs."""
        self.process.kill()
        self.process.wait(SECONDS)
        os.close(self._ours)

    def _looks(self, seconds: int) -> bool:
        # Whether something more was written within so many seconds.
        if not select.select([self._ours], [], [], seconds)[0]:
            return False
        try:
            piece = os.read(self._ours, 4096)
        except OSError:  # Linux says so of a terminal that nobody has open any more
            piece = b""
        self._over = not piece
        self.screen += piece.decode(errors="replace")
        return bool(piece)


Terminals = Callable[..., Terminal]


@pytest.fixture
def terminal() -> Iterator[Terminals]:
    """Start ``licet …`` in a terminal of its own."""
    with ExitStack() as stack:

        def started(person: Person, *arguments: str) -> Terminal:
            opened = Terminal(person, *arguments)
            stack.callback(opened.closes)
            return opened

        yield started


@pytest.fixture(scope="module")
def line(service: Service) -> Iterator[Line]:
    with line_to(service) as opened:
        yield opened


@pytest.fixture(scope="module")
def work(artist: Person) -> str:
    artist.draws("terminal", 7301)
    found: str = artist.does("register", "terminal")["works"][0]["work"]
    return found


@pytest.mark.parametrize(
    ("keys", "code", "words"),
    [
        (b"n\n", 4, "not confirmed: nothing was withdrawn"),
        (b"\n", 4, "not confirmed: nothing was withdrawn"),
        (b"\x04", 4, "not confirmed: nothing was withdrawn"),
        (INTERRUPT, 130, "interrupted"),
    ],
    ids=["no", "nothing", "Ctrl-D", "Ctrl-C"],
)
def test_whatever_is_not_a_yes_withdraws_nothing(
    artist: Person, work: str, terminal: Terminals, keys: bytes, code: int, words: str
) -> None:
    asked = terminal(artist, "works", "withdraw", work)
    assert asked.shows("[y/N]"), asked.screen
    assert "cannot be put back" in asked.screen
    assert asked.types(keys) == code, asked.screen
    assert words in asked.screen
    assert artist.does("works", "show", work)["work"]["withdrawn"] is False
    assert [work, "7301", "upload", "in-force"] in [
        line.split()[:4] for line in artist.types("works", "list").out.splitlines()
    ]


def test_its_small_picture_is_fetched_and_a_yes_withdraws_it(artist: Person, work: str, terminal: Terminals) -> None:
    assert "--thumbnail FILE.webp" in artist.types("works", "show", work).out
    told = artist.types("works", "show", work, "--thumbnail", "small.webp")
    assert "Its small picture is in small.webp." in told.out
    small = (artist.folder / "small.webp").read_bytes()
    assert (small[:4], small[8:12]) == (b"RIFF", b"WEBP")
    assert artist.does("works", "export", "-o", "with", "--thumbnails")["thumbnails"] == 1
    assert (artist.folder / "with" / "thumbnails" / f"{work}.webp").read_bytes() == small

    asked = terminal(artist, "works", "withdraw", work)
    assert asked.shows("[y/N]"), asked.screen
    assert asked.types(b"y\n") == 0, asked.screen
    assert "1 work withdrawn" in asked.screen
    assert artist.does("works", "show", work)["work"]["withdrawn"] is True
    wrong = artist.types("works", "show", work, "--thumbnail", "gone.webp", "--json")
    assert (wrong.code, (artist.folder / "gone.webp").exists()) == (2, False)
    assert artist.does("works", "export", "-o", "without", "--thumbnails")["thumbnails"] == 0


def test_a_second_interruption_ends_at_once_what_waits_for_an_answer(artist: Person, line: Line) -> None:
    artist.draws("waiting", 7302)
    arrived, release = threading.Event(), threading.Event()

    def held(method: str, _path: str, forward: Forward) -> bytes | None:
        if method == "PUT":
            arrived.set()
            release.wait(SECONDS)
            return None
        return forward()

    line.hook = held
    token = (artist.home / "profiles" / "default" / "token").read_text().strip()
    process = artist.starts("register", "waiting", LICET_URL=line.url, LICET_TOKEN=token)
    try:
        assert arrived.wait(SECONDS)
        _interrupt_until_it_ends(process)
        told = artist.ended(process)  # while the answer is still withheld
    finally:
        release.set()
        line.hook = lambda _method, _path, forward: forward()
    assert (told.code, told.out) == (130, "")
    assert told.err.splitlines()[-1] == "error: interrupted; run the same command again to go on"
    assert len(artist.does("register", "waiting")["works"]) == 1


def _interrupt_until_it_ends(process: subprocess.Popen[str]) -> None:
    # Two signals in one moment are one: so they come apart, and as many as it takes on a machine that is busy.
    for _ in range(2 * SECONDS):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
            return


def test_registering_many_again_counts_them(artist: Person) -> None:
    artist.draws("many", 7311, 7312, 7313, 7314)
    artist.does("register", "many")
    told = artist.types("register", "many")
    assert "4 pictures registered before" in told.out
    assert "wrk_" not in told.out
