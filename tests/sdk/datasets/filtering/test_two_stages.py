"""Addresses first, files later: the second stage names the first, and never decides looser than it did."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import InputError, NotAllowedError, Request, RollbackError, VerificationError, Wish
from licet.client import Client
from licet.datasets.filtering import scanning
from licet.datasets.filtering.build import Filtered, filter_dataset
from licet.datasets.filtering.first_stage import _ENTRY, FirstStage
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.manifest import read_manifest
from licet.datasets.usage.recheck import recheck
from licet.decisions import CODES, VERDICTS
from licet.errors import InterruptedJobError, MalformedError
from tests.sdk.datasets.world import NO_AI, OPEN, PAID, World, encoded, picture

REQUEST = Request(uses=["train-gen"])
KEEP = Wish(unknown="keep")
NAMES = ("open", "denied", "moved", "paid", "stranger", "gone")


def address(name: str) -> str:
    return f"https://pictures.example/{name}.png"


@pytest.fixture
def works(world: World) -> dict[str, bytes]:
    """``denied`` forbids at its address; what now lies at ``moved`` is not the picture that was registered there."""
    found = {
        "open": world.work(encoded(picture(1)), "tomas", OPEN),
        "denied": world.work(encoded(picture(2)), "tomas", NO_AI, urls=(address("denied"),)),
        "moved": world.work(encoded(picture(30)), "tomas", NO_AI, urls=(address("moved"),)),
        "paid": world.work(encoded(picture(3)), "mei", PAID),
    }
    world.registry.publish()
    return found


@pytest.fixture
def first(client: Client, works: dict[str, bytes], tmp_path: Path) -> Filtered:
    """The addresses, filtered."""
    table = pa.table({"URL": [address(name) for name in NAMES], "caption": list(NAMES)})
    pq.write_table(table, tmp_path / "urls.parquet")
    return filter_dataset(client, [tmp_path / "urls.parquet"], tmp_path / "urls", REQUEST, KEEP)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """What somebody downloaded: all but ``gone``, and one that is in no list."""
    there = {"open": 1, "denied": 2, "moved": 8, "paid": 3, "stranger": 4, "new": 9}
    rows = [{"url": address(name), "image": encoded(picture(number))} for name, number in there.items()]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "files.parquet")
    return tmp_path / "files.parquet"


def second(client: Client, files: Path, first: Filtered, request: Request = REQUEST, **wish: Any) -> Filtered:
    after = Wish(unknown="keep", after=Path(first.manifest), **wish)
    return filter_dataset(client, [files], files.with_name("kept"), request, after)


def decided(done: Filtered) -> dict[str, str]:
    rows = pq.read_table(done.decisions).to_pylist()
    return {Path(row["url"]).stem: f"{row['verdict']}: {row['reason']}" for row in rows}


def test_what_the_first_stage_kept_out_stays_out(
    client: Client, world: World, works: dict[str, bytes], first: Filtered, files: Path
) -> None:
    assert decided(first)["moved"] == "deny: denied"
    assert first.kept == 4
    for name in ("denied", "moved"):
        world.registry.change(works[name], terms=OPEN.encoded)
    assert decided(filter_dataset(client, [files], files.with_name("alone"), REQUEST, KEEP))["denied"] == (
        "allow: allowed"
    )
    done = second(client, files, first)
    assert decided(done) == {
        "open": "allow: allowed",
        "denied": "deny: after:denied",
        "moved": "deny: after:denied",
        "paid": "license: offer",
        "stranger": "unknown: no-match",
        "new": "unknown: no-match",
    }
    kept = [Path(url).stem for url in pq.read_table(done.out)["url"].to_pylist()]
    assert kept == ["open", "stranger", "new"]
    DecisionsFile.find(Path(done.out)).verify()
    assert recheck(client, done.out).drop == []


def test_the_second_manifest_names_the_first_and_says_how_they_fit(
    client: Client, first: Filtered, files: Path
) -> None:
    done = second(client, files, first)
    before, after = read_manifest(Path(first.manifest)), read_manifest(Path(done.manifest)).payload
    assert (before.payload.stage, after.stage) == ("urls", "files")
    assert after.after == before.digest
    assert "after" not in json.loads(Path(first.manifest).read_text())["manifest"]
    assert done.after is not None
    assert (done.after.matched, done.after.held, done.after.new, done.after.missing) == (5, 2, 1, 1)
    assert done.after.listed is not None
    listed = [json.loads(line) for line in Path(done.after.listed).read_text().splitlines()]
    assert listed == [
        {"what": "new", "part": "files.parquet", "row": 5, "url": address("new")},
        {"what": "missing", "part": "urls.parquet", "row": 5, "url": address("gone")},
    ]


def test_rows_without_an_address_meet_by_their_key(client: Client, works: dict[str, bytes], tmp_path: Path) -> None:
    table = pa.table({"key": ["a", "b"], "url": [address("moved"), address("open")]})
    pq.write_table(table, tmp_path / "urls.parquet")
    first = filter_dataset(client, [tmp_path / "urls.parquet"], tmp_path / "urls", REQUEST, KEEP)
    images = pa.table({"key": ["b", "a"], "image": [encoded(picture(1)), encoded(picture(8))]})
    pq.write_table(images, tmp_path / "files.parquet")
    done = second(client, tmp_path / "files.parquet", first)
    assert pq.read_table(done.decisions)["reason"].to_pylist() == ["allowed", "after:denied"]


def test_rows_whose_address_changed_meet_by_their_key(client: Client, works: dict[str, bytes], tmp_path: Path) -> None:
    table = {"url": [address("denied"), address("stranger")], "key": ["1", "2"]}
    pq.write_table(pa.table(table), tmp_path / "urls.parquet")
    first = filter_dataset(client, [tmp_path / "urls.parquet"], tmp_path / "urls", REQUEST, KEEP)
    pictures = [encoded(picture(5)), encoded(picture(6))]
    files = {"url": ["https://mirror.example/1", address("stranger")], "key": ["1", "1"], "image": pictures}
    pq.write_table(pa.table(files), tmp_path / "files.parquet")
    done = second(client, tmp_path / "files.parquet", first)
    assert done.after is not None
    assert (done.after.matched, done.after.held, done.after.new) == (2, 1, 0)
    assert decided(done) == {"1": "deny: after:denied", "stranger": "unknown: no-match"}


def test_files_that_nothing_ties_to_the_first_stage_are_refused(
    client: Client, first: Filtered, tmp_path: Path
) -> None:
    pq.write_table(pa.table({"image": [encoded(picture(1))]}), tmp_path / "files.parquet")
    with pytest.raises(InputError, match="expected rows with the url"):
        second(client, tmp_path / "files.parquet", first)
    assert not (tmp_path / "kept.manifest.json").exists()


def test_a_second_stage_of_addresses_is_none(client: Client, first: Filtered, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--after: expected an input with files .* got 'addresses alone'"):
        second(client, tmp_path / "urls.parquet", first)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request(uses=["train-gen", "mine"]), "--use: expected no more than the first stage asked for"),
        (Request(uses=["train-gen"], purpose=["commercial", "research"]), "--purpose: expected no more"),
    ],
)
def test_a_wider_use_than_before_is_refused(
    client: Client, first: Filtered, files: Path, request_: Request, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        second(client, files, first, request_)


def test_a_narrower_use_than_before_is_taken(client: Client, works: dict[str, bytes], files: Path) -> None:
    urls = files.with_name("urls.parquet")
    pq.write_table(pa.table({"url": [address("denied")]}), urls)
    wide = Request(uses=["train-gen", "mine"], territory=["DE", "FR"])
    first = filter_dataset(client, [urls], files.with_name("urls"), wide, KEEP)
    narrow = Request(uses=["train-gen"], territory=["DE"], model="lantern/lantern@1")
    assert second(client, files, first, narrow).after is not None
    for request, words in (
        (Request(uses=["mine"]), "--territory: expected no more .* got 'anywhere'"),
        (Request(uses=["mine"], territory=["US"]), "--territory: expected no more"),
    ):
        with pytest.raises(InputError, match=words):
            second(client, files, first, request, overwrite=True)


def _altered(path: Path) -> None:
    file = json.loads(path.read_text())
    file["manifest"]["kept"] = 0
    path.write_text(json.dumps(file))


def _unsigned(path: Path) -> None:
    file = json.loads(path.read_text())
    file["envelope"]["signatures"] = []
    path.write_text(json.dumps(file))


def _other_version(path: Path) -> None:
    file = json.loads(path.read_text())
    path.write_text(json.dumps({**file, "version": 2}))


def _no_decisions(path: Path) -> None:
    path.with_name("urls.decisions.parquet").unlink()


def _other_decisions(path: Path) -> None:
    place = path.with_name("urls.decisions.parquet")
    table = pq.read_table(place)
    looser = table.set_column(
        table.schema.get_field_index("verdict"), table.schema.field("verdict"), pa.array(["allow"] * len(table))
    )
    pq.write_table(looser, place)


@pytest.mark.parametrize(
    ("harm", "kind", "words"),
    [
        (_altered, VerificationError, "not what was signed"),
        (_unsigned, VerificationError, "signatures: expected keys"),
        (_other_version, MalformedError, "expected a manifest that licet wrote"),
        (lambda path: path.unlink(), InputError, "--after: expected a signed manifest"),
        (lambda path: path.write_bytes(b"\xff"), MalformedError, "expected a manifest that licet wrote"),
        (_no_decisions, InputError, "expected the decisions of `licet filter` there"),
        (_other_decisions, VerificationError, "not the decisions that the manifest was signed over"),
    ],
)
def test_a_first_stage_that_does_not_hold_is_refused(
    client: Client, first: Filtered, files: Path, harm: Callable[[Path], None], kind: type[Exception], words: str
) -> None:
    harm(Path(first.manifest))
    with pytest.raises(kind, match=words):
        second(client, files, first)
    assert not files.with_name("kept").exists()
    assert not files.with_name("kept.job").exists()


def test_a_first_stage_of_files_is_none(client: Client, first: Filtered, files: Path) -> None:
    done = second(client, files, first)
    with pytest.raises(InputError, match=r"--after: expected the manifest of a list of addresses .* got 'stage files'"):
        second(client, files, done, overwrite=True)


def test_a_first_stage_of_matched_rows_alone_cannot_be_held_against_its_root(
    client: Client, works: dict[str, bytes], first: Filtered, files: Path
) -> None:
    wish = Wish(unknown="keep", only_matched=True, overwrite=True)
    done = filter_dataset(client, [files.with_name("urls.parquet")], files.with_name("urls"), REQUEST, wish)
    with pytest.raises(InputError, match="expected decisions of all rows"):
        second(client, files, done)


def test_another_organisations_first_stage_is_not_ours(world: World, first: Filtered, files: Path) -> None:
    with world.client("other") as other, pytest.raises(NotAllowedError, match="signed with this profile's key"):
        second(other, files, first)


def test_an_older_snapshot_than_the_first_stage_had_is_refused(
    client: Client, world: World, works: dict[str, bytes], files: Path, first: Filtered
) -> None:
    with world.client("late") as late:
        late.snapshot.pull()
        world.registry.change(works["open"], terms=NO_AI.encoded)
        urls = files.with_name("urls.parquet")
        done = filter_dataset(client, [urls], files.with_name("later"), REQUEST, KEEP)
        late.profile.key_path.write_bytes(client.profile.key_path.read_bytes())
        with pytest.raises(RollbackError, match="the snapshot here is older"):
            second(late, files, done, offline=True)


def test_an_interrupted_second_stage_goes_on_and_another_first_stage_is_another_job(
    client: Client, works: dict[str, bytes], first: Filtered, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("licet.datasets.filtering.build.settle", stop)
        with pytest.raises(InterruptedJobError):
            second(client, files, first)
    urls = files.with_name("urls.parquet")
    other = filter_dataset(client, [urls], files.with_name("again"), REQUEST, KEEP)
    with pytest.raises(InputError, match=r"asked something else \(after: [0-9a-f]{64} then, [0-9a-f]{64} now"):
        second(client, files, other)
    with pytest.raises(InputError, match=r"after: [0-9a-f]{64} then, none now"):
        filter_dataset(client, [files], files.with_name("kept"), REQUEST, KEEP)
    with monkeypatch.context() as patched:
        patched.setattr(scanning, "examine", stop)  # nothing is examined twice
        assert decided(second(client, files, first))["moved"] == "deny: denied"


@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from(VERDICTS)), max_size=60),
    st.lists(st.integers(0, 40), max_size=40),
)
def test_a_row_is_bound_by_the_strictest_that_was_decided_of_its_name(
    tmp_path_factory: pytest.TempPathFactory, before: list[tuple[int, str]], now: list[int]
) -> None:
    class Stored:
        def batches(self) -> Any:
            for start in range(0, len(before), 7):
                some = before[start : start + 7]
                yield pa.RecordBatch.from_pydict(
                    {
                        "url": pa.array([address(str(name)) for name, _ in some], pa.string()),
                        "key": pa.nulls(len(some), pa.string()),
                        "verdict": pa.array([verdict for _, verdict in some], pa.string()),
                        "reason": pa.array([f"because-{verdict}" for _, verdict in some], pa.string()),
                    }
                )

    stage: Any = FirstStage(Stored(), None, tmp_path_factory.mktemp("after"))  # type: ignore[arg-type]
    rows = pa.RecordBatch.from_pydict({"url": pa.array([address(str(name)) for name in now], pa.string())})
    floor = stage.floor(stage.places(rows))
    for row, name in enumerate(now):
        codes = [CODES[verdict] for other, verdict in before if other == name]
        strictest = max(codes, default=0)
        bound = strictest if strictest >= CODES["license"] else 0
        assert floor.verdict[row] == bound
        if bound:
            assert floor.reason[row] == f"after:because-{VERDICTS[bound]}"
    assert len(stage) == len({name for name, _ in before})
    assert np.dtype(_ENTRY).itemsize == 13
