"""A whole service in one process for tests: the application inside its lifespan, its loops, and a client to it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec

from licet import identifiers, times
from licet.log import checkpoint, entry, merkle, tiles
from licet.log.note import Verifier
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.key_list import KeyList
from licet.statements.keys import SigningKey
from licet.statements.kinds import KeyRegister, PublicKey, RegistryRef
from licet.wire.accounts import AccountCreated
from registry.app import create_app
from registry.observing.meters import Meters
from registry.observing.requests import Observed
from registry.services import Services
from registry.settings import Settings
from registry.worker.loops import Loop, run_loops, run_sequencer

_keys = itertools.count(1)
_idle: list[Observed] = []


@dataclass
class Account:
    """An account with its key and a client that speaks for it."""

    id: str
    genesis: str
    key: SigningKey
    token: str
    http: httpx.AsyncClient


@dataclass
class Running:
    """A service that answers; ``http`` speaks for nobody."""

    app: Any
    services: Services
    http: httpx.AsyncClient

    def client(self, token: str | None = None) -> httpx.AsyncClient:
        """Return a client with ``token``."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(app=self.app)
        return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)

    async def post(
        self, path: str, body: Any, *, http: httpx.AsyncClient | None = None, **headers: str
    ) -> httpx.Response:
        """Post ``body`` (Struct, dict or bytes) with an Idempotency-Key of its own."""
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        sent = {"Content-Type": "application/json", "Idempotency-Key": new_key(), **headers}
        return await (http or self.http).post(path, content=content, headers=sent)

    async def account(self, kind: str = "artist", name: str = "Ada") -> Account:
        """Open an account through the API."""
        key = SigningKey.generate()
        envelope = genesis(self.services.keys.ref, key, kind)
        answer = await self.post("/v1/accounts", {"name": name, "envelope": msgspec.to_builtins(envelope)})
        assert answer.status_code == 201, answer.text
        created = msgspec.json.decode(answer.content, type=AccountCreated)
        token = created.token.token
        return Account(created.account, created.genesis, key, token, self.client(token))


def new_key() -> str:
    """Return a fresh Idempotency-Key."""
    return f'"test-{next(_keys)}"'


def genesis(
    ref: RegistryRef, key: SigningKey, kind: str = "artist", public: PublicKey | None = None, **changes: Any
) -> Envelope:
    """Return the first ``key-register`` of a new account, signed by ``key``, with some fields changed."""
    account = identifiers.new_id({"artist": "art", "organisation": "org"}[kind])
    fields: dict[str, Any] = {
        "registry": ref,
        "account": account,
        "kind": kind,
        "genesis": None,
        "key": public or PublicKey(key.public.hex()),
        "key_class": "root",
        "issued_at": times.to_text(times.now()),
        "nonce": identifiers.new_uuid().hex,
        **changes,
    }
    return envelopes.seal(KeyRegister(**fields), key)


@asynccontextmanager
async def running(
    dsn: str, data: Path, loops: Mapping[str, Loop] | None = None, **settings: Any
) -> AsyncIterator[Running]:
    """Yield a service on the database ``dsn`` with ``loops`` (the sequencer alone if none are named).

    Nothing is archived unless ``settings`` say so: it takes a slot of the server, of which there are few. Nor is the
    machine's resolver asked for anything.
    """
    ours = {"archive": "off", "claims_resolver": "127.0.0.1:9"}
    chosen = Settings.load(database_url=dsn, data=data, **{**ours, **settings})
    with _application(chosen) as app:
        async with app.lifespan():
            services = app.state.services
            stop = asyncio.Event()
            worker = asyncio.create_task(run_loops(services, stop, loops or {"sequencer": run_sequencer}))
            transport = httpx.ASGITransport(app=app)
            try:
                async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
                    yield Running(app, services, http)
            finally:
                stop.set()
                await worker


@contextmanager
def _application(settings: Settings) -> Iterator[Observed]:
    """Yield an application for ``settings`` that nobody else uses; the next test may have it again.

    Making one takes a third of a second, nearly all of it in reading the signatures of the same handlers.
    """
    app = _idle.pop() if _idle else create_app(settings)
    routes = len(app.routes)
    app.state.settings = settings
    app.state.meters = Meters()
    yield app
    if len(app.routes) == routes:  # else the test gave it a route of its own
        _idle.append(app)


def verify_whole_log(data: Path, verifier: Verifier) -> list[bytes]:
    """Return every entry of the published log after rebuilding the tree from the files alone, as an outsider does."""
    log = data / "public" / "log"
    signed = checkpoint.open((log / "checkpoint").read_bytes(), verifier)
    entries: list[bytes] = []
    for index in range(-(-signed.size // tiles.WIDTH)):
        width = min(tiles.WIDTH, signed.size - index * tiles.WIDTH)
        bundle = (log / tiles.entries_path(index, width)).read_bytes()
        entries += tiles.decode_bundle(bundle, width)
    assert len(entries) == signed.size
    leaves = [merkle.leaf_hash(entry) for entry in entries]
    assert merkle.root(leaves) == signed.root
    read = tiles.TileTree(
        signed.size, lambda level, index, width: (log / tiles.tile_path(level, index, width)).read_bytes()
    )
    assert read.root == signed.root
    about = [
        entry.KeyEntry(index, each.kind, each.commitment)
        for index, each in enumerate(map(entry.parse, entries))
        if each.kind in entry.REGISTRY_KEY_KINDS
    ]
    KeyList.parse((log / "keys").read_bytes(), None).hold(about, signed.size)
    return entries
