"""Tables whose rows are examined, decided and written in one pass come to what two passes make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet.client import Client
from licet.datasets.filtering import build
from licet.datasets.filtering.build import Wish
from licet.datasets.filtering.crew import can_be_at_once
from licet.datasets.forms import parquet
from licet.datasets.forms.opening import open_input
from licet.errors import InputError, InterruptedJobError
from tests.sdk.datasets.filtering.test_crew import (
    KEEP,
    Lost,
    Scrambled,
    filtered,
    many,  # noqa: F401 - a fixture
    results,
)
from tests.sdk.datasets.world import OPEN, PAID, World, encoded, picture

pytestmark = pytest.mark.usefixtures("pieces")


@pytest.fixture(params=[9, 2, 1])
def pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one pass, unlike other tests of many workers; pieces have so many batches, or as many as a part has."""
    if "many" in request.fixturenames:
        request.getfixturevalue("many")
    monkeypatch.setattr(build, "can_be_at_once", can_be_at_once)
    monkeypatch.setattr(parquet, "PIECE", request.param)


class Watched(Scrambled):
    """Says which parts were there before anything was done, and whether any piece was kept examined."""

    def __init__(self, job: Path) -> None:
        super().__init__()
        self.job = job
        self.rounds: list[dict[str, int]] = []

    def each(self, do: Callable[[bytes], bytes], pieces: Sequence[bytes]) -> Iterator[bytes]:
        self.rounds.append(self.written())
        yield from super().each(do, pieces)
        assert not (self.job / "evidence").exists()
        assert self.rounds[-1].items() <= self.written().items()

    def written(self) -> dict[str, int]:
        """When each part was written."""
        return {path.name: path.stat().st_mtime_ns for path in self.job.glob("out*/written/*")}


def test_tables_without_files_are_done_at_once(many: Path, tmp_path: Path) -> None:  # noqa: F811
    parts = open_input([many]).parts
    assert can_be_at_once(parts)
    assert can_be_at_once(parts[:1])
    (tmp_path / "x.png").write_bytes(encoded(picture(1)))
    assert not can_be_at_once([*parts, *open_input([tmp_path / "x.png"]).parts])


@pytest.mark.parametrize("wish", [KEEP, Wish(), Wish(unknown="keep", min_claim_level=3)])
def test_one_pass_comes_to_what_two_make(
    client: Client,
    many: Path,  # noqa: F811
    tmp_path: Path,
    wish: Wish,
) -> None:
    crew = Watched(tmp_path / "several.job")
    several = filtered(client, many, tmp_path / "several", crew, wish)
    one = filtered(client, many, tmp_path / "one", wish=wish)
    assert results(several) == results(one)
    assert crew.rounds == [{}]
    assert one.counts["deny"]
    assert not (tmp_path / "several.job").exists()


def test_an_interrupted_job_keeps_the_parts_that_are_whole(client: Client, many: Path, tmp_path: Path) -> None:  # noqa: F811
    out = tmp_path / "out"
    with pytest.raises(InterruptedJobError):
        filtered(client, many, out, Lost(2))
    crew = Watched(tmp_path / "out.job")
    done = filtered(client, many, out, crew)
    assert len(crew.rounds[0]) >= 2
    assert results(done) == results(filtered(client, many, tmp_path / "one"))


def test_parts_that_would_be_written_otherwise_are_written_again(client: Client, many: Path, tmp_path: Path) -> None:  # noqa: F811
    out = tmp_path / "out"
    with pytest.raises(InterruptedJobError):
        filtered(client, many, out, Lost(2), Wish(unknown="keep", only_matched=True))
    crew = Watched(tmp_path / "out.job")
    assert results(filtered(client, many, out, crew)) == results(filtered(client, many, tmp_path / "one"))
    assert crew.rounds == [{}]


def test_two_passes_end_what_one_began_and_the_other_way_round(client: Client, many: Path, tmp_path: Path) -> None:  # noqa: F811
    expected = results(filtered(client, many, tmp_path / "one"))
    for name, first, second in (("a", Lost(2), None), ("b", None, Scrambled())):
        with pytest.raises(InterruptedJobError), pytest.MonkeyPatch.context() as patched:
            if first is None:
                patched.setattr(build, "can_be_at_once", lambda _: False)
            filtered(client, many, tmp_path / name, first or Lost(4))
        assert results(filtered(client, many, tmp_path / name, second)) == expected


def test_an_input_that_changed_meanwhile_keeps_nothing_of_it(client: Client, many: Path, tmp_path: Path) -> None:  # noqa: F811
    with pytest.raises(InterruptedJobError):
        filtered(client, many, tmp_path / "out", Lost(2))
    pq.write_table(pa.table({"URL": ["https://x.example/0.jpg"]}), many / "a.parquet")
    with pytest.raises(InputError, match=r"input: a\.parquet changed"):
        filtered(client, many, tmp_path / "out", Scrambled())
    crew = Watched(tmp_path / "out.job")
    again = filtered(client, many, tmp_path / "out", crew, Wish(unknown="keep", overwrite=True))
    assert crew.rounds == [{}]
    assert results(again) == results(filtered(client, many, tmp_path / "one"))


def test_an_artist_that_only_all_parts_together_show_too_often_is_asked_for_her_style(
    client: Client, world: World, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for part in range(3):
        digests = [sha256(b"%d %d" % (part, row)).hexdigest() for row in range(40)]
        for row in range(8):
            data = encoded(picture(8 * part + row))
            digests[row] = sha256(data).hexdigest()
            world.work(data, "mei", PAID if row else OPEN)
        pq.write_table(pa.table({"sha256": digests}), folder / f"{part}.parquet")
    world.registry.publish()
    crew = Watched(tmp_path / "many.job")
    few = filtered(client, folder, tmp_path / "many", crew)
    # A fifth of the rows is not too much, and what it would cost is gathered over all parts.
    assert (few.counts["allow"], few.counts["license"], few.quote.works) == (3, 21, 21)
    assert results(few) == results(filtered(client, folder, tmp_path / "few"))
    assert crew.rounds == [{}]
    alone = Wish()  # unknown rows are not used, so all that are used are hers
    crew = Watched(tmp_path / "all.job")
    several = filtered(client, folder, tmp_path / "all", crew, alone)
    assert several.counts["review"] == 24
    assert results(several) == results(filtered(client, folder, tmp_path / "one", wish=alone))
    assert crew.rounds == [{}, {}]
