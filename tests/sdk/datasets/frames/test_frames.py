"""Frames of other libraries: they come back as they were, with verdicts that do not depend on the form."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas
import polars
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from licet import Budget, InputError, Request
from licet.datasets.annotate import ADDED
from licet.datasets.frames import tables
from licet.datasets.session import Client
from tests.sdk.datasets.world import NO_AI, OPEN, PAID, World, encoded, picture

REQUEST = Request(uses=["train-gen"])
URL = "https://a.example/denied.png"
NAMES = ("open", "denied", "paid", "stranger")
PICTURES = {name: encoded(picture(number, 32)) for number, name in enumerate(NAMES, 1)}
VERDICTS = {"open": "allow", "denied": "deny", "paid": "license", "stranger": "unknown"}


@pytest.fixture
def session(world: World) -> Iterator[Client]:
    """A client of an organisation, and works of two artists."""
    world.work(PICTURES["open"], "tomas", OPEN)
    world.work(PICTURES["denied"], "tomas", NO_AI, urls=(URL,))
    world.work(PICTURES["paid"], "mei", PAID)
    world.registry.publish()
    base = world.client()
    base.close()
    with Client(base.url, base.transport.token, home=base.home, profile="default") as made:
        yield made


def _features() -> Any:
    return datasets.Features({"image": datasets.Image(), "caption": datasets.Value("string")})


def hugging(names: tuple[str, ...] = NAMES) -> Any:
    rows = [{"image": {"bytes": PICTURES[name], "path": None}, "caption": name} for name in names]
    return datasets.Dataset.from_list(rows, features=_features())


# -- pandas ------------------------------------------------------------------------------------------------------------


def test_a_pandas_frame_keeps_its_index_its_types_and_its_other_columns(session: Client) -> None:
    frame = pandas.DataFrame(
        {
            "image": [PICTURES[name] for name in NAMES],
            "kind": pandas.Categorical(["a", "b", "a", "b"]),
            "when": pandas.to_datetime(["2026-01-01"] * 4, utc=True),
            "few": pandas.array([1, None, 3, 4], dtype="Int8"),
            7: [0.5, 1.5, 2.5, 3.5],
        },
        index=pandas.Index(["x", "y", "x", "x"], name="label"),
    )
    done = session.annotate(frame, REQUEST)
    assert done.index.equals(frame.index)
    assert done.index.name == "label"
    pandas.testing.assert_frame_equal(done[list(frame.columns)], frame)
    assert done["verdict"].tolist() == [VERDICTS[name] for name in NAMES]
    assert {name: str(done[name].dtype) for name in ("verdict", "distance", "claim_level", "kept")} == {
        "verdict": "str",
        "distance": "Int16",
        "claim_level": "Int8",
        "kept": "bool",
    }
    kept = session.filter(frame, REQUEST, unknown="keep")
    assert kept.index.tolist() == ["x", "x"]
    assert kept[7].tolist() == [0.5, 3.5]
    assert "verdict" not in frame.columns


def test_a_frame_of_a_class_of_ones_own_is_a_frame(session: Client) -> None:
    class Mine(pandas.DataFrame):  # type: ignore[misc]
        @property
        def _constructor(self) -> type[Mine]:
            return Mine

    assert type(session.filter(Mine({"url": [URL, "https://b.example/"]}), REQUEST, unknown="keep")) is Mine


def test_empty_frames_stay_empty_and_get_their_columns(session: Client) -> None:
    empties: tuple[Any, ...] = (
        pandas.DataFrame({"url": []}),
        pandas.DataFrame({"url": []}, dtype="float64"),
        polars.DataFrame({"url": []}, schema={"url": polars.String}),
        datasets.Dataset.from_dict({"url": []}, features=datasets.Features({"url": datasets.Value("string")})),
        pa.table({"url": pa.array([], pa.string())}),
        {"url": []},
    )
    for empty in empties:
        for done in (session.annotate(empty, REQUEST), session.filter(empty, REQUEST)):
            assert type(done) is type(empty)
            assert tables.names(done) == ["url", *ADDED]
            assert len(done["url"]) == 0


# -- polars ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["rows", "columns", "pandas"])
def test_half_of_a_character_is_malformed_in_its_own_row_alone(session: Client, form: str) -> None:
    urls = [URL, "https://a.example/\ud800.png", None, "https://a.example/other.png"]
    digests = [None, None, "\udfff" * 64, "0" * 64]
    table: Any = {"url": urls, "sha256": digests, "caption": ["\ud800"] * 4}
    if form == "rows":
        table = [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
    elif form == "pandas":
        table = pandas.DataFrame({name: pandas.Series(values, dtype=object) for name, values in table.items()})
    found = session.annotate(table, REQUEST)
    rows = found if form == "rows" else found["verdict"]
    verdicts = [row["verdict"] for row in rows] if form == "rows" else list(rows)
    assert verdicts == ["deny", "review", "review", "unknown"]


def test_a_polars_frame_keeps_its_schema(session: Client) -> None:
    frame = polars.DataFrame(
        {"image": [PICTURES[name] for name in NAMES], "kind": ["a", "b", "a", "b"], "n": [1, 2, None, 4]},
        schema_overrides={"kind": polars.Categorical, "n": polars.UInt8},
    )
    done = session.annotate(frame, REQUEST)
    assert dict(list(done.schema.items())[:3]) == dict(frame.schema)
    assert done.schema["distance"] == polars.Int16
    assert done["verdict"].to_list() == [VERDICTS[name] for name in NAMES]
    assert session.filter(frame, REQUEST)["n"].to_list() == [1]


def test_a_lazy_frame_is_told_to_be_collected(session: Client) -> None:
    with pytest.raises(InputError, match=r"collect\(\) the LazyFrame first"):
        session.annotate(polars.LazyFrame({"url": [URL]}), REQUEST)


# -- Hugging Face ------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the library's own decoding of pictures fail: it is slow, needs Pillow, and nobody asked for it."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a picture was decoded by the library")

    monkeypatch.setattr(datasets.Image, "decode_example", refuse)


@pytest.mark.usefixtures("no_decoding")
def test_a_hugging_face_dataset_keeps_its_features_and_decodes_nothing(session: Client) -> None:
    done = session.annotate(hugging(), REQUEST)
    assert type(done) is datasets.Dataset
    assert {name: done.features[name] for name in ("image", "caption")} == dict(_features())
    assert done.features["distance"] == datasets.Value("int16")
    assert done["verdict"][:] == [VERDICTS[name] for name in NAMES]
    kept = session.filter(hugging(), REQUEST, unknown="keep")
    assert kept["caption"][:] == ["open", "stranger"]
    raw = kept.cast_column("image", datasets.Image(decode=False))
    assert raw[0]["image"]["bytes"] == PICTURES["open"]


@pytest.mark.usefixtures("no_decoding")
def test_a_dataset_that_was_reordered_and_formatted_stays_so(session: Client) -> None:
    given_rows = hugging().select([3, 1, 0]).with_format("numpy", columns=["caption"])
    done = session.annotate(given_rows, REQUEST)
    assert done.with_format(None).remove_columns("image")["caption"][:] == ["stranger", "denied", "open"]
    assert done.format["type"] == "numpy"
    assert set(done.format["columns"]) == {"caption", *ADDED}
    assert done["verdict"][:].tolist() == ["unknown", "deny", "allow"]


def test_a_picture_may_be_named_by_the_path_of_its_struct(session: Client, tmp_path: Path) -> None:
    rows = []
    for name in NAMES:
        (tmp_path / f"{name}.png").write_bytes(PICTURES[name])
        rows.append({"image": {"bytes": None, "path": f"{name}.png"}, "caption": name})
    table = datasets.Dataset.from_list(rows, features=_features())
    assert session.annotate(table, REQUEST, base=tmp_path)["verdict"][:] == [VERDICTS[name] for name in NAMES]


@pytest.mark.usefixtures("no_decoding")
def test_a_streamed_dataset_is_decided_as_it_is_read(session: Client, world: World) -> None:
    stream = hugging().to_iterable_dataset().cast_column("image", datasets.Image(decode=False))
    done = session.annotate(stream, REQUEST)
    assert type(done) is datasets.IterableDataset
    assert done.features["verdict"] == datasets.Value("string")
    assert [row["verdict"] for row in done] == [VERDICTS[name] for name in NAMES]
    kept = list(session.filter(stream, REQUEST))
    assert [(row["caption"], row["image"]["bytes"]) for row in kept] == [("open", PICTURES["open"])]


def test_a_stream_without_features_is_taken_too_and_one_without_columns_is_told(session: Client) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield {"url": URL, "n": 1}
        yield {"url": "https://b.example/", "n": 2}

    stream = datasets.IterableDataset.from_generator(rows)
    assert [row["verdict"] for row in session.annotate(stream, REQUEST)] == ["deny", "unknown"]
    assert list(session.filter(stream, REQUEST)) == []
    with pytest.raises(InputError, match="got only n"):
        list(session.annotate(stream.remove_columns("url"), REQUEST))
    with pytest.raises(InputError, match=r"without columns .*verdict"):
        session.annotate(session.annotate(hugging().to_iterable_dataset(), REQUEST), REQUEST)


def test_a_dict_of_splits_is_told_to_name_one(session: Client) -> None:
    with pytest.raises(InputError, match=r"dataset\['train'\]"):
        session.annotate(datasets.DatasetDict({"train": hugging()}), REQUEST)


# -- what is wrong with a table ----------------------------------------------------------------------------------------

FORMS: dict[str, Callable[[dict[str, list[Any]]], Any]] = {
    "arrow": pa.table,
    "batch": pa.RecordBatch.from_pydict,
    "pandas": pandas.DataFrame,
    "polars": lambda columns: polars.DataFrame(columns, strict=False),
    "huggingface": datasets.Dataset.from_dict,
    "columns": dict,
    "rows": lambda columns: pa.table(columns).to_pylist(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_table_without_a_usable_column_names_those_that_are_there(session: Client, form: str) -> None:
    with pytest.raises(
        InputError, match=r"expected a column url, sha256, iscc, path, image or pdq .* got only caption, n"
    ):
        session.annotate(FORMS[form]({"caption": ["a"], "n": [1]}), REQUEST)
    with pytest.raises(InputError, match=r"columns url: expected a column of the batch \(caption, n\), got 'LINK'"):
        session.annotate(FORMS[form]({"caption": ["a"], "n": [1]}), REQUEST, columns={"url": "LINK"})


@pytest.mark.parametrize("form", FORMS)
def test_a_column_that_is_called_like_a_new_one_is_told(session: Client, form: str) -> None:
    table = FORMS[form]({"url": [URL], "verdict": ["mine"], "kept": [1]})
    with pytest.raises(InputError, match="without columns kept, verdict"):
        session.annotate(table, REQUEST)
    done = session.annotate(table, REQUEST, prefix="licet_")
    first = done[0] if isinstance(done, list) else {name: done[name][0] for name in ("verdict", "licet_verdict")}
    assert [str(first["verdict"]), str(first["licet_verdict"])] == ["mine", "deny"]


def test_two_columns_of_one_name_are_told_where_they_say_what_a_row_is(session: Client) -> None:
    frame = pandas.DataFrame([[URL, URL, 1, 2]], columns=["url", "url", "n", "n"])
    with pytest.raises(InputError, match="one column url"):
        session.annotate(frame, REQUEST)
    arrow = pa.Table.from_arrays([pa.array([URL]), pa.array([URL])], names=["url", "url"])
    with pytest.raises(InputError, match="one column url"):
        session.annotate(arrow, REQUEST)
    with pytest.raises(InputError, match="one column url"):
        session.annotate(pandas.DataFrame([[URL, URL]], columns=["url", "URL"]), REQUEST)
    done = session.annotate(frame.iloc[:, 1:], REQUEST)  # twice n is nobody's business but its owner's
    assert list(done.columns)[:3] == ["url", "n", "n"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"url": "https://a.example/"}, "a list of values in every column"),
        ({"url": [URL], "n": [1, 2]}, "columns of one length"),
        (dict[str, Any](url=[URL, 3]), "column url: expected text or bytes in every row"),
        (pandas.DataFrame({"image": [object()]}), "column image: expected text or bytes in every row"),
        (pandas.Series([URL], name="url"), "pandas or polars DataFrame"),
        (polars.Series("url", [URL]), "pandas or polars DataFrame"),
        (np.zeros(3), "pandas or polars DataFrame"),
    ],
)
def test_what_is_no_table_of_rows_is_told(session: Client, table: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        session.annotate(table, REQUEST)


# -- the same verdicts in every form -----------------------------------------------------------------------------------

ROW = st.fixed_dictionaries(
    {
        "image": st.sampled_from([None, *PICTURES.values(), b"no picture"]),
        "url": st.sampled_from([None, URL, "https://b.example/x.png", "not an address"]),
        "sha256": st.sampled_from([None, "0" * 64, "zz"]),
    }
)


def as_every_form(rows: list[dict[str, Any]]) -> dict[str, Any]:
    schema = pa.schema([("image", pa.binary()), ("url", pa.string()), ("sha256", pa.string())])
    table = pa.Table.from_pylist(rows, schema)
    return {
        "arrow": table,
        "batch": pa.RecordBatch.from_pylist(rows, schema),
        "chunked": pa.concat_tables([table.slice(place, 1) for place in range(len(rows))]),
        "pandas": pandas.DataFrame(rows, columns=schema.names),
        "pandas of Arrow": table.to_pandas(types_mapper=pandas.ArrowDtype),
        "polars": polars.DataFrame(
            rows, schema={"image": polars.Binary, "url": polars.String, "sha256": polars.String}
        ),
        "huggingface": datasets.Dataset(table),
        "stream": datasets.Dataset(table).to_iterable_dataset(),
        "columns": {name: table[name].to_pylist() for name in schema.names},
        "rows": rows,
    }


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=1, max_size=5))
def test_verdicts_do_not_depend_on_the_form(session: Client, rows: list[dict[str, Any]]) -> None:
    found = {name: decided(session.annotate(table, REQUEST)) for name, table in as_every_form(rows).items()}
    assert {name: each for name, each in found.items() if each != found["arrow"]} == {}
    assert len(found["arrow"]) == len(rows)


def decided(table: Any) -> list[tuple[Any, ...]]:
    """What was decided of each row, in plain values."""
    if isinstance(table, pandas.DataFrame):
        table = pa.Table.from_pandas(table[list(ADDED)], preserve_index=False)
    elif isinstance(table, polars.DataFrame):
        table = table.select(list(ADDED)).to_arrow()
    elif isinstance(table, dict):
        table = pa.table({name: table[name] for name in ADDED})
    elif isinstance(table, datasets.Dataset):
        table = table.with_format("arrow")[:]
    rows = table.to_pylist() if hasattr(table, "to_pylist") else list(table)
    return [tuple(row[name] for name in ADDED) for row in rows]


# -- inside a with -----------------------------------------------------------------------------------------------------

HELD: dict[str, Callable[[], Any]] = {
    "arrow": lambda: pa.table({"image": list(PICTURES.values()), "caption": list(NAMES)}),
    "batches": lambda: pa.table({"image": list(PICTURES.values()), "caption": list(NAMES)}).to_batches(2),
    "pandas": lambda: pandas.DataFrame({"image": list(PICTURES.values()), "caption": list(NAMES)}),
    "polars": lambda: polars.DataFrame({"image": list(PICTURES.values()), "caption": list(NAMES)}),
    "huggingface": hugging,
    "stream": lambda: hugging().to_iterable_dataset(),
    "columns": lambda: [{"image": list(PICTURES.values()), "caption": list(NAMES)}],
    "rows": lambda: [[{"image": PICTURES[name], "caption": name} for name in NAMES]],
}


def captions(table: Any) -> list[str]:
    if isinstance(table, list):
        return [row["caption"] for row in table]
    column = table["caption"]
    return list(column.to_pylist() if hasattr(column, "to_pylist") else column)


@pytest.mark.parametrize("form", HELD)
def test_a_dataset_takes_every_form_and_hands_it_out_again(
    session: Client, world: World, tmp_path: Path, form: str
) -> None:
    out = tmp_path / "lantern"
    with session.dataset("d", REQUEST, model="acme/lantern@2", accept=Budget("1 USD"), out=out) as dataset:
        seen = [caption for batch in dataset.filter(HELD[form]()) for caption in captions(batch)]
    assert seen == ["open", "paid"]
    assert dataset.result is not None
    assert dataset.result.counts["deny"] == 1
    assert dataset.result.taken == list(world.registry.licences)


@pytest.mark.parametrize("form", HELD)
def test_an_error_inside_leaves_nothing_whatever_the_form(
    session: Client, world: World, tmp_path: Path, form: str
) -> None:
    out = tmp_path / "lantern"
    with (
        pytest.raises(ZeroDivisionError),
        session.dataset("d", REQUEST, model="acme/lantern@2", accept=Budget("1 USD"), out=out) as dataset,
    ):
        for _ in dataset.filter(HELD[form]()):
            raise ZeroDivisionError
    assert dataset.result is None
    assert list(tmp_path.glob("lantern*")) == []
    assert not world.registry.licences
    assert not world.registry.events


# -- where it runs -----------------------------------------------------------------------------------------------------


def test_it_works_inside_a_running_event_loop_as_in_a_notebook(session: Client, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PICTURES["denied"])

    async def cell() -> list[str]:
        found = session.check([str(tmp_path / "a.png")], REQUEST)
        rows: Any = session.annotate([{"image": PICTURES["open"]}], REQUEST)
        return [found.results[0].verdict, rows[0]["verdict"]]

    assert asyncio.run(cell()) == ["deny", "allow"]


def test_no_library_of_frames_is_needed_or_imported_for_another_kind(session: Client, world: World) -> None:
    session.refresh()
    code = f"""
import sys
FRAMES = {{"pandas", "polars", "datasets"}}
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in FRAMES:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
from licet import Client, Request
import pyarrow as pa
with Client({world.registry.url!r}) as client:
    request = Request(uses=["train-gen"])
    for table in ([{{"url": {URL!r}}}], {{"url": [{URL!r}]}}, pa.table({{"url": [{URL!r}]}})):
        done = client.annotate(table, request, offline=True)
        print(done[0]["verdict"] if isinstance(done, list) else list(map(str, done["verdict"])) [0])
assert not FRAMES & set(sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"LICET_HOME": str(session.home.folder), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stderr, done.stdout.split()) == ("", ["deny"] * 3)


def test_a_picture_as_pillow_has_it_is_told_from_bytes(session: Client) -> None:
    from PIL import Image

    with Image.open(io.BytesIO(PICTURES["open"])) as image, pytest.raises(InputError, match="column image"):
        session.annotate([{"image": image}], REQUEST)
