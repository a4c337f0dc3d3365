"""What Python users do: annotate and filter what they hold, and datasets inside a ``with``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import licet
from licet import Budget, BudgetError, ConflictError, InputError, Request, Wish
from licet.datasets.annotate import annotate
from licet.datasets.examining.basis import open_basis
from licet.datasets.examining.deciding import Question
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.manifest import read_manifest
from licet.datasets.results.rows import DECISION_COLUMNS
from licet.datasets.session import Client
from licet.datasets.usage.runs import report_run
from tests.sdk.datasets.world import NO_AI, OPEN, PAID, World, encoded, picture

MODEL = "acme/lantern@2"
REQUEST = Request(uses=["train-gen"])
ROWS: list[dict[str, Any]] = [
    {"image": encoded(picture(1)), "caption": "open", "extra": object()},
    {"image": encoded(picture(2)), "caption": "denied", "extra": None},
    {"image": encoded(picture(3)), "caption": "paid", "extra": 3},
    {"image": encoded(picture(3)), "caption": "paid again", "extra": 4},
    {"image": encoded(picture(4)), "caption": "stranger", "extra": 5},
]
PLAIN = [{name: row[name] for name in ("image", "caption")} for row in ROWS]


@pytest.fixture
def session(world: World) -> Iterator[Client]:
    """A client of an organisation, and works of two artists."""
    world.work(encoded(picture(1)), "tomas", OPEN)
    world.work(encoded(picture(2)), "tomas", NO_AI)
    world.work(encoded(picture(3)), "mei", PAID)
    world.registry.publish()
    base = world.client()
    base.close()
    with Client(base.url, base.transport.token, home=base.home, profile="default") as made:
        yield made


def _arrow_batch() -> Any:
    return pa.RecordBatch.from_pylist(PLAIN)


def _arrow_table() -> Any:
    return pa.Table.from_pylist(PLAIN).replace_schema_metadata({"about": "kept"})


def _columns() -> Any:
    return {name: [row[name] for row in PLAIN] for name in ("image", "caption")}


def _pandas() -> Any:
    frame = pytest.importorskip("pandas").DataFrame(PLAIN)
    frame.index = [10, 20, 30, 40, 50]
    return frame


def _polars() -> Any:
    return pytest.importorskip("polars").DataFrame(PLAIN)


def _huggingface() -> Any:
    return pytest.importorskip("datasets").Dataset.from_list(PLAIN)


def _captions(table: Any) -> list[Any]:
    column = table["caption"]
    return list(column.to_pylist() if hasattr(column, "to_pylist") else column)


MAKERS = [_arrow_batch, _arrow_table, _columns, _pandas, _polars, _huggingface]


@pytest.mark.parametrize("make", MAKERS)
def test_every_kind_of_table_comes_back_as_it_came_with_decisions(session: Client, make: Any) -> None:
    table = make()
    done = session.annotate(table, REQUEST)
    assert type(done) is type(table)
    assert _captions(done) == [row["caption"] for row in PLAIN]
    verdicts = done["verdict"]
    assert list(verdicts.to_pylist() if hasattr(verdicts, "to_pylist") else verdicts) == [
        "allow", "deny", "license", "license", "unknown",
    ]  # fmt: skip
    kept = session.filter(table, REQUEST, unknown="keep")
    assert type(kept) is type(table)
    assert _captions(kept) == ["open", "stranger"]


def test_dicts_keep_whatever_is_in_them(session: Client) -> None:
    kept = session.filter(ROWS, REQUEST)
    assert [row["extra"] for row in kept] == [ROWS[0]["extra"]]
    assert kept[0]["verdict"] == "allow"
    assert set(DECISION_COLUMNS) < set(kept[0])


def test_new_columns_never_take_the_place_of_old_ones(session: Client) -> None:
    table = pa.table({"url": ["https://a.example/"], "price": ["9"]})
    with pytest.raises(InputError, match="prefix="):
        session.annotate(table, REQUEST)
    done = session.annotate(table, REQUEST, prefix="licet_")
    assert done["price"].to_pylist() == ["9"]
    assert done["licet_reason"].to_pylist() == ["not-examined"]


@pytest.mark.parametrize("table", [42, "text", [1, 2], None])
def test_what_is_no_table_is_told(session: Client, table: Any) -> None:
    with pytest.raises(InputError, match="pandas or polars"):
        session.annotate(table, REQUEST)


def test_empty_tables_stay_empty(session: Client) -> None:
    table = pa.table({"url": pa.array([], pa.string())})
    assert session.filter(table, REQUEST).num_rows == 0
    assert session.filter([], REQUEST) == []


def test_the_core_is_the_same_for_every_engine(session: Client, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    session.snapshot.pull()
    basis = open_basis(session)
    (tmp_path / "a.png").write_bytes(encoded(picture(2)))
    batch = pa.RecordBatch.from_pydict({"FILE": ["a.png"]}, metadata={"about": "kept"})
    with ThreadPoolExecutor(1) as pool:
        done = annotate(batch, basis.index, Question(REQUEST), pool, base=tmp_path, columns={"path": "FILE"})
    assert done.schema.names == ["FILE", *DECISION_COLUMNS, "kept"]
    assert done.schema.metadata == {b"about": b"kept"}
    assert (done["verdict"][0].as_py(), done["kept"][0].as_py()) == ("deny", False)


def batches() -> Iterator[list[Any]]:
    yield ROWS[:2]
    yield []
    yield ROWS[2:]


def test_a_dataset_hands_out_what_it_licenses_on_leaving(session: Client, world: World, tmp_path: Path) -> None:
    out = tmp_path / "lantern"
    with session.dataset("lantern-train", REQUEST, model=MODEL, accept=Budget("1 USD"), out=out) as dataset:
        seen = [row["caption"] for batch in dataset.filter(batches()) for row in batch]
        assert not world.registry.licences
    assert seen == ["open", "paid", "paid again"]
    done = dataset.result
    assert done is not None
    assert done.kept == 3
    assert done.counts == {"allow": 1, "unknown": 1, "license": 2, "review": 0, "deny": 1}
    assert [done.licence] == list(world.registry.licences)
    payload = read_manifest(Path(done.manifest)).payload
    assert (payload.name, payload.kept, payload.licences) == ("lantern-train", 3, [done.licence])
    DecisionsFile.find(out).verify()
    assert pq.read_table(done.decisions)["reason"].to_pylist()[2] == f"licensed:{done.licence}"
    assert not (tmp_path / "lantern.job").exists()
    assert report_run(session, done.manifest, MODEL, "2").new == 1


def nothing_left(tmp_path: Path, world: World) -> bool:
    return not list(tmp_path.glob("lantern*")) and not world.registry.licences and not world.registry.events


def test_an_error_inside_leaves_no_manifest_no_licence_and_no_usage(
    session: Client, world: World, tmp_path: Path
) -> None:
    out = tmp_path / "lantern"
    with (
        pytest.raises(ZeroDivisionError),
        session.dataset("d", REQUEST, model=MODEL, accept=Budget("1 USD"), out=out) as dataset,
    ):
        for _ in dataset.filter(batches()):
            raise ZeroDivisionError
    assert dataset.result is None
    assert nothing_left(tmp_path, world)


def test_stopping_early_takes_nothing(session: Client, world: World, tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="not read to the end"),
        session.dataset("d", REQUEST, model=MODEL, accept=Budget("1 USD"), out=tmp_path / "lantern") as dataset,
    ):
        next(iter(dataset.filter(batches())))
    assert nothing_left(tmp_path, world)


def test_a_budget_that_does_not_do_is_told_before_the_first_row(session: Client, world: World, tmp_path: Path) -> None:
    with (
        pytest.raises(BudgetError, match=r"0.05 USD for 1 work, against 0.04"),
        session.dataset("d", REQUEST, model=MODEL, accept=Budget("0.04 USD"), out=tmp_path / "lantern") as dataset,
    ):
        for _ in dataset.filter(batches()):
            pytest.fail("a row came out")
    assert nothing_left(tmp_path, world)


def test_what_changes_while_rows_are_out_undoes_the_dataset(session: Client, world: World, tmp_path: Path) -> None:
    [work] = [record.work for record in world.registry.records.values() if record.terms == PAID.encoded]
    with (
        pytest.raises(ConflictError, match=r"cannot be licensed any more \(changed\); nothing was taken"),
        session.dataset("d", REQUEST, model=MODEL, accept=Budget("1 USD"), out=tmp_path / "lantern") as dataset,
    ):
        for _ in dataset.filter(batches()):
            world.registry.change(work, terms=NO_AI.encoded)
    assert nothing_left(tmp_path, world)


def test_without_a_budget_nothing_is_licensed(session: Client, world: World, tmp_path: Path) -> None:
    with session.dataset("d", REQUEST, out=tmp_path / "lantern", wish=Wish(unknown="keep")) as dataset:
        seen = [row["caption"] for batch in dataset.filter(batches()) for row in batch]
    assert seen == ["open", "stranger"]
    assert dataset.result is not None
    assert dataset.result.quote.totals == [{"amount": "0.05", "currency": "USD", "works": 1}]
    assert not world.registry.licences


def test_a_dataset_is_one_pass(session: Client, tmp_path: Path) -> None:
    with session.dataset("d", REQUEST, out=tmp_path / "lantern") as dataset:
        list(dataset.filter(batches()))
        with pytest.raises(InputError, match="one pass"):
            list(dataset.filter(batches()))
    with pytest.raises(InputError, match="one pass"):
        list(dataset.filter(batches()))
    with pytest.raises(InputError, match="complete result"), session.dataset("d", REQUEST, out=tmp_path / "lantern"):
        pytest.fail("it was opened")


def test_a_check_of_single_inputs(session: Client, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(picture(2)))
    found = session.check([str(tmp_path / "a.png"), "https://a.example/b.jpg"], REQUEST)
    assert [result.verdict for result in found.results] == ["deny", "unknown"]


def test_a_digest_is_the_same_in_capital_letters(session: Client) -> None:
    digest = sha256(encoded(picture(2))).hexdigest()
    found = session.check([digest, digest.upper()], REQUEST)
    assert [result.verdict for result in found.results] == ["deny", "deny"]


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = ("numpy", "pyarrow", "pydantic", "httpx", "PIL", "cryptography")
    code = f"import sys, licet; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_resolves() -> None:
    assert [name for name in licet.__all__ if getattr(licet, name, None) is None] == []
    assert licet.Client is Client
    assert repr(licet.Budget("100USD", "5 eur")) == "Budget('100 USD', '5 EUR')"
