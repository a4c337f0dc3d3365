"""``python -m tests.engines``: as many rows as wanted on one machine, on Ray and on Spark, each losing a worker midway.

``LICET_ENGINE_ROWS`` (10,000,000) in ``LICET_ENGINE_PARTS`` (16) files. Exit 1 where the three do not come to the same,
or a verdict is on no row. Writes ``build/engines/report.json``.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from licet import Request, Wish
from licet.datasets.filtering.build import Filtered
from licet.datasets.results.manifest import read_manifest
from licet.decisions import VERDICTS
from tests.engines import clusters
from tests.engines.addresses import client_of, register, write_parts
from tests.engines.test_clusters import Killing
from tests.sdk.datasets.registry import Registry

REQUEST = Request(uses=["train-gen"], at="2026-11-22T12:00:00.000Z")
WISH = Wish(unknown="keep", offline=True)


def main() -> int:
    """Run all three and compare what they came to."""
    rows = int(os.environ.get("LICET_ENGINE_ROWS", "10000000"))
    parts = int(os.environ.get("LICET_ENGINE_PARTS", "16"))
    every = max(1, rows // 100_000)
    report: dict[str, Any] = {"rows": rows, "parts": parts, "load": list(os.getloadavg())}
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        with told(report, "dataset"):
            dataset = write_parts(folder / "in", rows, parts, every)
        (folder / "registry").mkdir()
        registry = stack.enter_context(Registry(folder / "registry").serving())
        with told(report, "index"):
            report["works"] = register(registry, rows, every)
            client = stack.enter_context(client_of(registry, folder / "home"))
        with told(report, "one machine"):
            one = client.filter_dataset([dataset], folder / "one", REQUEST, WISH)
        found = {"one machine": stated(one)}
        report["counts"] = one.counts
        shutil.rmtree(folder / "one")
        report["resident"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        for engine in sys.argv[1:] or ["ray", "spark"]:
            cluster = clusters.ray_cluster if engine == "ray" else clusters.spark_cluster
            kind = clusters.RAY_WORKER if engine == "ray" else clusters.SPARK_WORKER
            with cluster() as running:
                killing = Killing(kind, rows // 3)
                with told(report, engine):
                    done = _filtered(engine, running, client, dataset, folder / engine, killing)
            found[engine] = stated(done)
            report[f"{engine} lost process"] = killing.killed is not None
            shutil.rmtree(folder / engine)
    roots = {engine: each["decisions_root"] for engine, each in found.items()}
    report["decisions_root"] = roots
    same = len({msgspec.json.encode(each) for each in found.values()}) == 1
    report["same"] = same
    target = Path("build/engines/report.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    print(msgspec.json.format(msgspec.json.encode(report)).decode())
    mixed = all(one.counts[verdict] for verdict in VERDICTS)
    lost = all(report[f"{engine} lost process"] for engine in found if engine != "one machine")
    return 0 if same and lost and mixed else 1


def stated(done: Filtered) -> dict[str, Any]:
    """Return what a manifest says that must not depend on who did the work."""
    payload = read_manifest(Path(done.manifest)).payload
    names = ("decisions_root", "rows", "kept", "counts", "parts", "snapshot", "use")
    return {name: msgspec.to_builtins(getattr(payload, name)) for name in names}


@contextlib.contextmanager
def told(report: dict[str, Any], what: str) -> Iterator[None]:
    """Note how long something took."""
    begun = time.monotonic()
    yield
    report.setdefault("seconds", {})[what] = round(time.monotonic() - begun, 1)
    print(f"{what}: {report['seconds'][what]} s", file=sys.stderr, flush=True)


def _filtered(engine: str, running: Any, client: Any, dataset: Path, out: Path, killing: Killing) -> Filtered:
    if engine == "ray":
        from licet.engines import ray

        return ray.filter_dataset(client, [dataset], out, REQUEST, WISH, workers=2, advance=killing)
    from licet.engines import spark

    return spark.filter_dataset(client, [dataset], out, REQUEST, WISH, spark=running, advance=killing)


if __name__ == "__main__":
    sys.exit(main())
