"""Ray and Spark, real ones: the same verdicts and the same root as on one machine, also when a worker is killed.

They run where these packages are installed: ``make test-engines`` makes such an environment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet import Client, InputError, Request, Wish
from licet.datasets.filtering.build import Filtered
from licet.datasets.results.manifest import read_manifest
from tests.engines import clusters
from tests.engines.addresses import client_of, register, write_parts
from tests.sdk.datasets.registry import Registry

ROWS, PARTS, EVERY = 40_000, 6, 50
REQUEST = Request(uses=["train-gen"], at="2026-11-22T12:00:00.000Z")
pytestmark = [
    pytest.mark.timeout(1200),
    pytest.mark.filterwarnings("default"),
    pytest.mark.skipif(
        find_spec("ray") is None and find_spec("pyspark") is None,
        reason="neither Ray nor Spark is installed here: make test-engines has them",
    ),
]


class Here(NamedTuple):
    """A dataset, who filters it, and what one machine made of it."""

    client: Client
    dataset: Path
    folder: Path
    one: Filtered


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    folder = tmp_path_factory.mktemp("engines")
    dataset = write_parts(folder / "in", ROWS, PARTS, EVERY)
    (folder / "registry").mkdir()
    with Registry(folder / "registry").serving() as registry:
        register(registry, ROWS, EVERY)
        client = client_of(registry, folder / "home")
    # The registry is gone from here on: what is decided is decided from the snapshot.
    wish = Wish(unknown="keep", offline=True)
    with client:
        one = client.filter_dataset([dataset], folder / "one", REQUEST, wish)
        assert all(one.counts.values()), "every verdict has to be on some row"
        yield Here(client, dataset, folder, one)


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    if find_spec("ray") is None:
        pytest.skip("ray is not installed here: make test-engines has it")
    with clusters.ray_cluster() as found:
        yield found


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    if find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed here: make test-engines has it")
    with clusters.spark_cluster() as found:
        yield found


def same(one: Filtered, many: Filtered) -> None:
    """Both came to the same, file for file."""
    payloads = [read_manifest(Path(each.manifest)).payload for each in (one, many)]
    for name in ("decisions_root", "rows", "kept", "counts", "parts", "snapshot", "use"):
        assert getattr(payloads[0], name) == getattr(payloads[1], name), name
    digests = [
        {path.name: sha256(path.read_bytes()).hexdigest() for path in Path(each.out).rglob("*.parquet")}
        for each in (one, many)
    ]
    assert digests[0] == digests[1]
    assert len(digests[0]) == PARTS


class Killing:
    """Kills a worker once so many rows are done."""

    def __init__(self, kind: str, after: int) -> None:
        self.kind, self.after, self.seen = kind, after, 0
        self.killed: int | None = None

    def __call__(self, rows: int) -> None:
        self.seen += rows
        if self.killed is None and self.seen > self.after:
            self.killed = clusters.kill_one(self.kind)


@pytest.mark.parametrize("after", [ROWS // 3, ROWS + ROWS // 3], ids=["examining", "writing"])
def test_ray_filters_as_one_machine_does_when_a_worker_is_killed(ray: Any, here: Here, after: int):
    from licet.engines import ray as engine

    killing = Killing(clusters.RAY_WORKER, after)
    out = here.folder / f"ray-{after}"
    wish = Wish(unknown="keep", offline=True)
    many = engine.filter_dataset(here.client, [here.dataset], out, REQUEST, wish, workers=2, advance=killing)
    assert killing.killed is not None
    assert killing.seen == 2 * ROWS
    same(here.one, many)


@pytest.mark.parametrize("after", [ROWS // 3, ROWS + ROWS // 3], ids=["examining", "writing"])
def test_spark_filters_as_one_machine_does_when_an_executor_is_killed(spark: Any, here: Here, after: int):
    from licet.engines import spark as engine

    killing = Killing(clusters.SPARK_WORKER, after)
    out = here.folder / f"spark-{after}"
    wish = Wish(unknown="keep", offline=True)
    many = engine.filter_dataset(here.client, [here.dataset], out, REQUEST, wish, spark=spark, advance=killing)
    assert killing.killed is not None
    assert killing.seen == 2 * ROWS
    same(here.one, many)


def annotated(here: Here, how: Callable[[Any, Any], Any]) -> None:
    """The rows that an engine annotates are those that the client does, and filtered ones those that are kept."""
    pin = here.client.snapshot.pin()
    expected = pin.annotate(pq.read_table(here.dataset), REQUEST, unknown="keep")
    found = how(pin, "annotate").select(expected.schema.names).sort_by("URL")
    assert found.cast(expected.schema).equals(expected.sort_by("URL"))
    kept = how(pin, "filter").select(expected.schema.names).sort_by("URL")
    assert kept.cast(expected.schema).equals(expected.filter(pa.compute.field("kept")).sort_by("URL"))


def test_ray_data_annotates_as_the_client_does(ray: Any, here: Here):
    from licet.engines import ray as engine

    def how(pin: Any, name: str) -> pa.Table:
        dataset = ray.data.read_parquet(str(here.dataset))
        done = getattr(engine, name)(dataset, pin, REQUEST, workers=1, unknown="keep")
        return pa.concat_tables(done.iter_batches(batch_format="pyarrow", batch_size=None), promote_options="default")

    annotated(here, how)


def test_spark_annotates_as_the_client_does(spark: Any, here: Here):
    from licet.engines import spark as engine

    def how(pin: Any, name: str) -> pa.Table:
        frame = spark.read.parquet(str(here.dataset))
        return getattr(engine, name)(frame, pin, REQUEST, unknown="keep").toArrow()

    annotated(here, how)


@pytest.mark.parametrize("name", ["verdict", "Verdict"])
def test_spark_refuses_a_column_that_is_called_like_a_decision(spark: Any, here: Here, name: str):
    from licet.engines import spark as engine

    frame = spark.createDataFrame([("https://x.example/1.jpg", "a")], f"url string, {name} string")
    with pytest.raises(InputError, match="licet_"):
        engine.annotate(frame, here.client.snapshot.pin(), REQUEST)


@pytest.mark.parametrize("name", ["ray", "spark"])
def test_what_is_wrong_is_told_once_and_in_our_words(name: str, request: Any, here: Here, tmp_path: Path):
    """A worker's error is no error of the cluster: it is not tried again, and says what it would say here."""
    cluster = request.getfixturevalue(name)
    from licet.engines.ray import RayCrew
    from licet.engines.spark import SparkCrew

    crew: Any = RayCrew(1) if name == "ray" else SparkCrew(cluster)
    from licet.datasets.filtering.build import filter_dataset

    (tmp_path / "in").mkdir()
    for part in here.dataset.iterdir():
        (tmp_path / "in" / part.name).write_bytes(part.read_bytes())

    class Meddling:
        def each(self, do: Any, pieces: Any) -> Any:
            (tmp_path / "in" / "part-00001.parquet").write_bytes(b"")
            return crew.each(do, pieces)

    wish = Wish(unknown="keep", offline=True)
    with pytest.raises(InputError, match=r"part-00001\.parquet"):
        filter_dataset(here.client, [tmp_path / "in"], tmp_path / "out", REQUEST, wish, crew=Meddling())
    assert not (tmp_path / "out").exists()
