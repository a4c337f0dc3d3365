"""An earlier result against a newer snapshot: what must go, what stays, without looking at a single picture."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet import times
from licet.client import Client
from licet.datasets.examining import deciding
from licet.datasets.filtering.build import Filtered, Wish, filter_dataset
from licet.datasets.licensing.accepting import Acceptance
from licet.datasets.licensing.budgets import Budget
from licet.datasets.results import decisions_file
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.difference import compare
from licet.datasets.results.rows import FORMER_SCHEMAS, METADATA
from licet.datasets.usage import bookmark, rechecking
from licet.datasets.usage import recheck as module
from licet.datasets.usage.findings import write_findings
from licet.datasets.usage.recheck import Due, recheck, steps
from licet.decisions import Request
from licet.errors import ExpiredError, InputError, InterruptedJobError, MalformedError, VerificationError
from licet.home import write_private
from licet.statements import envelope as envelopes
from licet.statements.kinds import Licence
from licet.wire.licensing import LicenceGranted
from tests.sdk.datasets.forms.test_archives import archive
from tests.sdk.datasets.world import NO_AI, OPEN, PAID, World, encoded, picture

REQUEST = Request(uses=["train-gen"], model="lantern/lantern@1")
WISH = Wish(unknown="keep", accept=Acceptance("train", Budget("1USD")))


@pytest.fixture
def works(world: World) -> dict[str, bytes]:
    """What is registered when the dataset is filtered."""
    found = {
        "open": world.work(encoded(picture(1)), "tomas", OPEN),
        "paid": world.work(encoded(picture(2)), "mei", PAID),
    }
    world.registry.publish()
    return found


@pytest.fixture
def kept(client: Client, world: World, works: dict[str, bytes], tmp_path: Path) -> Filtered:
    """A dataset of five kept rows; the pictures are gone."""
    place = tmp_path / "in"
    place.mkdir()
    for name, data in {
        "open.png": encoded(picture(1)),
        "open-mirrored.png": encoded(picture(1)[:, ::-1].copy()),
        "paid.png": encoded(picture(2)),
        "stranger.png": encoded(picture(3)),
        "other.png": encoded(picture(4)),
        "broken.png": b"nothing",
    }.items():
        (place / name).write_bytes(data)
    done = filter_dataset(client, [place], tmp_path / "out", REQUEST, WISH)
    assert done.kept == 5
    shutil.rmtree(place)
    shutil.rmtree(tmp_path / "out")
    return done


def dropped(found: Any) -> dict[str | None, str]:
    return {row.path: f"{row.verdict}: {row.reason}" for row in found.drop}


@pytest.mark.parametrize("only_matched", [False, True])
def test_of_an_archive_the_whole_sample_must_go(
    client: Client,
    world: World,
    works: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    only_matched: bool,
) -> None:
    members = [(f"{key}.{side}.png", encoded(picture(n))) for key, side, n in [
        ("a", "l", 5), ("b", "l", 6), ("b", "m", 1), ("b", "r", 7), ("c", "l", 8),
    ]]  # fmt: skip
    (tmp_path / "t.tar").write_bytes(archive(list(members)))
    wish = Wish(unknown="keep", only_matched=only_matched)
    done = filter_dataset(client, [tmp_path / "t.tar"], tmp_path / "out.tar", REQUEST, wish)
    assert done.kept == 5
    world.registry.change(works["open"], terms=NO_AI.encoded)
    monkeypatch.setattr(decisions_file, "BATCH", 2)  # the sample lies across batches
    assert dropped(recheck(client, done.out)) == {
        "b.l.png": "deny: sample", "b.m.png": "deny: denied", "b.r.png": "deny: sample",
    }  # fmt: skip


def test_nothing_must_go_while_nothing_changed(client: Client, kept: Filtered) -> None:
    found = recheck(client, kept.decisions)
    assert (list(found.drop), list(found.new_matches), found.ended_licences) == ([], [], [])
    assert (found.rows, found.kept) == (6, 5)


@pytest.mark.parametrize("former", FORMER_SCHEMAS, ids=["without signals", "without ISCCs"])
def test_what_an_earlier_release_wrote_is_rechecked_as_signed(
    client: Client, world: World, works: dict[str, bytes], kept: Filtered, former: pa.Schema
) -> None:
    given = pq.read_table(kept.decisions)
    pq.write_table(given.select(former.names).cast(former.with_metadata(given.schema.metadata)), kept.decisions)
    assert pq.read_schema(kept.decisions).names == former.names
    world.registry.change(works["open"], terms=NO_AI.encoded)
    world.work(encoded(picture(3)), "mei", NO_AI)
    world.registry.publish()
    found = recheck(client, kept.manifest)
    assert dropped(found) == {
        "open.png": "deny: denied", "open-mirrored.png": "deny: denied", "stranger.png": "deny: denied",
    }  # fmt: skip
    assert [row.path for row in found.new_matches] == ["stranger.png"]
    same = compare(kept.decisions, kept.decisions)
    assert (same.rows_before, same.rows_after) == (kept.rows, kept.rows)


def test_what_a_later_release_wrote_is_named_and_not_guessed_at(client: Client, kept: Filtered) -> None:
    given = pq.read_table(kept.decisions)
    about = msgspec.json.decode(given.schema.metadata[METADATA]) | {"v": 2}
    pq.write_table(given.replace_schema_metadata({METADATA: msgspec.json.encode(about)}), kept.decisions)
    with pytest.raises(MalformedError, match="expected decisions of version 1, got 2: a newer licet"):
        recheck(client, kept.decisions)


def test_how_far_it_is_adds_up_to_what_was_said_before(client: Client, kept: Filtered) -> None:
    told: list[int] = []
    recheck(client, kept.manifest, advance=told.append)
    assert sum(told) == steps(kept.manifest) == kept.rows
    told.clear()
    Path(kept.manifest).unlink()
    recheck(client, kept.decisions, advance=told.append)
    assert sum(told) == steps(kept.decisions) == kept.rows


def test_what_was_tightened_since_must_go_and_copies_with_it(
    client: Client, world: World, works: dict[str, bytes], kept: Filtered
) -> None:
    world.registry.change(works["open"], terms=NO_AI.encoded)
    found = recheck(client, kept.decisions)
    assert dropped(found) == {"open.png": "deny: denied", "open-mirrored.png": "deny: denied"}
    assert found.drop[0].was == "allow, allowed"
    assert found.log_size > 0


def test_what_was_licensed_stays_whatever_the_terms_say_since(
    client: Client, world: World, works: dict[str, bytes], kept: Filtered
) -> None:
    world.registry.change(works["paid"], terms=NO_AI.encoded, withdrawn=True)
    assert dropped(recheck(client, kept.manifest)) == {}


@pytest.mark.parametrize("turned", [False, True])
def test_a_work_registered_since_is_found_from_stored_fingerprints(
    client: Client, world: World, kept: Filtered, turned: bool
) -> None:
    pixels = picture(3)[:, ::-1].copy() if turned else picture(3)[::2, ::2].copy()
    world.work(encoded(pixels, "JPEG", quality=85), "new", NO_AI)
    world.registry.publish()
    found = recheck(client, kept.out)
    assert dropped(found) == {"stranger.png": "deny: denied"}
    assert [(row.path, row.match) for row in found.new_matches] == [("stranger.png", "near")]


def test_a_new_match_that_changes_nothing_is_told_and_not_dropped(client: Client, world: World, kept: Filtered) -> None:
    world.work(encoded(picture(1)), "also", OPEN)
    world.registry.publish()
    found = recheck(client, kept.decisions)
    assert found.drop == []
    assert {row.path for row in found.new_matches} == {"open.png", "open-mirrored.png"}


def test_a_work_that_is_gone_leaves_no_consent_behind(
    client: Client, world: World, works: dict[str, bytes], kept: Filtered
) -> None:
    del world.registry.records[works["open"]]
    world.registry.publish()
    assert dropped(recheck(client, kept.decisions)) == {}  # unknown was to be kept
    table = pq.read_table(kept.decisions)
    about = table.schema.metadata[b"licet"].replace(b'"keep"', b'"exclude"')
    Path(kept.manifest).unlink()
    pq.write_table(table.replace_schema_metadata({b"licet": about}), kept.decisions)
    found = recheck(client, kept.decisions)
    assert dropped(found) == {"open.png": "unknown: no-match", "open-mirrored.png": "unknown: no-match"}
    assert "nobody vouches" in found.notes[0]


def _path(client: Client, done: Filtered) -> Path:
    account = client.profile.account
    assert account is not None
    return client.home.licences(account.account) / f"{done.licence}.json"


def test_where_the_licence_has_ended_rows_must_go(client: Client, world: World, kept: Filtered) -> None:
    path = _path(client, kept)
    granted = msgspec.json.decode(path.read_bytes(), type=LicenceGranted)
    ended = times.to_text(times.now() - timedelta(hours=1))
    payload = msgspec.structs.replace(envelopes.read_as(Licence, granted.envelope), valid_until=ended)
    write_private(path, msgspec.json.encode(msgspec.structs.replace(granted, envelope=envelopes.seal(payload))))
    found = recheck(client, kept.decisions)
    assert dropped(found) == {"paid.png": "license: licence-ended"}
    assert [(each.licence, each.reason, each.rows) for each in found.ended_licences] == [
        (kept.licence, "licence-ended", 1)
    ]


@pytest.mark.parametrize(("ago", "gone"), [(timedelta(hours=1), True), (timedelta(days=-30), False)])
def test_where_a_licence_was_revoked_rows_must_go_once_the_notice_is_over(
    client: Client, world: World, kept: Filtered, ago: timedelta, gone: bool
) -> None:
    over_at = times.to_text(times.now() - ago)
    duty = world.registry.revoke(str(kept.licence), over_at)
    found = recheck(client, kept.decisions)
    assert dropped(found) == ({"paid.png": "license: licence-revoked"} if gone else {})
    assert [(each.licence, each.reason, each.rows, each.duties) for each in found.ended_licences] == (
        [(kept.licence, "licence-revoked", 1, [Due(duty, "retire-model", over_at)])] if gone else []
    )
    asked = world.registry.calls["/v1/duties"]
    assert recheck(client, kept.decisions, offline=True).drop == found.drop  # it is remembered
    assert world.registry.calls["/v1/duties"] == asked


def test_a_licence_that_is_not_in_this_home_is_named(client: Client, world: World, kept: Filtered) -> None:
    _path(client, kept).unlink()
    assert dropped(recheck(client, kept.decisions)) == {"paid.png": "license: licence-not-here"}


def test_the_rows_to_drop_can_be_written(
    client: Client, world: World, works: dict[str, bytes], kept: Filtered, tmp_path: Path
) -> None:
    world.registry.change(works["open"], terms=NO_AI.encoded)
    found = recheck(client, kept.decisions)
    write_findings(tmp_path / "drop.parquet", found.drop)
    rows = pq.read_table(tmp_path / "drop.parquet").to_pylist()
    assert [(row["path"], row["reason"], row["row"]) for row in rows] == [
        ("open-mirrored.png", "denied", 1),
        ("open.png", "denied", 2),
    ]


def test_offline_rechecks_against_what_is_here_and_no_longer(
    client: Client, world: World, works: dict[str, bytes], kept: Filtered, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.registry.change(works["open"], terms=NO_AI.encoded)
    assert recheck(client, kept.decisions, offline=True).drop == []
    client.snapshot.pull()
    assert len(recheck(client, kept.decisions, offline=True).drop) == 2
    later = times.now() + timedelta(hours=25)
    monkeypatch.setattr(times, "now", lambda: later)
    with pytest.raises(ExpiredError):
        recheck(client, kept.decisions, offline=True)


def test_other_decisions_than_those_signed_are_refused(client: Client, kept: Filtered) -> None:
    table = pq.read_table(kept.decisions)
    pq.write_table(table.slice(1), kept.decisions)
    with pytest.raises(VerificationError, match="not the decisions"):
        recheck(client, kept.decisions)


def test_what_was_never_filtered_cannot_be_rechecked(client: Client, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing there"):
        recheck(client, tmp_path / "somewhere")
    (tmp_path / "somewhere").mkdir()
    with pytest.raises(InputError, match="filter the dataset first"):
        recheck(client, tmp_path / "somewhere")


def _no_metadata(table: pa.Table) -> pa.Table:
    return table.replace_schema_metadata(None)


def _wrong_metadata(table: pa.Table) -> pa.Table:
    return table.replace_schema_metadata({b"licet": b'{"v": 1}'})


def _missing_column(table: pa.Table) -> pa.Table:
    return table.drop_columns(["matches"])


def _wrong_text(column: str) -> Any:
    def change(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index(column)
        return table.set_column(place, table.schema.field(place), pa.array(["zz"] * len(table)))

    return change


@pytest.mark.parametrize(
    "change", [_no_metadata, _wrong_metadata, _missing_column, _wrong_text("sha256"), _wrong_text("pdq")]
)
def test_a_file_that_licet_did_not_write_is_malformed(client: Client, kept: Filtered, change: Any) -> None:
    Path(kept.manifest).unlink()
    table = pq.read_table(kept.decisions)
    pq.write_table(change(table), kept.decisions)
    with pytest.raises(MalformedError):
        recheck(client, kept.decisions)


def test_matches_with_nonsense_are_malformed(client: Client, kept: Filtered) -> None:
    Path(kept.manifest).unlink()
    table = pq.read_table(kept.decisions)
    rows = table.to_pylist()
    for row in rows:
        for match in row["matches"] or []:
            match["work"] = "wrk_nonsense"
    pq.write_table(pa.Table.from_pylist(rows, table.schema), kept.decisions)
    with pytest.raises(MalformedError, match="matches"):
        recheck(client, kept.decisions)


def test_the_question_of_a_job_is_read_back(kept: Filtered) -> None:
    question = DecisionsFile.find(Path(kept.out)).question
    assert (question.request, question.match, question.unknown) == (REQUEST, "near", "keep")


def in_groups(done: Filtered, rows: int) -> None:
    """Write the decisions again, in row groups of so many rows."""
    given = pq.read_table(done.decisions)
    pq.write_table(given, done.decisions, row_group_size=rows)
    assert pq.read_metadata(done.decisions).num_row_groups == -(-done.rows // rows)


class Stopped:
    """Stops a re-check once so many rows are told of, and counts those that are decided."""

    def __init__(self, patch: pytest.MonkeyPatch, after: int) -> None:
        self.after, self.told, self.decided = after, 0, 0
        honest = deciding.decide_rows

        def decide_rows(index: Any, evidence: Any, *rest: Any) -> Any:
            self.decided += len(evidence)
            return honest(index, evidence, *rest)

        patch.setattr(rechecking, "decide_rows", decide_rows)
        patch.setattr(module, "_LEAST", 1)

    def __call__(self, rows: int) -> None:
        self.told += rows
        if self.told > self.after:
            raise KeyboardInterrupt


def test_a_recheck_that_was_stopped_goes_on_and_finds_the_same(
    client: Client, world: World, works: dict[str, bytes], kept: Filtered, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.registry.change(works["open"], terms=NO_AI.encoded)
    world.work(encoded(picture(4)), "ada", NO_AI)
    world.registry.publish()
    in_groups(kept, 2)
    whole = recheck(client, kept.out)
    assert len(whole.drop) == 3
    rechecks = client.home.folder / "rechecks"
    assert not rechecks.exists()
    with monkeypatch.context() as patch:
        first = Stopped(patch, 4)  # two pieces are done
        with pytest.raises(InterruptedJobError, match="the same command goes on"):
            recheck(client, kept.out, advance=first)
        second = Stopped(patch, 100)
        done = recheck(client, kept.out, advance=second)
    assert (first.told, second.told) == (6, 6)
    assert 0 < second.decided < 5
    assert (done.drop, done.new_matches, done.kept) == (whole.drop, whole.new_matches, whole.kept)
    assert not rechecks.exists()


@pytest.mark.parametrize("change", ["snapshot", "decisions", "age", "damage"])
def test_what_a_stopped_recheck_found_counts_for_the_same_question_alone(
    client: Client,
    world: World,
    works: dict[str, bytes],
    kept: Filtered,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    world.registry.change(works["open"], terms=NO_AI.encoded)
    world.registry.publish()
    in_groups(kept, 2)
    with monkeypatch.context() as patch:
        with pytest.raises(InterruptedJobError):
            recheck(client, kept.out, advance=Stopped(patch, 4))
        pieces = list((client.home.folder / "rechecks").rglob("*-*"))
        assert len(pieces) == 2
        if change == "snapshot":
            world.work(encoded(picture(4)), "ada", NO_AI)
            world.registry.publish()
        elif change == "decisions":
            os.utime(kept.decisions, ns=(1, 1))
        elif change == "age":
            patch.setattr(bookmark, "_LASTS", timedelta(0))
        else:
            for place in pieces:
                place.write_bytes(b"nothing")
        again = Stopped(patch, 100)
        done = recheck(client, kept.out, advance=again)
    assert again.decided == 5
    assert len(done.drop) == (3 if change == "snapshot" else 2)


def test_decisions_that_are_no_longer_those_signed_are_read_anew_once_they_are_mended(
    client: Client, kept: Filtered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LEAST", 1)
    in_groups(kept, 2)
    place = Path(kept.decisions)
    good, status = pq.read_table(place), place.stat()
    row = good.schema.get_field_index("reason")
    bad = good.set_column(row, good.schema.field(row), pa.array(["another"] * len(good)))
    pq.write_table(bad, place, row_group_size=2)
    with pytest.raises(VerificationError, match=r"out\.decisions\.parquet: these are not the decisions"):
        recheck(client, kept.manifest)
    assert not (client.home.folder / "rechecks").exists()
    pq.write_table(good, place, row_group_size=2)
    os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert recheck(client, kept.manifest).drop == []


# -- by several processes ----------------------------------------------------------------------------------------


@pytest.fixture
def many(client: Client, world: World, tmp_path: Path) -> Filtered:
    """Decisions of three files of addresses and digests: some denied, some allowed, some kept under a licence."""
    digests, owned = [sha256(b"%d" % number).hexdigest() for number in range(120)], {}
    for number in range(0, 120, 7):
        data = encoded(picture(number))
        digests[number] = sha256(data).hexdigest()
        owned[number] = world.work(data, "tomas", (OPEN, PAID, NO_AI)[number % 3])
    world.registry.publish()
    (tmp_path / "in").mkdir()
    for part in range(3):
        urls = [f"https://x.example/{number}.jpg" for number in range(40 * part, 40 * part + 40)]
        table = {"URL": urls, "SHA256": digests[40 * part : 40 * part + 40]}
        pq.write_table(pa.table(table), tmp_path / "in" / f"{part}.parquet")
    done = filter_dataset(client, [tmp_path / "in"], tmp_path / "many", REQUEST, WISH)
    assert done.licence
    for place in Path(done.decisions).rglob("*.parquet"):
        pq.write_table(pq.read_table(place), place, row_group_size=7)
    for number in (0, 21, 42):  # allowed until now
        world.registry.change(owned[number], terms=NO_AI.encoded)
    for number in (1, 50, 118):
        world.work(encoded(picture(9)), "mei", NO_AI, urls=(f"https://x.example/{number}.jpg",))
    world.registry.publish()
    _path(client, done).unlink()
    return done


def found_in(done: Any) -> list[Any]:
    return [list(done.drop), list(done.new_matches), done.ended_licences, done.rows, done.kept, done.snapshot]


def test_several_processes_find_what_one_does(client: Client, many: Filtered, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    one = recheck(client, many.out)
    monkeypatch.setattr(module, "_LEAST", 1)
    pieces = recheck(client, many.out, workers=1)
    two = recheck(client, many.out, workers=2, advance=told.append)
    assert found_in(two) == found_in(one) == found_in(pieces)
    assert {row.reason for row in one.drop} == {"denied", "licence-not-here"}
    assert len(one.new_matches) == 3
    assert one.ended_licences
    assert sum(told) == steps(many.out) == 120
    assert max(told) < 40
    with pytest.raises(InputError, match=r"workers: expected 1 to 512, got 0"):
        recheck(client, many.out, workers=0)


def workers() -> list[str]:
    """Return what processes of ours were started with that work at rows."""
    children = [
        int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()
    ]
    started = [Path(f"/proc/{pid}/cmdline").read_text() for pid in children if Path(f"/proc/{pid}").exists()]
    return [command for command in started if "licet: works at rows" in command]


def test_what_one_process_left_others_go_on_from(
    client: Client, many: Filtered, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = recheck(client, many.out)
    with monkeypatch.context() as patch:
        patch.setattr(module, "EVERY", 7)
        with pytest.raises(InterruptedJobError):
            recheck(client, many.out, workers=2, advance=Stopped(patch, 50))
        assert workers() == []
        kept = len(list((client.home.folder / "rechecks").rglob("*-*")))
        assert 0 < kept < 18
        rest = Stopped(patch, 1000)
        done = recheck(client, many.out, workers=1, advance=rest)
    assert rest.told == 120
    assert rest.decided < whole.kept
    assert found_in(done) == found_in(whole)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _spoilt(path: Path) -> None:
    data = bytearray(path.read_bytes())
    begin = pq.read_metadata(path).row_group(2).column(0).data_page_offset
    data[begin : begin + 60] = bytes(60)
    path.write_bytes(data)


def _of_another(path: Path) -> None:
    table = pq.read_table(path)
    about = msgspec.json.decode(table.schema.metadata[METADATA]) | {"dataset": "dst_" + "0" * 26}
    pq.write_table(table.replace_schema_metadata({METADATA: msgspec.json.encode(about)}), path)


def _out_of_order(path: Path) -> None:
    table = pq.read_table(path)
    pq.write_table(table.take(list(reversed(range(len(table))))), path, row_group_size=7)


def _no_digests(path: Path) -> None:
    pq.write_table(_wrong_text("sha256")(pq.read_table(path)), path, row_group_size=7)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("spoil", [_cut, _spoilt, _of_another, _out_of_order, _no_digests])
def test_a_file_that_is_not_what_was_written_is_named_whoever_meets_it(
    client: Client, many: Filtered, monkeypatch: pytest.MonkeyPatch, spoil: Any, workers: int
) -> None:
    monkeypatch.setattr(module, "EVERY", 7)
    monkeypatch.setattr(module, "_LEAST", 1)
    place = sorted(Path(many.decisions).rglob("*.parquet"))[1]
    spoil(place)
    with pytest.raises(MalformedError, match=rf"decisions\.parquet/{place.name}: [^/]*(expected|cannot be read)[^/]*$"):
        recheck(client, many.out, workers=workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_other_rows_than_those_signed_are_refused_whoever_reads_them(
    client: Client, many: Filtered, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(module, "_LEAST", 1)
    place = sorted(Path(many.decisions).rglob("*.parquet"))[2]
    table = pq.read_table(place)
    pq.write_table(table.slice(0, len(table) - 1), place, row_group_size=7)
    with pytest.raises(VerificationError, match=r"decisions\.parquet: these are not the decisions"):
        recheck(client, many.out, workers=workers)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_sample_goes_together_wherever_pieces_end(
    client: Client,
    world: World,
    works: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rows: int,
    workers: int,
) -> None:
    members = [(f"{key}.{side}.png", encoded(picture(n))) for key, side, n in [
        ("a", "l", 5), ("b", "l", 6), ("b", "m", 1), ("b", "r", 7), ("c", "l", 8), ("c", "r", 1), ("d", "l", 9),
    ]]  # fmt: skip
    (tmp_path / "t.tar").write_bytes(archive(list(members)))
    done = filter_dataset(client, [tmp_path / "t.tar"], tmp_path / "out.tar", REQUEST, Wish(unknown="keep"))
    world.registry.change(works["open"], terms=NO_AI.encoded)
    whole = recheck(client, done.out)
    monkeypatch.setattr(module, "_LEAST", 1)
    in_groups(done, rows)
    found = recheck(client, done.out, workers=workers)
    assert found_in(found)[:5] == found_in(whole)[:5]
    assert dropped(found) == {
        "b.l.png": "deny: sample", "b.m.png": "deny: denied", "b.r.png": "deny: sample",
        "c.l.png": "deny: sample", "c.r.png": "deny: denied",
    }  # fmt: skip
