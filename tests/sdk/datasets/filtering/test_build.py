"""The filter job end to end, on real files: what is kept, what is written, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from licet import times
from licet.client import Client
from licet.datasets.filtering.build import Filtered, Wish, filter_dataset
from licet.datasets.forms import folder, parquet
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.manifest import read_manifest
from licet.decisions import Request
from licet.decisions.rows import decision_schema, decisions_root, leaf_hashes, row_leaf
from licet.errors import (
    ExpiredError,
    InputError,
    LicetError,
    MalformedError,
    NotAllowedError,
    RollbackError,
    ServiceError,
    VerificationError,
)
from licet.log import merkle
from licet.terms import Price, Terms, preset
from tests.sdk.datasets.world import NO_AI, OPEN, PAID, World, encoded, picture

REQUEST = Request(uses=["train-gen"])
KEEP = Wish(unknown="keep")


@pytest.fixture
def pictures(world: World, tmp_path: Path) -> Path:
    """Nine files: allowed, denied, to be paid (and two copies), a stranger, three that cannot be read."""
    place = tmp_path / "in"
    place.mkdir()
    files = {
        "allowed.png": encoded(picture(1)),
        "denied.png": encoded(picture(2)),
        "paid.png": encoded(picture(3)),
        "paid-small.jpg": encoded(picture(3)[::2, ::2], "JPEG", quality=90),
        "paid-mirrored.webp": encoded(picture(3)[:, ::-1].copy(), "WEBP", quality=90),
        "stranger.png": encoded(picture(4)),
        "broken.jpg": encoded(picture(5), "JPEG")[:900],
        "text.jpg": b"not a picture",
        "moving.gif": b"GIF89a" + bytes(30),
    }
    for name, data in files.items():
        (place / name).write_bytes(data)
    (place / "allowed.txt").write_text("a caption")
    world.work(files["allowed.png"], "tomas", OPEN)
    world.work(files["denied.png"], "tomas", NO_AI)
    world.work(files["paid.png"], "mei")
    world.registry.publish()
    return place


def decided(done: Filtered) -> dict[str, dict[str, Any]]:
    return {row["path"]: row for row in pq.read_table(done.decisions).to_pylist()}


def names(place: str | Path) -> list[str]:
    return sorted(path.relative_to(place).as_posix() for path in Path(place).rglob("*") if path.is_file())


def test_rows_are_kept_as_they_were_decided(client: Client, pictures: Path, tmp_path: Path) -> None:
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, KEEP)
    assert done.counts == {"allow": 1, "unknown": 1, "license": 3, "review": 3, "deny": 1}
    assert (done.rows, done.kept) == (9, 2)
    assert names(tmp_path / "out") == ["allowed.png", "allowed.txt", "stranger.png"]
    rows = decided(done)
    assert {path: (row["verdict"], row["reason"]) for path, row in rows.items()} == {
        "allowed.png": ("allow", "allowed"),
        "broken.jpg": ("review", "malformed"),
        "denied.png": ("deny", "denied"),
        "moving.gif": ("review", "unreadable"),
        "paid-mirrored.webp": ("license", "offer"),
        "paid-small.jpg": ("license", "offer"),
        "paid.png": ("license", "offer"),
        "stranger.png": ("unknown", "no-match"),
        "text.jpg": ("review", "malformed"),
    }
    assert rows["paid-mirrored.webp"]["match"] == "near"
    assert rows["paid.png"]["match"] == "exact"
    assert (rows["paid.png"]["price"], rows["paid.png"]["currency"]) == ("0.05", "USD")
    assert rows["paid.png"]["examined"] == "file,pixels,pdq,iscc-instance,iscc-content"


def test_a_work_is_quoted_once_however_many_rows_show_it(
    client: Client, world: World, pictures: Path, tmp_path: Path
) -> None:
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST)
    assert done.quote.totals == [{"amount": "0.05", "currency": "USD", "works": 1}]
    assert (done.quote.works, done.quote.artists, done.quote.rows) == (1, 1, 3)
    assert done.licence is None
    assert "1 row: denied (denied); no option changes that" in done.hints  # also where others are kept
    assert not any(call.startswith("POST") for call in world.registry.calls)


def test_nothing_kept_says_why_and_which_option_changes_it(client: Client, pictures: Path, tmp_path: Path) -> None:
    (pictures / "allowed.png").unlink()
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST)
    assert done.kept == 0
    said = "\n".join(done.hints)
    for words in (
        "3 rows: a licence is needed; --accept",
        "--unknown keep",
        "denied (denied); no option",
        "(malformed)",
    ):
        assert words in said
    assert names(tmp_path / "out") == []


def test_a_table_keeps_its_rows_with_all_their_columns(
    client: Client, world: World, pictures: Path, tmp_path: Path
) -> None:
    import pyarrow as pa

    world.work(encoded(picture(9)), "tomas", NO_AI, urls=("https://a.example/denied",))
    world.registry.publish()
    rows = {
        "PATH": ["in/allowed.png", "in/denied.png", "in/stranger.png", None, None, "in/gone.png"],
        "url": [None, None, None, "https://a.example/denied", "https://a.example/other", None],
        "caption": list("abcdef"),
    }
    pq.write_table(pa.table(rows), tmp_path / "t.parquet")
    done = filter_dataset(client, [tmp_path / "t.parquet"], tmp_path / "kept.parquet", REQUEST, KEEP)
    got = pq.read_table(tmp_path / "kept.parquet").to_pylist()
    assert [row["caption"] for row in got] == ["a", "c", "e"]
    assert got[0] == {"PATH": "in/allowed.png", "url": None, "caption": "a"}
    reasons = [(row["verdict"], row["reason"]) for row in pq.read_table(done.decisions).to_pylist()]
    assert reasons[3:] == [("deny", "denied"), ("unknown", "not-examined"), ("review", "unreadable")]


def test_several_tables_map_one_to_one(client: Client, world: World, tmp_path: Path) -> None:
    import pyarrow as pa

    world.registry.publish()
    for name in ("b.parquet", "a.parquet"):
        (tmp_path / "in").mkdir(exist_ok=True)
        pq.write_table(pa.table({"url": [f"https://a.example/{name}", None]}), tmp_path / "in" / name)
    done = filter_dataset(client, [tmp_path / "in"], tmp_path / "out", REQUEST, KEEP)
    assert names(tmp_path / "out") == ["a.parquet", "b.parquet"]
    assert pq.read_table(tmp_path / "out" / "b.parquet").to_pylist() == [{"url": "https://a.example/b.parquet"}]
    table = pq.read_table(done.decisions).to_pylist()
    assert [(row["part"], row["row"]) for row in table] == [
        (name, row) for name in ("a.parquet", "b.parquet") for row in (0, 1)
    ]
    parts = read_manifest(Path(done.manifest)).payload.parts
    assert [(part["name"], part["rows"], part["kept"]) for part in parts] == [("a.parquet", 2, 1), ("b.parquet", 2, 1)]


def test_the_manifest_fixes_what_was_decided(client: Client, world: World, pictures: Path, tmp_path: Path) -> None:
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, KEEP)
    read = read_manifest(Path(done.manifest))
    payload = read.payload
    account = client.profile.account
    assert account is not None
    assert (payload.organisation, read.key) == (account.account, account.keyid)
    assert (payload.rows, payload.kept, payload.counts) == (done.rows, done.kept, done.counts)
    assert (payload.stage, payload.match, payload.unknown_policy) == ("files", "near", "keep")
    assert payload.use == {
        "at": done.decided_at,
        "model_scope": "one-version",
        "purpose": ["commercial"],
        "uses": ["train-gen"],
    }
    assert payload.snapshot == done.snapshot
    table = pq.read_table(done.decisions)
    assert payload.decisions_root == decisions_root({"in": leaf_hashes(table)})
    plain = [merkle.leaf_hash(row_leaf(row)) for row in table.to_pylist()]
    assert payload.decisions_root == merkle.root(plain).hex()


def test_only_a_dataset_that_is_held_back_says_so_in_its_manifest(
    client: Client, pictures: Path, tmp_path: Path
) -> None:
    for name, wish in (("seen", Wish()), ("held", Wish(unlisted=True))):
        done = filter_dataset(client, [pictures], tmp_path / name, REQUEST, wish)
        read = read_manifest(Path(done.manifest))
        assert (b"listed" in read.envelope.body) == wish.unlisted
        assert (read.payload.listed is False) == wish.unlisted


def test_decisions_have_the_columns_of_the_schema(client: Client, pictures: Path, tmp_path: Path) -> None:
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST)
    schema = pq.read_schema(done.decisions)
    assert schema.names[: len(decision_schema())] == decision_schema().names
    assert schema.names[len(decision_schema()) :] == ["quality", "pdq_turned", "iscc", "signals"]


def test_the_root_depends_on_neither_threads_nor_batches(
    client: Client, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = set()
    for number, (threads, batch) in enumerate([(1, 256), (4, 2), (3, 1)]):
        monkeypatch.setattr(folder, "BATCH", batch)
        done = filter_dataset(client, [pictures], tmp_path / f"out{number}", REQUEST, Wish(threads=threads))
        payload = read_manifest(Path(done.manifest)).payload
        roots.add((payload.decisions_root, payload.parts[0]["source_digest"]))
    assert len(roots) == 1


def test_a_table_of_addresses_alone_is_a_stage_of_its_own(
    client: Client, world: World, tmp_path: Path, monkeypatch: Any
) -> None:
    import pyarrow as pa

    monkeypatch.setattr(parquet, "BATCH_ROWS", 10)
    world.work(encoded(picture(1)), "mei", PAID, urls=("https://a.example/7",))
    world.registry.publish()
    pq.write_table(pa.table({"URL": [f"https://a.example/{n}" for n in range(35)]}), tmp_path / "t.parquet")
    done = filter_dataset(client, [tmp_path / "t.parquet"], tmp_path / "o.parquet", REQUEST, KEEP)
    assert done.counts == {"allow": 0, "unknown": 34, "license": 0, "review": 1, "deny": 0}
    row = pq.read_table(done.decisions).to_pylist()[7]
    assert (row["verdict"], row["reason"], row["examined"]) == ("review", "url-only", "url")
    assert read_manifest(Path(done.manifest)).payload.stage == "urls"


def test_where_a_segment_is_gone_it_says_how_to_get_it_again(client: Client, pictures: Path, tmp_path: Path) -> None:
    client.snapshot.pull()
    near, exact = (
        next(ref for ref in client.snapshot.open().manifest.segments if ref.tier == tier) for tier in ("near", "exact")
    )
    segments, offline = client.snapshot.store.segments, Wish(unknown="keep", offline=True)
    (segments / near.digest).unlink()
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, offline)
    assert done.match == "exact"
    assert "the near tier is not here (`licet snapshot pull`)" in done.notes[0]
    (segments / exact.digest).unlink()
    with pytest.raises(InputError, match=rf"expected segment {exact.digest} there; `licet snapshot pull`"):
        filter_dataset(client, [pictures], tmp_path / "other", REQUEST, offline)


def test_without_an_account_only_exact_copies_are_found_and_it_says_so(
    world: World, pictures: Path, tmp_path: Path
) -> None:
    with world.client("nobody", None) as nobody:
        done = filter_dataset(nobody, [pictures], tmp_path / "out", REQUEST, KEEP)
        assert done.match == "exact"
        assert "near tier needs an account" in done.notes[0]
        assert not done.registered
        payload = read_manifest(Path(done.manifest)).payload
        assert payload.organisation is None
        assert decided(done)["paid-small.jpg"]["verdict"] == "unknown"
        with pytest.raises(NotAllowedError, match="--match near"):
            filter_dataset(nobody, [pictures], tmp_path / "two", REQUEST, Wish(match="near"))
    assert not (tmp_path / "two.job").exists()


def test_terms_that_ask_for_credit_are_listed(client: Client, world: World, tmp_path: Path) -> None:
    credited = Terms.parse(
        NO_AI.to_json()
        | {
            "train-gen": {
                "permission": "license",
                "price": {"model": "attribution"},
                "attribution": {"text": "Su Tang"},
            }
        }
    )
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(encoded(picture(1)))
    world.work(encoded(picture(1)), "su", credited)
    world.registry.publish()
    from licet.datasets.licensing.accepting import Acceptance
    from licet.datasets.licensing.budgets import Budget

    request = Request(uses=["train-gen"], model="lantern/lantern@1")
    wish = Wish(accept=Acceptance("d", Budget()))
    done = filter_dataset(client, [tmp_path / "in"], tmp_path / "out", request, wish)
    assert done.kept == 1
    assert done.credits is not None
    [line] = Path(done.credits).read_text().splitlines()
    assert json.loads(line)["text"] == "Su Tang"
    assert json.loads(line)["licence"] == done.licence


def test_style_by_concentration_asks_for_more(client: Client, world: World, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(20):
        data = encoded(picture(number, 64))
        (tmp_path / "in" / f"{number}.png").write_bytes(data)
        world.work(data, "mei", PAID if number else OPEN)
    world.registry.publish()
    done = filter_dataset(client, [tmp_path / "in"], tmp_path / "out", REQUEST)
    assert done.counts["review"] == 20
    assert {row["reason"] for row in decided(done).values()} == {"style"}
    for number in range(100, 181):
        (tmp_path / "in" / f"{number}.png").write_bytes(encoded(picture(number, 64)))
    diluted = filter_dataset(client, [tmp_path / "in"], tmp_path / "two", REQUEST, KEEP)
    assert diluted.counts == {"allow": 1, "unknown": 81, "license": 19, "review": 0, "deny": 0}


def test_only_matched_rows_may_be_listed_under_the_same_root(client: Client, pictures: Path, tmp_path: Path) -> None:
    whole = filter_dataset(client, [pictures], tmp_path / "a", REQUEST)
    part = filter_dataset(client, [pictures], tmp_path / "b", REQUEST, Wish(only_matched=True))
    assert "stranger.png" in decided(whole)
    assert "stranger.png" not in decided(part)
    roots = {read_manifest(Path(done.manifest)).payload.decisions_root for done in (whole, part)}
    assert len(roots) == 1


def test_a_complete_result_is_replaced_only_when_asked(client: Client, pictures: Path, tmp_path: Path) -> None:
    filter_dataset(client, [pictures], tmp_path / "out", REQUEST, KEEP)
    before = (tmp_path / "out.manifest.json").read_bytes()
    with pytest.raises(InputError, match="--overwrite"):
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, KEEP)
    assert (tmp_path / "out.manifest.json").read_bytes() == before
    assert not (tmp_path / "out.job").exists()
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, Wish(overwrite=True))
    assert names(tmp_path / "out") == ["allowed.png", "allowed.txt"]
    assert read_manifest(Path(done.manifest)).payload.unknown_policy == "exclude"


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_filter_did_not_write_is_never_replaced(
    client: Client, pictures: Path, tmp_path: Path, overwrite: bool
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="expected nothing there"):
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, Wish(overwrite=overwrite))
    assert names(tmp_path / "out") == ["mine.txt"]


@pytest.mark.parametrize("out", ["in", "in/kept", "."])
def test_the_output_lies_apart_from_the_input(client: Client, pictures: Path, tmp_path: Path, out: str) -> None:
    with pytest.raises(InputError, match="a place apart"):
        filter_dataset(client, [pictures], tmp_path / out, REQUEST)


def test_an_input_that_changes_meanwhile_is_noticed(client: Client, pictures: Path, tmp_path: Path) -> None:
    seen = 0

    def advance(rows: int) -> None:
        nonlocal seen
        seen += rows
        if seen == 9:
            (pictures / "stranger.png").write_bytes(encoded(picture(99)))

    with pytest.raises(InputError, match="changed while the job ran"):
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, KEEP, advance)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.manifest.json").exists()


def test_offline_decides_from_what_is_here(client: Client, world: World, pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no snapshot here yet"):
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, Wish(offline=True))
    client.snapshot.pull()
    world.registry.calls.clear()
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, Wish(offline=True))
    assert done.counts["deny"] == 1
    assert done.recheck is None
    assert not world.registry.calls


def test_without_a_network_it_names_the_way_to_go_on(
    world: World, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("licet.exchange.retrying.FIRST_DELAY", 0.01)
    client = world.client()
    client.transport.close()
    offline = Client("http://127.0.0.1:9", "token", home=client.home, profile="default")
    with offline, pytest.raises(ServiceError, match="--offline"):
        filter_dataset(offline, [pictures], tmp_path / "out", REQUEST)


def _expire(client: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    later = times.now() + timedelta(hours=25)
    monkeypatch.setattr(times, "now", lambda: later)


def _change_terms(client: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    store = client.snapshot.store
    [path] = [path for path in store.segments.iterdir() if b"train-gen" in path.read_bytes()]
    data = path.read_bytes().replace(b'"deny"', b'"DENY"')
    path.chmod(0o644)
    path.write_bytes(data)


def _extend(client: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    import base64

    path = client.snapshot.store.folder / "manifest.json"
    document = json.loads(path.read_bytes())
    payload = json.loads(base64.b64decode(document["envelope"]["payload"]))
    payload["expires_at"] = payload["expires_at"].replace("20", "29", 1)
    body = json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()
    document["envelope"]["payload"] = base64.b64encode(body).decode()
    path.write_bytes(json.dumps(document).encode())


def _go_back(client: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    old = (client.snapshot.store.folder / "manifest.json").read_bytes()
    world.registry.publish()
    client.snapshot.pull()
    (client.snapshot.store.folder / "manifest.json").write_bytes(old)


@pytest.mark.parametrize(
    ("tamper", "error"),
    [
        (_expire, ExpiredError),
        (_change_terms, VerificationError),
        (_extend, VerificationError),
        (_go_back, RollbackError),
    ],
)
def test_a_snapshot_that_does_not_hold_decides_nothing(
    client: Client, world: World, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    tamper: Callable[..., None], error: type[LicetError],
) -> None:  # fmt: skip
    client.snapshot.pull()
    tamper(client, world, monkeypatch)
    with pytest.raises(error) as caught:
        filter_dataset(client, [pictures], tmp_path / "out", REQUEST, Wish(offline=True))
    assert not isinstance(caught.value, MalformedError)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.job").exists()


def test_claims_below_a_level_can_be_left_out(client: Client, world: World, pictures: Path, tmp_path: Path) -> None:
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, Wish(min_claim_level=3))
    assert decided(done)["allowed.png"]["reason"] == "min-claim-level"


def test_a_fact_that_terms_ask_for_is_asked_for(client: Client, world: World, tmp_path: Path) -> None:
    bound = Terms.parse(
        preset("paid", Price(model="per-work", amount="1", currency="EUR")).to_json()
        | {"train-gen": {"permission": "license", "territory": {"allow": ["DE"]}}}
    )
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(encoded(picture(1)))
    world.work(encoded(picture(1)), "mei", bound)
    world.registry.publish()
    done = filter_dataset(client, [tmp_path / "in"], tmp_path / "out", REQUEST)
    assert decided(done)["a.png"]["reason"] == "needs:territory"
    assert "--territory answers it" in done.hints[0]


def test_a_tighten_while_the_job_runs_is_only_told(
    client: Client, world: World, pictures: Path, tmp_path: Path
) -> None:
    [allowed] = [record.work for record in world.registry.records.values() if record.terms == OPEN.encoded]
    seen = 0

    def advance(rows: int) -> None:
        nonlocal seen
        seen += rows
        if seen == 18:
            world.registry.change(allowed, terms=NO_AI.encoded)

    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST, KEEP, advance)
    assert done.counts["allow"] == 1
    assert done.recheck is not None
    assert (done.recheck.drop, done.recheck.snapshot == done.snapshot) == (1, False)
    assert "allowed.png" in names(tmp_path / "out")


def test_decisions_are_bound_to_their_manifest(client: Client, pictures: Path, tmp_path: Path) -> None:
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST)
    DecisionsFile.find(Path(done.out)).verify()
    table = pq.read_table(done.decisions)
    verdicts = np.array(table["verdict"].to_pylist())
    verdicts[verdicts == "deny"] = "allow"
    changed = table.set_column(
        table.schema.get_field_index("verdict"), table.schema.field("verdict"), [verdicts.tolist()]
    )
    pq.write_table(changed, done.decisions)
    with pytest.raises(VerificationError, match="not the decisions"):
        DecisionsFile.find(Path(done.manifest)).verify()


def test_a_manifest_says_only_what_was_signed(client: Client, pictures: Path, tmp_path: Path) -> None:
    done = filter_dataset(client, [pictures], tmp_path / "out", REQUEST)
    path = Path(done.manifest)
    document = json.loads(path.read_text())
    document["manifest"]["kept"] += 1
    path.write_text(json.dumps(document))
    with pytest.raises(VerificationError, match="not what was signed"):
        read_manifest(path)


def test_a_table_that_cannot_be_read_leaves_nothing_behind(client: Client, world: World, tmp_path: Path) -> None:
    import pyarrow as pa

    world.registry.publish()
    place = tmp_path / "broken.parquet"
    rows = pa.table({"sha256": [f"{row:064x}" for row in range(5_000)]})
    pq.write_table(rows, place, row_group_size=1_000, compression="snappy")
    content = bytearray(place.read_bytes())
    start = pq.read_metadata(place).row_group(3).column(0).data_page_offset
    content[start : start + 200] = bytes(200)
    place.write_bytes(content)
    for _ in range(2):  # the same each time
        with pytest.raises(MalformedError, match=r"broken\.parquet"):
            filter_dataset(client, [place], tmp_path / "out", REQUEST)
        assert [each.name for each in tmp_path.glob("out*")] == []
    pq.write_table(rows, place)  # mended, it needs no --overwrite
    assert filter_dataset(client, [place], tmp_path / "out", REQUEST).rows == 5_000
