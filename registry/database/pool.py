"""Connections to PostgreSQL, and the unit of work: one transaction per call of a service."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import (
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from datetime import timedelta
from typing import Any, Self, TypeVar, cast
from urllib.parse import urlsplit

import asyncpg

from registry.database.connection import Connection, Isolation, Row
from registry.database.lending import Lending, is_lost
from registry.errors import DatabaseUnavailable, RegistryError, StartError
from registry.observing import tracing
from registry.observing.meters import Meters, Tally

T = TypeVar("T")
MINIMUM = 16
_ACQUIRE_SECONDS = 10.0
_CONNECT_SECONDS = 15.0
_CLOSE_SECONDS = 5.0
TOLD_AFTER = 0.1  # seconds until gauges show a change
_RELEASE_SECONDS = 2.0  # for the server to hear that nobody waits for a statement any longer
_IDLE_IN_TRANSACTION = timedelta(seconds=60)

# After these nothing more can be done in the transaction, or all of it is to be done again.
FATAL = (asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.TransactionRollbackError, OSError)
# A transaction that lost against another one and left nothing: doing it again is right.
_LOST = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
# The server or the way to it is gone, or it would not answer in time.
_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # the primary became a standby under us
    asyncpg.DiskFullError,  # nothing was kept: once there is room, the same goes through
    asyncpg.PostgresIOError,
    asyncpg.OutOfMemoryError,
)
# The server answers, and will not have us until somebody changes the address or the server.
_REFUSES = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)
# What using or closing a connection that is dying may raise.
_BROKEN = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)


_afterwards: dict[int, list[Callable[[Database], None]]] = {}  # by the id of a connection, while its transaction lasts


class Database:
    """A pool of connections to one PostgreSQL ≥ 16, used by one event loop."""

    def __init__(self, dsn: str, pool: Any, settings: dict[str, str]) -> None:
        self.dsn = dsn
        self._lending = Lending(pool)
        self._settings = settings
        self._told = {"in_use": 0, "waiting": 0}  # what the gauges say
        self._telling: asyncio.TimerHandle | None = None
        self.meters: Meters | None = None  # what counts the connections, and what transactions counted

    @classmethod
    async def connect(
        cls,
        dsn: str,
        *,
        connections: int = 10,
        statement_timeout: timedelta = timedelta(seconds=30),
        name: str = "licet-registry",
    ) -> Self:
        """Return the open pool: connections are made as they are needed, at most ``connections``.

        Every statement ends after ``statement_timeout``. Raises ``StartError`` that says what to do if the server
        refuses us, is older than 16, is a read-only standby or does not store UTF-8, ``DatabaseUnavailable`` if it
        does not answer.
        """
        settings = {
            "application_name": name,
            "timezone": "UTC",
            "jit": "off",
            "statement_timeout": _milliseconds(statement_timeout),
            "idle_in_transaction_session_timeout": _milliseconds(_IDLE_IN_TRANSACTION),
        }
        with _reaching(dsn):
            pool = await asyncpg.create_pool(
                dsn,
                min_size=0,
                max_size=connections,
                server_settings=settings,
                timeout=_CONNECT_SECONDS,
                reset=_nothing_to_reset,
            )
        database = cls(dsn, pool, settings)
        try:
            async with database.acquire() as connection:
                await _check_server(connection, dsn)
        except BaseException:
            await database.close()
            raise
        return database

    async def close(self) -> None:
        """Every connection is closed; those in use are given some seconds, then cut."""
        await self._lending.close(_CLOSE_SECONDS)
        if self._telling is not None:
            self._telling.cancel()
            self._tell()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """Yield a connection without a transaction. Raises ``DatabaseUnavailable``."""
        lending = self._lending
        connection = lending.at_once()
        if connection is None:
            self._moved()
            with _reaching(self.dsn):
                connection = await lending.wait(_ACQUIRE_SECONDS)
        self._moved()
        sound = False
        try:
            with _losing(connection), _traced(connection):
                yield cast("Connection", connection)
            sound = True
        finally:
            # The work is done or has failed already; a connection that breaks while it is reset is thrown away.
            with suppress(*_BROKEN):
                await lending.give_back(connection, sound=sound, seconds=_RELEASE_SECONDS)
            self._moved()

    @asynccontextmanager
    async def transaction(
        self, *, isolation: Isolation = "read_committed", readonly: bool = False
    ) -> AsyncIterator[Connection]:
        """Yield a connection inside a transaction: committed when the block ends, rolled back when it raises.

        Raises ``DatabaseUnavailable``; when the connection broke during the commit, whether it took effect is
        not known, so writes must be safe to send again.
        """
        tally = Tally()
        tally.begin()
        committed_to = None
        afterwards: list[Callable[[Database], None]] = []
        try:
            async with self.acquire() as connection:
                _afterwards[id(connection)] = afterwards
                try:
                    async with connection.transaction(isolation=isolation, readonly=readonly):
                        yield connection
                finally:
                    del _afterwards[id(connection)]
            committed_to = self.meters
        finally:
            tally.end(committed_to)
        for call in afterwards:
            call(self)

    async def run(
        self,
        work: Callable[[Connection], Awaitable[T]],
        *,
        isolation: Isolation = "read_committed",
        attempts: int = 5,
    ) -> T:
        """Return what ``work`` returned in a transaction that was committed.

        Lost to a deadlock or a serialization failure, the whole of ``work`` is done again, at most ``attempts``
        times in all, so it must do nothing but use its connection. Raises ``DatabaseUnavailable`` after the last.
        """
        for attempt in range(1, attempts + 1):
            try:
                async with self.transaction(isolation=isolation) as connection:
                    return await work(connection)
            except _LOST as error:
                if attempt == attempts:
                    raise DatabaseUnavailable(f"the database was too busy: {error}") from error
            await asyncio.sleep(random.uniform(0.0, 0.02 * 2**attempt))  # noqa: S311  # jitter, not a secret
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def dedicated(self) -> AsyncIterator[Connection]:
        """Yield a connection outside the pool, for LISTEN and session locks; closed when the block ends."""
        with _reaching(self.dsn):
            connection = await asyncpg.connect(self.dsn, server_settings=self._settings, timeout=_CONNECT_SECONDS)
        try:
            with _losing(connection), _traced(connection):
                yield cast("Connection", connection)
        finally:
            await _close(connection)

    def _moved(self) -> None:
        """The gauges will say how many connections are in use and waited for, soon: not each time that one moves."""
        if self._telling is None and self.meters is not None:
            self._telling = asyncio.get_running_loop().call_later(TOLD_AFTER, self._tell)

    def _tell(self) -> None:
        self._telling = None
        if self.meters is not None:
            for what, now in (("in_use", self._lending.lent), ("waiting", self._lending.waiting)):
                if now != self._told[what]:
                    self.meters.count(f"licet_database_connections_{what}", by=now - self._told[what])
                    self._told[what] = now


@asynccontextmanager
async def answering(seconds: float) -> AsyncIterator[None]:
    """Run a block that asks the database; raises ``DatabaseUnavailable`` where it takes longer than ``seconds``.

    A server that is cut off from us does not refuse: without this, whoever asks waits for as long as the network does.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise DatabaseUnavailable(f"the database did not answer within {seconds:g} s") from None


def once_committed(connection: Connection, call: Callable[[Database], None]) -> bool:
    """Have ``call`` called when the `Database.transaction` that yielded ``connection`` is committed, else never.

    Returns whether there is such a transaction. ``call`` must not raise: what it is about has happened.
    """
    afterwards = _afterwards.get(id(connection))
    if afterwards is None:
        return False
    afterwards.append(call)
    return True


async def _check_server(connection: Connection, dsn: str) -> None:
    number = int(await connection.fetchval("SHOW server_version_num"))
    if number < MINIMUM * 10_000:
        shown = await connection.fetchval("SHOW server_version")
        raise StartError(
            f"expected PostgreSQL {MINIMUM} or newer at {_place(dsn)}, got {shown}; upgrade the server, or leave "
            "DATABASE_URL empty to use our own"
        )
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise StartError(
            f"expected a database with encoding UTF8 at {_place(dsn)}, got {encoding}; make one with "
            "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )
    if await connection.fetchval("SHOW transaction_read_only") == "on":
        what = "a read-only standby" if await connection.fetchval("SELECT pg_is_in_recovery()") else "read-only"
        raise StartError(
            f"expected a database that can be written at {_place(dsn)}, got one that is {what}; "
            "put the address of the primary into DATABASE_URL"
        )


async def _nothing_to_reset(_connection: Any) -> None:
    """Settings, LISTEN and session locks belong to `Database.dedicated`; what is in the pool carries nothing over.

    The driver has rolled back what was left open. Its own reset would cost each request one more trip.
    """


async def _close(connection: Any) -> None:
    try:
        await connection.close(timeout=5.0)
    except _BROKEN:
        connection.terminate()


@contextmanager
def _reaching(dsn: str) -> Iterator[None]:
    """Turn every way in which a connection is not to be had into ``DatabaseUnavailable`` or ``StartError``."""
    try:
        yield
    except _REFUSES as error:
        raise StartError(_refusal(error, dsn)) from error
    except asyncpg.exceptions.ClientConfigurationError as error:
        raise StartError(f"DATABASE_URL: expected an address that can be used, got one with: {error}") from error
    except (*_GONE, OSError, TimeoutError, asyncpg.InterfaceError) as error:
        raise DatabaseUnavailable(
            f"no connection to the database at {_place(dsn)}: {_words(error)}; is the server up, and the address right?"
        ) from error


def _refusal(error: Exception, dsn: str) -> str:
    """Return what the server at ``dsn`` says against us, and what to do about it."""
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        advice = "make the database with CREATE DATABASE … OWNER …, or correct the name in DATABASE_URL"
    elif isinstance(error, asyncpg.InsufficientPrivilegeError):
        advice = "let the user in with GRANT CONNECT ON DATABASE …, or make it the owner"
    else:
        advice = "correct user and password in DATABASE_URL, or let the user in by the server's pg_hba.conf"
    return f"the database at {_place(dsn)} refuses us: {_words(error)}; {advice}"


@contextmanager
def _losing(connection: Any) -> Iterator[None]:
    """Turn the loss of ``connection``, and a statement that took too long, into ``DatabaseUnavailable``."""
    try:
        yield
    except _GONE as error:
        raise DatabaseUnavailable(f"the database did not answer: {_words(error)}") from error
    except (asyncpg.InternalClientError, asyncpg.InterfaceError) as error:
        # The driver lost track: it died in the middle of something, after which it may not even roll back.
        astray = any(isinstance(each, asyncpg.InternalClientError) for each in (error, error.__context__))
        if astray:
            with suppress(asyncpg.InterfaceError):
                connection.terminate()
        elif not is_lost(connection):
            raise  # a mistake of ours, such as two statements at once
        raise DatabaseUnavailable("the connection to the database was lost") from error


def _traced(connection: Any) -> AbstractContextManager[Any]:
    """Return a block in which every statement of ``connection`` is told to the tracer, if there is one."""
    block: AbstractContextManager[Any] = (
        connection.query_logger(tracing.statement) if tracing.active() else nullcontext()
    )
    return block


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _place(dsn: str) -> str:
    """Return host, port and database of ``dsn``, without user and password."""
    parts = urlsplit(dsn)
    return f"{parts.netloc.rpartition('@')[2] or 'a local socket'}{parts.path}"


def _milliseconds(duration: timedelta) -> str:
    return str(int(duration.total_seconds() * 1000))


__all__ = ["Connection", "Database", "DatabaseUnavailable", "Isolation", "RegistryError", "Row"]
