"""What lies in memory of all bodies together is held to a limit, and what was taken is given back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import Unavailable
from registry.http.admission import Admission
from registry.http.holding import Holding
from tests.registry.app.fuzzing import served
from tests.registry.harness import running


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60))))
def test_never_more_is_held_than_may_be_and_nothing_is_left_in_the_end(takes: list[tuple[str, int]]) -> None:
    holding = Holding(100)
    taken: list[tuple[str, int]] = []
    for who, size in takes:
        own = sum(each for other, each in taken if other == who)
        fits = own + size <= 100 - sum(each for _, each in taken) - size
        if fits:
            holding.take(who, size)
            taken.append((who, size))
        else:
            with pytest.raises(Unavailable, match="too much is being sent at once"):
                holding.take(who, size)
        assert holding.total == sum(each for _, each in taken)
    for who, size in taken:
        holding.give(who, size)
    assert holding.total == 0
    assert not holding._of


@given(st.integers(0, 8), st.integers(1, 999))
def test_however_few_take_all_they_can_the_next_may_have_half_of_what_is_left(greedy: int, size: int) -> None:
    holding = Holding(1_000_000)
    for who in range(greedy):
        with contextlib.suppress(Unavailable):
            while True:
                holding.take(str(who), size)
    left = 1_000_000 - holding.total
    assert left >= 1_000_000 >> greedy
    with pytest.raises(Unavailable):
        holding.take("next", left // 2 + 1)
    holding.take("next", left // 2)


@pytest.mark.anyio
async def test_one_who_sends_much_side_by_side_waits_and_others_do_not(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holding = Holding(80_000)
    monkeypatch.setattr(Admission, "__init__", lambda self: setattr(self, "held", holding))
    monkeypatch.setattr("tests.registry.harness._idle", [])  # an application that was made before holds more
    async with running(dsn, tmp_path) as service, served(service) as url:
        mei, ada = [(await service.account("artist", name)).http.headers for name in ("Mei", "Ada")]
        path = f"/v1/uploads/{'0' * 64}"
        gate = asyncio.Event()

        async def unfinished() -> AsyncIterator[bytes]:
            yield bytes(30_000)
            await gate.wait()

        async with httpx.AsyncClient(base_url=url) as http:
            first = asyncio.create_task(http.put(path, content=unfinished(), headers=mei))
            while holding.total < 30_000:
                await asyncio.sleep(0.01)
            refused = await http.put(path, content=bytes(20_000), headers=mei)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert "too much is being sent at once" in refused.json()["detail"]
            assert (await http.put(path, content=bytes(20_000), headers=ada)).status_code == 400  # no picture
            assert holding.total == 30_000
            gate.set()
            assert (await first).status_code == 400
            assert holding.total == 0
