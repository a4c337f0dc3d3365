"""10,000 pictures in one `licet register`, interrupted half way, gone on with, and called once more, on a real service.

Takes minutes, so that `make bench` passes it over: `python -m bench registration_at_scale [COUNT]` runs it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from PIL import Image

from bench.measuring import BUILD, Figure, record
from bench.service import Running, running
from licet.client import Client
from licet.home import Home

COUNT: Final = 10_000
SIDE: Final = 512
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Spent(NamedTuple):
    """Of one command and of the service meanwhile: seconds, seconds of processors, peak MB of memory."""

    code: int
    wall: float
    client_cpu: float
    client_mb: float
    service_cpu: float
    database_cpu: float


def drawn(folder: Path, count: int) -> None:
    """Write ``count`` distinct JPEGs of 512 pixels with broad shapes, those that are there excepted."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(count)
    for number in range(count):
        rough = random.integers(0, 256, (9, 9, 3), np.uint8)
        path = folder / f"{number // 1000:03d}" / f"{number:06d}.jpg"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(rough).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(path, quality=88)


def children(root: int) -> list[tuple[int, bool, float]]:
    """Return (process, whether it is PostgreSQL, seconds of processor with those that it waited for) below ``root``."""
    below: dict[int, list[tuple[int, bool, float]]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        fields = text.rsplit(")", 1)[1].split()
        spent = sum(map(int, fields[11:15])) / _TICKS
        below.setdefault(int(fields[1]), []).append((int(stat.parent.name), "(postgres" in text, spent))
    found, waiting = [], [root]
    while waiting:
        for each in below.get(waiting.pop(), []):
            found.append(each)
            waiting.append(each[0])
    return found


def peaks(root: int) -> list[int]:
    """Return the peak memory of each process of the service that is Python's, in MB, largest first."""
    found = []
    for process, database, _ in children(root):
        lines = {} if database else _status(process)
        found.append(int(lines.get("VmHWM", "0 kB").split()[0]) // 1024)
    return sorted((each for each in found if each), reverse=True)


def _status(process: int) -> dict[str, str]:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def uploaded(service: Running) -> int:
    """Return how many pictures the service has taken in, as it counts them itself."""
    with urllib.request.urlopen(f"{service.url}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith("licet_uploads_total{"))


def command(service: Running, folder: Path, stop_at: int | None = None) -> tuple[Spent, dict[str, Any]]:
    """Run `licet register` on ``folder``; with ``stop_at``, Ctrl-C once so many pictures arrived."""
    binary = Path(sys.executable).parent / "licet"
    environment = {**os.environ, "LICET_URL": service.url, "LICET_HOME": str(service.home)}
    before, started = children(os.getpid()), time.perf_counter()
    process = subprocess.Popen(
        [str(binary), "register", str(folder), "--profile", "mei", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    out: list[bytes] = []
    assert process.stdout is not None
    reading = threading.Thread(target=lambda: out.append(process.stdout.read()))  # type: ignore[union-attr]
    reading.start()
    if stop_at is not None:
        while uploaded(service) < stop_at and process.poll() is None:
            time.sleep(0.5)
        process.send_signal(signal.SIGINT)
    reading.join()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall, after = time.perf_counter() - started, children(os.getpid())
    spent = {
        database: sum(each[2] for each in after if each[1] == database)
        - sum(each[2] for each in before if each[1] == database)
        for database in (False, True)
    }
    return (
        Spent(
            process.returncode, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, spent[False], spent[True]
        ),
        json.loads(out[0]),
    )


def main() -> None:
    """Measure the three calls; what they did is read back from the registry, not from what they say."""
    count = int(sys.argv[2]) if len(sys.argv) > 2 else COUNT
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background commands would inherit deafness
    folder = BUILD / "registration_at_scale" / f"pictures-{count}"
    drawn(folder, count)
    with running(BUILD / "registration_at_scale" / "service") as service:
        service.client("artist", "mei").close()
        stopped, told = command(service, folder, stop_at=count // 2)
        assert (stopped.code, told["error"]["code"]) == (130, "interrupted"), (stopped, told)
        print(f"interrupted: {stopped}", file=sys.stderr, flush=True)
        finished, done = command(service, folder)
        print(f"gone on: {finished}", file=sys.stderr, flush=True)
        assert finished.code == 0, done
        assert (len(done["works"]), len(done["statements"]), done["refused"]) == (count, 1, []), len(done["works"])
        again, idle = command(service, folder)
        assert (again.code, len(idle["duplicates"]), idle["statements"]) == (0, count, [])
        with Client(service.url, home=Home(service.home), profile="mei") as client:
            works = list(client.works())
        assert len({work.sha256 for work in works}) == len(works) == count
        assert {work.statement for work in works} == {done["statement"]}
        facts = {"service_mb": peaks(os.getpid()), "sent": uploaded(service)}
    calls = {"interrupted half way": stopped, "gone on to the end": finished, "called once more": again}
    record(
        "registration_at_scale", "pictures", {name: Figure([each.wall], count) for name, each in calls.items()},
        pictures=count, size=f"{SIDE}×{SIDE} JPEG", statements=1, **facts,
        **{name: {key: round(value, 1) for key, value in each._asdict().items()} for name, each in calls.items()},
    )  # fmt: skip


if __name__ == "__main__":
    main()
