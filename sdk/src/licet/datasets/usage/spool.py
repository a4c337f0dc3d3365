"""Usage that is still to be sent: events and statements, kept in SQLite until the registry has acknowledged them.

Everything is on the disk before anything is sent (write-ahead log, full sync). Events are cut into batches of at most
65,536; a batch gets its id, its secret and its signature once, so sending it again after a lost answer is sending the
same bytes. An event that is spooled twice is one event: its id is its key here as it is at the registry.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, TypeVar

import msgspec

from licet import canonical, times
from licet.client import Client
from licet.errors import BudgetError, ConflictError, InputError, LicetError
from licet.identifiers import new_id
from licet.private import make_private
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.keys import SigningKey
from licet.statements.kinds import Event, RegistryRef, UsageBatch
from licet.statements.licences import SECRET_BYTES, events_root
from licet.statements.owed import totals
from licet.statements.receipt import verify_receipt
from licet.wire.common import Receipt

MAX_EVENTS: Final = 65_536
_SCHEMA: Final = """
create table if not exists statements (
    digest text primary key, organisation text not null, kind text not null, subject text not null,
    envelope blob not null, added_at text not null, sent_at text, receipt blob, problem text
) strict;
create unique index if not exists statements_subject on statements (organisation, kind, subject);
create table if not exists batches (
    batch text primary key, organisation text not null, report text not null, envelope blob not null,
    secret text not null, cut_at text not null, sent_at text, answer blob, problem text
) strict;
create table if not exists events (
    id text primary key, organisation text not null, report text not null, dataset text, snapshot text,
    event blob not null, currency text, amount integer not null, batch text references batches (batch)
) strict;
create index if not exists events_waiting on events (organisation, report) where batch is null;
create index if not exists events_batch on events (batch);
create table if not exists runs (
    organisation text not null, dataset text not null, run text not null, model text not null, version text not null,
    reported_at text not null, primary key (organisation, dataset, run, model, version)
) strict;
"""

T = TypeVar("T")
StatementKind = Literal["dataset-manifest", "run"]


class Owed(msgspec.Struct, frozen=True):
    """An event and what it is owed: micro-units of ``currency``, nothing where it is free."""

    event: Event
    currency: str | None
    amount: int


class Report(msgspec.Struct, frozen=True):
    """Everything that one call spools at once: statements by (kind, subject), events with what they are owed.

    ``name`` is what the call reports; events of one name share batches, of two names they never do.
    """

    organisation: str
    name: str
    dataset: str | None
    snapshot: str | None
    statements: list[tuple[StatementKind, str, Envelope]]
    events: list[Owed]
    run: tuple[str, str, str] | None = None  # its name, model and version, for later re-checks


class Sent(msgspec.Struct, frozen=True):
    """A batch that the registry took: how many of its events had an effect, were known, are outside a licence."""

    batch: str
    report: str
    new: int
    known: int
    memorandum: int


class Pushed(msgspec.Struct, frozen=True):
    """What a push came to: the batches and the number of statements that were taken, and the events still here."""

    batches: list[Sent]
    statements: int
    left: int


class Status(msgspec.Struct, frozen=True):
    """What is in the spool. ``refused`` are the batches and statements that the registry will not take, with why."""

    waiting_events: int
    waiting_batches: int
    waiting_statements: int
    sent_events: int
    sent_batches: int
    last_sent_at: str | None
    refused: list[dict[str, str]]


class Spool:
    """The spool of one home. Any number of processes may use it; what it returns from is on the disk."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        try:
            make_private(path.parent)
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise InputError(f"{path}: expected the usage spool, got {error}") from None
        try:
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            self._db.close()
            raise InputError(f"{path}: expected the usage spool, got {error}") from None

    def add(self, report: Report) -> int:
        """Keep everything in ``report``, all or nothing; return how many of its events were not here yet.

        A statement about a subject that has one already is left out: the first one stands, so that it is sent the same
        however often a run is reported.
        """
        now = times.to_text(times.now())
        with self._transaction() as db:
            for kind, subject, envelope in report.statements:
                row = (envelope.payload_digest, report.organisation, kind, subject, envelopes.encode(envelope), now)
                db.execute(
                    "insert or ignore into statements (digest, organisation, kind, subject, envelope, added_at)"
                    " values (?, ?, ?, ?, ?, ?)",
                    row,
                )
            if report.run is not None:
                db.execute(
                    "insert or ignore into runs values (?, ?, ?, ?, ?, ?)",
                    (report.organisation, report.dataset or "", *report.run, now),
                )
            before = db.total_changes
            db.executemany(
                "insert or ignore into events (id, organisation, report, dataset, snapshot, event, currency, amount)"
                " values (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        each.event.id,
                        report.organisation,
                        report.name,
                        report.dataset,
                        report.snapshot,
                        canonical.encode(each.event),
                        each.currency,
                        each.amount,
                    )
                    for each in report.events
                ],
            )
            return db.total_changes - before

    def runs_of(self, dataset: str) -> list[dict[str, Any]]:
        """Return the runs on ``dataset`` that were reported from here: model, version, run, when."""
        rows = self._db.execute(
            "select model, version, run, reported_at from runs where dataset = ? order by reported_at, run", (dataset,)
        )
        return [dict(zip(("model", "version", "run", "reported_at"), row, strict=True)) for row in rows]

    def receipt(self, organisation: str, kind: StatementKind, subject: str) -> Receipt | None:
        """Return the registry's receipt for a statement, once it has been acknowledged."""
        row = self._db.execute(
            "select receipt from statements where organisation = ? and kind = ? and subject = ?",
            (organisation, kind, subject),
        ).fetchone()
        return None if row is None or row[0] is None else msgspec.json.decode(row[0], type=Receipt)

    def reported(self, organisation: str, name: str) -> list[Owed]:
        """Return every event that was spooled under ``name``, sent or not, with what it is owed."""
        rows = self._db.execute(
            "select event, currency, amount from events where organisation = ? and report = ? order by id",
            (organisation, name),
        )
        return [Owed(canonical.decode_as(Event, event), currency, amount) for event, currency, amount in rows]

    def acknowledged(self, ids: Sequence[str]) -> set[str]:
        """Return which of these events were sent from here and acknowledged."""
        found: set[str] = set()
        for start in range(0, len(ids), 500):
            some = list(ids[start : start + 500])
            marks = ", ".join("?" * len(some))
            rows = self._db.execute(
                "select e.id from events e join batches b on b.batch = e.batch"  # noqa: S608 - question marks alone
                f" where b.sent_at is not null and e.id in ({marks})",
                some,
            )
            found |= {row[0] for row in rows}
        return found

    def cut(self, organisation: str, genesis: str, registry: RegistryRef, key: SigningKey) -> int:
        """Make batches of all waiting events of ``organisation``, signed with its ``key``; return how many."""
        made = 0
        with self._transaction() as db:
            reports = db.execute(
                "select distinct report from events where organisation = ? and batch is null order by report",
                (organisation,),
            ).fetchall()
            for (report,) in reports:
                while rows := db.execute(_WAITING, (organisation, report, MAX_EVENTS)).fetchall():
                    batch, envelope, secret = _sealed(organisation, genesis, registry, key, rows)
                    db.execute(
                        "insert into batches (batch, organisation, report, envelope, secret, cut_at)"
                        " values (?, ?, ?, ?, ?, ?)",
                        (batch, organisation, report, envelopes.encode(envelope), secret, times.to_text(times.now())),
                    )
                    db.executemany("update events set batch = ? where id = ?", [(batch, row[0]) for row in rows])
                    made += 1
        return made

    def push(self, client: Client, advance: Callable[[int], None] = lambda _: None) -> Pushed:
        """Return once everything that waits is sent and acknowledged.

        Statements go first, in the order in which they came. What the registry refuses is marked with the reason and
        does not hold up the rest; it is tried again by the next push. Raises the first refusal at the end, and at once
        what every further call would meet too (no network, no permission).
        """
        profile = client.need_account()
        account = profile.account
        assert account is not None
        key = SigningKey.load(profile.key_path)
        self.cut(account.account, account.genesis, client.registry_ref(), key)
        refused: list[LicetError] = []
        statements = 0
        for digest, kind, data in self._waiting(account.account, "digest, kind, envelope", "statements", "rowid"):
            envelope = envelopes.parse(data)
            send = client.log_dataset if kind == "dataset-manifest" else client.log_run
            logged = self._send("statements", "digest", digest, partial(send, envelope), refused)
            if logged is not None:
                # The registry may know this run by an earlier envelope of ours: then its receipt is for that one.
                self._acknowledge("statements", "digest", digest, "receipt", logged.receipt)
                statements += 1
        batches = []
        columns = "batch, report, envelope, secret"
        for batch, report, data, secret in self._waiting(account.account, columns, "batches", "cut_at, batch"):
            envelope, events = envelopes.parse(data), self._events(batch)
            submit = partial(client.submit_usage, envelope, events, secret)
            accepted = self._send("batches", "batch", batch, submit, refused)
            if accepted is not None:
                verify_receipt(accepted.receipt, envelope, client.working_keys())
                self._acknowledge("batches", "batch", batch, "answer", accepted)
                batches.append(Sent(batch, report, accepted.new, accepted.known, accepted.memorandum))
                advance(len(events))
        if refused:
            raise refused[0]
        return Pushed(batches, statements, self.status().waiting_events)

    def status(self) -> Status:
        """Return what waits, what was sent and what was refused."""

        def one(query: str) -> Any:
            return self._db.execute(query).fetchone()[0]

        unsent = "(batch is null or batch in (select batch from batches where sent_at is null))"
        refused = self._db.execute(
            "select 'batch', batch, problem from batches where problem is not null and sent_at is null"
            " union all select kind, subject, problem from statements where problem is not null and sent_at is null"
        )
        waiting = one(f"select count(*) from events where {unsent}")  # noqa: S608 - no value in it
        return Status(
            waiting_events=waiting,
            waiting_batches=one("select count(*) from batches where sent_at is null"),
            waiting_statements=one("select count(*) from statements where sent_at is null"),
            sent_events=one("select count(*) from events") - waiting,
            sent_batches=one("select count(*) from batches where sent_at is not null"),
            last_sent_at=one("select max(sent_at) from batches"),
            refused=[dict(zip(("kind", "subject", "problem"), row, strict=True)) for row in refused],
        )

    def _waiting(self, organisation: str, columns: str, table: str, order: str) -> list[tuple[Any, ...]]:
        query = f"select {columns} from {table} where organisation = ? and sent_at is null order by {order}"  # noqa: S608
        return self._db.execute(query, (organisation,)).fetchall()

    def _events(self, batch: str) -> list[Event]:
        rows = self._db.execute("select event from events where batch = ? order by id", (batch,))
        return [canonical.decode_as(Event, row[0]) for row in rows]

    def _send(self, table: str, column: str, value: str, send: Callable[[], T], refused: list[LicetError]) -> T | None:
        """Return the answer, or None for a refusal, which is marked and gathered."""
        try:
            return send()
        except (InputError, ConflictError, BudgetError) as error:
            self._db.execute(f"update {table} set problem = ? where {column} = ?", (error.message, value))  # noqa: S608
            refused.append(error)
            return None

    def _acknowledge(self, table: str, column: str, value: str, kept: str, answer: msgspec.Struct) -> None:
        self._db.execute(
            f"update {table} set sent_at = ?, problem = null, {kept} = ? where {column} = ?",  # noqa: S608 - our names
            (times.to_text(times.now()), msgspec.json.encode(answer), value),
        )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        # Immediate: two processes that cut batches do so one after the other.
        try:
            self._db.execute("begin immediate")
            try:
                yield self._db
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")
        except sqlite3.Error as error:
            raise InputError(f"{self.path}: expected to write usage there, got {error}") from None

    def close(self) -> None:
        """Give back the file."""
        self._db.close()

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_WAITING: Final = (
    "select id, event, currency, amount, dataset, snapshot from events"
    " where organisation = ? and report = ? and batch is null order by id limit ?"
)


def _sealed(
    organisation: str, genesis: str, registry: RegistryRef, key: SigningKey, rows: Sequence[tuple[Any, ...]]
) -> tuple[str, Envelope, str]:
    """Return the id, the signed envelope and the secret of a batch of waiting events."""
    events = [canonical.decode_as(Event, row[1]) for row in rows]
    secret = os.urandom(SECRET_BYTES)
    payload = UsageBatch(
        registry=registry,
        organisation=organisation,
        genesis=genesis,
        batch=new_id("bat"),
        dataset=rows[0][4],
        count=len(events),
        event_root=events_root(secret, events),
        totals=totals((row[2], event.work, row[3]) for row, event in zip(rows, events, strict=True)),
        snapshot=rows[0][5],
        first_at=min(event.at for event in events),
        last_at=max(event.at for event in events),
        issued_at=times.to_text(times.now()),
    )
    return payload.batch, envelopes.seal(payload, key), canonical.to_base64(secret)
