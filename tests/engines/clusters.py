"""Real clusters on this machine, for the length of a block, and the processes that work in them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: What a worker's command line says of it.
RAY_WORKER = "ray::_Hand"
SPARK_WORKER = "CoarseGrainedExecutorBackend"


@contextmanager
def ray_cluster(cpus: int = 2) -> Iterator[Any]:
    """A Ray head with its own processes."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # asks nobody outside
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # its agents have 15 seconds to start, and compile nothing twice
    import ray

    ray.init(num_cpus=cpus, include_dashboard=False, logging_level="warning", object_store_memory=256 << 20)
    try:
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def spark_cluster(executors: int = 2) -> Iterator[Any]:
    """A Spark master and executors of one core and one gigabyte, each a Java process with Python ones below it."""
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master(f"local-cluster[{executors},1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.log.level", "ERROR")
        .config("spark.network.timeout", "600s")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "65536")
        .getOrCreate()
    )
    try:
        yield spark
    finally:
        spark.stop()


def workers(kind: str) -> list[int]:
    """The processes of this user's clusters whose command line says that they are of ``kind``, below this process."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                line = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if kind in line and os.getpid() in _ancestors(int(place.name)):
                found.append(int(place.name))
    return sorted(found)


def kill_one(kind: str) -> int:
    """Kill a worker without a word, as a machine that goes away does; return which."""
    victim = workers(kind)[0]
    os.kill(victim, signal.SIGKILL)
    return victim


def _ancestors(pid: int) -> Iterator[int]:
    while pid > 1:
        try:
            pid = int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return
        yield pid
