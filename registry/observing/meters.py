"""Every number that the service counts by itself, named after the domain; what `/metrics` prints and docs list.

Labels take only values from lists of ours (a route's template, a kind, a verdict), never what a caller writes. Where
several processes serve one data folder they count into files of ``DATA/metrics``, and whichever is asked adds all of
them up, the worker's too: the answer is true for all processes of the machine.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

FOLDER: Final = "metrics"  # below the data folder
_ALIVE: Final = ".alive"  # a file of each process that counts, from before it has counted anything
_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"  # where the library expects the folder
_SECONDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Meter(NamedTuple):
    """One number: its name as Prometheus knows it, what it is, and the labels it comes with."""

    name: str
    kind: str  # counter, gauge, histogram
    about: str
    labels: tuple[str, ...] = ()


COUNTED: Final = (
    Meter("licet_requests_total", "counter", "Requests answered.", ("method", "route", "status")),
    Meter("licet_request_seconds", "histogram", "Time to answer a request, in seconds.", ("method", "route")),
    Meter("licet_quota_refusals_total", "counter", "Requests refused because a quota was used up.", ("route",)),
    Meter("licet_statements_accepted_total", "counter", "Statements accepted for the log.", ("kind",)),
    Meter("licet_uploads_total", "counter", "Pictures sent: accepted or refused.", ("outcome",)),
    Meter("licet_verdicts_total", "counter", "Verdicts given on rows and keys.", ("verdict",)),
    Meter("licet_keys_looked_up_total", "counter", "Keys looked up by binary query."),
    Meter("licet_snapshots_refused_total", "counter", "Snapshots whose files were not there or not as signed."),
    Meter("licet_quotes_total", "counter", "Quotes asked for: offered, or empty.", ("outcome",)),
    Meter("licet_licences_granted_total", "counter", "Licences granted."),
    Meter("licet_usage_events_total", "counter", "Events of usage batches: new, known, memorandum.", ("outcome",)),
    Meter("licet_ledger_postings_total", "counter", "Transfers posted to the ledger."),
    Meter("licet_invoices_failed_total", "counter", "Organisations that could not be invoiced; the log says why."),
    Meter("licet_loop_runs_total", "counter", "Times that a loop of the worker was started.", ("loop",)),
    Meter("licet_loop_failures_total", "counter", "Times that a loop of the worker failed.", ("loop",)),
    Meter("licet_database_connections_in_use", "gauge", "Connections to the database in use."),
    Meter("licet_database_connections_waiting", "gauge", "Tasks that wait for a connection to the database."),
)
# Read from the database when asked: true whichever process answers.
READ: Final = (
    Meter("licet_database_up", "gauge", "1 if the database answers."),
    Meter("licet_log_size", "gauge", "Entries of the published log."),
    Meter("licet_log_pending", "gauge", "Statements that wait for the sequencer or for publication."),
    Meter("licet_log_lag_seconds", "gauge", "Age of the oldest statement that waits for the sequencer."),
    Meter("licet_archive_behind_bytes", "gauge", "Bytes of the database's own log that are not archived yet."),
    Meter("licet_agreements_left_out", "gauge", "Charges of agreements that closes left out and will try again."),
    Meter("licet_reviews_late", "gauge", "Appealed decisions that nobody has reviewed in time."),
    Meter("licet_snapshot_sequence", "gauge", "Number of the newest snapshot."),
    Meter("licet_index_sequence", "gauge", "Snapshot that this process answers from; 0 for the database alone."),
    Meter("licet_index_applied_works", "gauge", "Works that this process applied over the snapshot it answers from."),
    Meter("licet_snapshot_age_seconds", "gauge", "Age of the newest snapshot."),
    Meter("licet_snapshot_expires_seconds", "gauge", "Time until the newest snapshot expires; negative afterwards."),
)

_Tally = list[tuple[str, tuple[str, ...], int]]
_tally: ContextVar[_Tally | None] = ContextVar("tally", default=None)


class Meters:
    """The numbers of one process, shared with the others of its data folder after `share`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._shared = os.environ.get(_VARIABLE)
        self._made: dict[str, Any] = {meter.name: self._make(meter) for meter in COUNTED}
        self._labelled: dict[tuple[str, tuple[str, ...]], Any] = {}  # what the library would look up each time

    def count(self, name: str, *labels: str, by: float = 1) -> None:
        """The counter has gone up, or the gauge moved, by ``by``."""
        self._of(name, labels).inc(by)

    def observe(self, name: str, *labels: str, seconds: float) -> None:
        """The histogram has one more value."""
        self._of(name, labels).observe(seconds)

    def _of(self, name: str, labels: tuple[str, ...]) -> Any:
        found = self._labelled.get((name, labels))
        if found is None:
            made = self._made[name]
            found = self._labelled[name, labels] = made.labels(*labels) if labels else made
        return found

    def text(self) -> bytes:
        """Return all of it in the text form of Prometheus."""
        if self._shared is None:
            return generate_latest(self.registry)
        forget_dead(Path(self._shared))
        together = CollectorRegistry()
        MultiProcessCollector(together, path=self._shared)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def _make(self, meter: Meter) -> Any:
        if meter.kind == "counter":
            return Counter(meter.name, meter.about, meter.labels, registry=self.registry)
        if meter.kind == "histogram":
            return Histogram(meter.name, meter.about, meter.labels, buckets=_SECONDS, registry=self.registry)
        return Gauge(meter.name, meter.about, meter.labels, registry=self.registry, multiprocess_mode="livesum")


class _Read(Collector):
    """The gauges of `READ`, as they were found: never kept in a file, as a `Gauge` of several processes would be."""

    def __init__(self, found: Mapping[str, float | None]) -> None:
        self._found = found

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for meter in READ:
            value = self._found[meter.name]
            if value is not None:
                yield GaugeMetricFamily(meter.name, meter.about, value=value)


def read_text(found: Mapping[str, float | None]) -> bytes:
    """Return the gauges of `READ` that have a value in the text form of Prometheus; ``found`` names all of them."""
    asked = CollectorRegistry()
    asked.register(_Read(found))
    return generate_latest(asked)


def count_once_committed(name: str, *labels: str, by: int = 1) -> None:
    """Count when the transaction that this is called in has been committed, and never if it is not."""
    tally = _tally.get()
    if tally is not None and by:
        tally.append((name, labels, by))


class Tally:
    """What one transaction counts; `begin` before it, `end` after it in the same task."""

    def begin(self) -> None:
        """From here on `count_once_committed` counts here."""
        self._counts: _Tally = []
        self._outer = _tally.get()
        _tally.set(self._counts)

    def end(self, committed_to: Meters | None) -> None:
        """What was counted is in ``committed_to``, or forgotten for None."""
        _tally.set(self._outer)
        if committed_to is not None:
            for name, labels, by in self._counts:
                committed_to.count(name, *labels, by=by)


def share(data: Path) -> None:
    """From here on this process counts together with the others that serve the data folder.

    Processes may start side by side: one at a time looks whether another lives, and only the first starts anew.
    """
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    own = f"{_host()}-{os.getpid()}"  # by machine and process: in containers every service may be process 1
    with _alone(folder):
        if not forget_dead(folder):
            _empty(folder)
        (folder / f"{own}{_ALIVE}").touch()
    os.environ[_VARIABLE] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: own)  # type: ignore[no-untyped-call]


def start_anew(data: Path) -> None:
    """Everything that processes of the past counted is gone; call it while none of them lives."""
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        _empty(folder)


def forget_dead(folder: Path) -> int:
    """Return how many processes count into ``folder``; what those that are gone were using is given back.

    What they counted stays: a total never falls.
    """
    alive = set()
    for path in [*folder.glob(f"*{_ALIVE}"), *folder.glob("*.db")]:
        process = path.stem.rpartition("_")[2]
        host, _, number = process.rpartition("-")
        if host != _host() or _lives(int(number)):
            alive.add(process)
        elif path.suffix == _ALIVE:
            path.unlink(missing_ok=True)
        elif path.name.startswith("gauge_live"):
            with contextlib.suppress(FileNotFoundError):  # another process that was asked forgets it as well
                mark_process_dead(process, path=str(folder))  # type: ignore[no-untyped-call]
    return len(alive)


def _empty(folder: Path) -> None:
    # File by file: the folder, and the lock in it, stay where other processes have them open.
    for path in folder.iterdir():
        if path.suffix in {".db", _ALIVE}:
            path.unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _host() -> str:
    return "".join(each for each in socket.gethostname() if each.isalnum() or each == "-") or "host"
