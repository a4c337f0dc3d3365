"""What a job heard from others about its rows: in figures for the manifest, and host by host for people."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import msgspec
import numpy as np
import pyarrow as pa

from licet import times
from licet.client import Client
from licet.counted import many
from licet.datasets.examining.deciding import Question
from licet.datasets.examining.signalled import FROM_FILE, FROM_HEADERS, FROM_SITE, MISSED, Reading, hear
from licet.datasets.examining.signalling import SignalReader
from licet.datasets.filtering.job import Job
from licet.decisions import VERDICTS
from licet.signals.visiting import Visitor
from licet.statements.kinds import SignalsRead

MOST_HOSTS: Final = 100_000  # that are told apart
SHOWN_HOSTS: Final = 20
_OTHERS: Final = "others"
_SAID: Final = ("deny", "review", "license")


class Host(msgspec.Struct, kw_only=True):
    """What is said about the ``rows`` of one host, for what was asked: how many are restricted, and how."""

    host: str
    rows: int = 0
    deny: int = 0
    review: int = 0
    license: int = 0
    permits: int = 0
    missed: int = 0

    @property
    def restricted(self) -> int:
        """Rows that something keeps from being free for the taking."""
        return self.deny + self.review + self.license


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What others say about a dataset, in rows. ``nothing``: rows with neither file, headers nor address to look at;
    ``missed``: rows whose address nobody was asked about. ``hosts`` are those with the most restricted rows."""

    read: SignalsRead
    files: int
    headers: int
    addresses: int
    hosts: list[Host]
    more_hosts: int


def reading(signals: bool, *, offline: bool) -> Reading | None:
    """Return where signals are read, if they are."""
    if not signals:
        return None
    return "files" if offline else "web"


@contextmanager
def reader_of(client: Client, how: Reading | None) -> Iterator[SignalReader | None]:
    """Give what reads signals as a job asks for; raises ``InputError`` without ``licet[signals]``.

    What is fetched is kept in the home, where `licet signals` has it too.
    """
    if how is None:
        yield None
        return
    cache = client.home.folder / "signals.sqlite"
    if how == "files" and not cache.exists():
        yield SignalReader(None)
        return
    # For tests: a server on this machine, and no other host.
    loopback = os.environ.get("LICET_SIGNALS_LOOPBACK") == "1"
    with Visitor(cache, fetch=how == "web", loopback=loopback) as visitor:
        yield SignalReader(visitor)


def told_of(job: Job, parts: Iterable[int], question: Question) -> Told | None:
    """Return what was heard about all rows of a scanned job; None where nobody listened."""
    if question.signals is None:
        return None
    hosts: dict[str, Host] = {}
    rows = restricted = nothing = missed = files = headers = addresses = 0
    first, last = np.iinfo(np.int64).max, 0
    for part in parts:
        batch = 0
        while (evidence := job.evidence(part, batch)) is not None:
            batch += 1
            signalled = evidence.signals
            assert signalled is not None
            heard = hear(signalled, question.request.uses)
            looked = signalled.sources & (FROM_FILE | FROM_HEADERS | FROM_SITE) != 0
            left = signalled.sources & MISSED != 0
            rows += int(looked.sum())
            missed += int(left.sum())
            nothing += int((~looked & ~left).sum())
            restricted += int((heard.verdict > 0).sum())
            files += int((signalled.sources & FROM_FILE != 0).sum())
            headers += int((signalled.sources & FROM_HEADERS != 0).sum())
            addresses += int((signalled.sources & FROM_SITE != 0).sum())
            when = signalled.at[signalled.at > 0]
            if len(when):
                first, last = min(first, int(when.min())), max(last, int(when.max()))
            names = _hosts(evidence.addresses, len(evidence))
            each = zip(names, heard.verdict.tolist(), heard.permits.tolist(), left.tolist(), strict=True)
            for name, code, permits, gone in each:
                if name is not None:
                    _count(hosts, name, code, permits=permits, missed=gone)
    shown = sorted(hosts.values(), key=lambda each: (-each.restricted, -each.missed, -each.rows, each.host))
    return Told(
        read=SignalsRead(
            read=question.signals,
            rows=rows,
            restricted=restricted,
            missed=missed,
            nothing=nothing,
            first_at=_text(first) if last else None,
            last_at=_text(last) if last else None,
        ),
        files=files,
        headers=headers,
        addresses=addresses,
        hosts=shown[:SHOWN_HOSTS],
        more_hosts=max(0, len(shown) - SHOWN_HOSTS),
    )


def sentences(told: Told) -> Iterator[str]:
    """Yield what a person reads of it."""
    read = told.read
    ways = [
        many(count, what)
        for count, what in ((told.files, "file"), (told.headers, "row of headers"), (told.addresses, "address"))
        if count
    ]
    when = "" if read.first_at is None else f", seen from {read.first_at} to {read.last_at}"
    yield f"Signals of others: read of {many(read.rows, 'row')} ({', '.join(ways) or 'nothing'}){when}."
    yield f"  {read.restricted:,} of them restrict what was asked for."
    if read.missed:
        yield f"  {many(read.missed, 'row')} whose address nobody was asked about: without --offline it is."
    if read.nothing:
        yield f"  {many(read.nothing, 'row')} with neither file, headers nor address: nobody could be asked."
    for each in told.hosts:
        said = [f"{getattr(each, name):,} {name}" for name in _SAID if getattr(each, name)]
        said += [f"{each.permits:,} permitted by the publisher"] if each.permits else []
        said += [f"{each.missed:,} not asked"] if each.missed else []
        yield f"  {each.host}: {many(each.rows, 'row')}, {', '.join(said) or 'nothing said'}"
    if told.more_hosts:
        yield f"  and {told.more_hosts:,} more hosts"


def _count(hosts: dict[str, Host], name: str, code: int, *, permits: bool, missed: bool) -> None:
    if name not in hosts and len(hosts) >= MOST_HOSTS:
        name = _OTHERS
    host = hosts.get(name) or hosts.setdefault(name, Host(host=name))
    host.rows += 1
    host.permits += permits
    host.missed += missed
    verdict = VERDICTS[code] if code else None
    if verdict in _SAID:
        setattr(host, verdict, getattr(host, verdict) + 1)


def _hosts(addresses: pa.Array | None, n: int) -> Iterator[str | None]:
    if addresses is None:
        yield from (None for _ in range(n))
        return
    for url in addresses.to_pylist():
        try:
            yield urlsplit(url).hostname if url else None
        except ValueError:
            yield None


def _text(seconds: int) -> str:
    return times.to_text(datetime.fromtimestamp(seconds, tz=UTC))
