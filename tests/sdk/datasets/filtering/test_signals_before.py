"""Signals in the first of two stages hide nothing that the index said: a licence lifts theirs, and only that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet.client import Client as Base
from licet.datasets.examining.basis import open_basis
from licet.datasets.examining.deciding import Question, Standing, beside, decide_rows, unsaid
from licet.datasets.filtering.build import Filtered, Wish, filter_dataset
from licet.datasets.filtering.first_stage import FirstStage
from licet.datasets.filtering.hints import hints
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.stored import stored_evidence
from licet.decisions import CODES, VERDICTS, Request
from tests.sdk.datasets.world import PAID, World, encoded, picture
from tests.sdk.signals.sites import Site, sites

__all__ = ["sites"]

REQUEST = Request(uses=["train-gen"])
PLAIN = Wish(unknown="keep", offline=True)
HEEDING = Wish(unknown="keep", signals=True)
SAID = "signal:robots-meta:denied"


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LICET_SIGNALS_LOOPBACK", "1")


def decisions(done: Filtered) -> list[tuple[str, str]]:
    return [(row["verdict"], row["reason"]) for row in pq.read_table(done.decisions).to_pylist()]


def test_a_licence_lifts_what_a_site_said_of_an_address_and_not_what_the_index_said(
    client: Base, world: World, sites: list[Site], tmp_path: Path
) -> None:
    """At ``a`` somebody registered a work that is for sale, by address alone; at ``b`` nobody. Both sites deny.

    The picture that lies at both is of a third work, which was licensed.
    """
    site, _ = sites
    for path in ("/a.png", "/b.png"):
        site.says(path, b"x", Content_Type="image/png", X_Robots_Tag="noai")
    urls = [f"{site.url}/a.png", f"{site.url}/b.png"]
    licensed = encoded(picture(32))
    world.work(encoded(picture(31)), "xavier", PAID, level=2, urls=(urls[0],))
    work = world.work(licensed, "yolanda", PAID, level=2)
    world.registry.publish()
    client.snapshot.pull()
    pq.write_table(pa.table({"url": urls}), tmp_path / "urls.parquet")
    pq.write_table(pa.table({"url": urls, "image": [licensed] * 2}), tmp_path / "files.parquet")
    files = filter_dataset(client, [tmp_path / "files.parquet"], tmp_path / "files", REQUEST, PLAIN)
    batch = pa.Table.from_batches(DecisionsFile.find(Path(files.manifest)).batches()).combine_chunks().to_batches()[0]
    alone = batch.set_column(batch.schema.get_field_index("url"), "url", pa.nulls(2, pa.string()))
    index, standing = open_basis(client).index, Standing({work: {"lic_1"}})
    assert decide_rows(index, stored_evidence(alone), Question(REQUEST), standing).kept.all()

    found = {}
    for name, wish in (("plain", PLAIN), ("heeding", HEEDING)):
        done = filter_dataset(client, [tmp_path / "urls.parquet"], tmp_path / name, REQUEST, wish)
        file = DecisionsFile.find(Path(done.manifest))
        assert file.manifest is not None
        stage = FirstStage(file, file.manifest, tmp_path / f"{name}.after")
        floor = stage.floor(stage.places(batch))
        verdicts = decide_rows(index, stored_evidence(alone), Question(REQUEST), standing, floor=floor)
        reasons = [verdicts.reasons[each] for each in verdicts.reason]
        found[name] = decisions(done), verdicts.kept.tolist(), reasons
    (review, why), nobody = found["plain"][0]
    assert (review, nobody) == ("review", ("unknown", "not-examined"))
    assert found["plain"][1:] == ([False, True], [f"after:{why}", "licensed:lic_1"])
    assert found["heeding"] == (
        [("deny", f"{SAID}+review:{why}"), ("deny", SAID)],
        [False, True],
        [f"after:{why}", "licensed:lic_1"],
    )


class Stored:
    """Decisions of rows under one address."""

    def __init__(self, *rows: tuple[str, str]) -> None:
        self._rows = rows

    def batches(self) -> Any:
        n = len(self._rows)
        yield pa.RecordBatch.from_pydict(
            {
                "url": pa.array(["https://a.example/1"] * n, pa.string()),
                "key": pa.nulls(n, pa.string()),
                "verdict": pa.array([verdict for verdict, _ in self._rows], pa.string()),
                "reason": pa.array([reason for _, reason in self._rows], pa.string()),
            }
        )


@pytest.mark.parametrize(
    ("rows", "bound", "left"),
    [
        ([("deny", SAID)], SAID, (0, "")),
        ([("deny", SAID), ("allow", "allowed")], SAID, (1, "")),
        ([("deny", SAID), ("review", "contested")], f"{SAID}+review:contested", ("review", "contested")),
        ([("deny", SAID), ("deny", "denied")], "denied", ("deny", "denied")),
        ([("deny", SAID), ("deny", f"{SAID}+review:needs:territory")], f"{SAID}+review:needs:territory",
         ("review", "needs:territory")),
        ([("review", "signal:xmp:unreadable"), ("review", "contested")], "contested", ("review", "contested")),
    ],
)  # fmt: skip
def test_signals_of_one_row_hide_nothing_of_another_of_the_same_name(
    tmp_path: Path, rows: list[tuple[str, str]], bound: str, left: tuple[Any, str]
) -> None:
    for number, ordered in enumerate((rows, rows[::-1])):
        stored: Any = Stored(*ordered)
        unused: Any = None
        stage = FirstStage(stored, unused, tmp_path / str(number))
        floor = stage.floor(np.zeros(1, np.int64))
        assert floor.reason == [f"after:{bound}"]
        code, why = unsaid(int(floor.verdict[0]), bound)
        if left[0] in CODES:
            assert (VERDICTS[code], why) == left
        else:
            assert code < CODES["license"]


def test_what_stands_beside_a_signal_is_only_what_no_licence_lifts() -> None:
    assert beside(SAID, CODES["license"], "offer") == SAID
    assert beside("after:denied", CODES["review"], "contested") == "after:denied"
    (told,) = hints({("deny", beside(SAID, CODES["review"], "contested")): 2}, Question(REQUEST), accepting=False)
    assert told == (
        "2 rows: denied by what is said where they lie or in their files (robots-meta:denied), and a look is needed"
        " (review:contested)"
    )
