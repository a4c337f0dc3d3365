"""PostgreSQL servers for tests: how to reach one, and databases on it that nobody else uses."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Server:
    """A server, by the address of a database on it whose user may make further ones."""

    dsn: str

    def address(self, database: str) -> str:
        """Return the address of ``database``."""
        return urlsplit(self.dsn)._replace(path=f"/{database}").geturl()

    async def administer(self, *statements: str) -> None:
        """Run statements outside a transaction, in the database of the address."""
        connection = await asyncpg.connect(self.dsn)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    @asynccontextmanager
    async def fresh(self, template: str, name: str = "test") -> AsyncIterator[str]:
        """Yield the address of a database made from ``template``, dropped at the end even if somebody is connected."""
        # The number of the process keeps runs apart that share an external server.
        database = f"licet_{name}_{os.getpid()}_{next(_numbers)}"
        await self.administer(f"CREATE DATABASE {database} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self.address(database)
        finally:
            await self.administer(f"DROP DATABASE {database} WITH (FORCE)")
