"""A deadline that is put off ends nothing before its moment; one that is brought forward ends it then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from registry.http.deadlines import Deadline

pytestmark = pytest.mark.anyio
LONG = 3_600.0


async def ended(moves: Callable[[Deadline, float], None], seconds: float, first: float) -> bool:
    """Return whether a deadline in ``seconds``, moved by ``moves``, ended a block that waits long enough to see it."""
    now = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(None) as clock:
            deadline = Deadline(clock, now + seconds, now + first)
            moves(deadline, now)
            await asyncio.sleep(0.2)
    except TimeoutError:
        assert clock.expired()
        return True
    finally:
        deadline.end()
    return False


@pytest.mark.parametrize(
    ("moves", "seconds", "first", "ends"),
    [
        (lambda _, __: None, 0.02, LONG, True),
        (lambda _, __: None, LONG, 0.01, False),  # it rings, and it is too early
        (lambda deadline, now: deadline.move(now + LONG), 0.02, 0.01, False),
        (lambda deadline, now: deadline.move(now + 0.05), LONG, 0.01, True),  # it rings twice
        (lambda deadline, now: deadline.move(now + 0.02), LONG, LONG, True),  # brought forward
        (lambda deadline, _: deadline.move(None), 0.02, 0.01, False),
    ],
)
async def test_it_ends_at_the_moment_that_it_was_moved_to(
    moves: Callable[[Deadline, float], None], seconds: float, first: float, ends: bool
) -> None:
    assert await ended(moves, seconds, first) is ends


async def test_what_is_put_off_in_the_moment_of_ringing_is_not_ended() -> None:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as clock:
        deadline = Deadline(clock, loop.time(), loop.time())
        while clock.when() is None:  # it has rung, and cancels in the loop's next turn
            await asyncio.sleep(0)
        deadline.move(None)
        await asyncio.sleep(0.05)
        deadline.move(loop.time() + LONG)
        await asyncio.sleep(0.05)
    deadline.end()
    assert not clock.expired()


async def test_it_can_be_set_again_after_it_was_taken_away() -> None:
    loop = asyncio.get_running_loop()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(None) as clock:
            deadline = Deadline(clock, loop.time() + LONG, loop.time())
            deadline.move(None)
            await asyncio.sleep(0.05)
            deadline.move(loop.time() + 0.01)
            await asyncio.sleep(30)
