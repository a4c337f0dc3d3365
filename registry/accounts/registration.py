"""New accounts (semantics 1): the digest of the first ``key-register``, signed by the key itself, is who they are."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from licet import identifiers
from licet.errors import InputError, VerificationError
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.keyring import Keyring, Office
from licet.statements.keys import KeySet
from licet.statements.kinds import KeyRegister
from licet.statements.webauthn import Passkey
from licet.wire.accounts import AccountCreate, AccountCreated, TokenCreated
from registry import translog
from registry.accounts import queries, sessions, tokens
from registry.accounts.keyring import office_of
from registry.accounts.keys import add_key, check_key
from registry.accounts.naming import line_of
from registry.database import Connection
from registry.errors import Conflict, Invalid
from registry.http import moments
from registry.services import Services

MAX_NAME: Final = 200
MAX_NONCE: Final = 128
KINDS: Final = {"artist": "art", "organisation": "org"}


def display_name(name: str) -> str:
    """Return ``name`` in NFC without outer spaces; raises ``Invalid`` if it is empty, too long or not plain text."""
    return line_of("name", name, MAX_NAME, least=1)


async def register(services: Services, request: AccountCreate) -> AccountCreated:
    """Return the new account with its first token, once its genesis is in the published log.

    The same envelope again gives the same account and, while its first token was never used and for ten minutes, a
    new secret for that token (the first answer was lost); the envelope is no secret, so later it raises ``Conflict``.
    """
    name = display_name(request.name)
    async with services.database.acquire() as conn:
        genesis = _checked(services, request.envelope, await office_of(conn, services.keys.ref))
    account = identifiers.to_uuid(genesis.account)
    kind = KINDS[genesis.kind]
    async with services.database.transaction() as conn:
        if await conn.fetchval(queries.CREATE_ACCOUNT, account, kind, name, request.envelope.payload_digest):
            pending = await _first_key(conn, account, genesis, request.envelope)
        else:
            pending = await _same_again(conn, account, request.envelope)
        token = await _first_token(services, conn, account, kind, request.envelope)
    receipt = await translog.wait(services.database, pending)
    return AccountCreated(genesis.account, request.envelope.payload_digest, 0, token, receipt)


async def join(services: Services, request: AccountCreate) -> tuple[str, str]:
    """Return the new account and the cookie of its first session, once its genesis is in the published log.

    It has no token: people have none. The passkey proved possession when it signed the genesis; as that is no secret
    later on, only the call that opens the account opens a session. Again it raises ``Conflict``: sign in instead.
    """
    name = display_name(request.name)
    async with services.database.acquire() as conn:
        genesis = _checked(services, request.envelope, await office_of(conn, services.keys.ref))
    if not isinstance(genesis.key, Passkey):
        raise Invalid.field("key", "a passkey", "another key")
    account, kind = identifiers.to_uuid(genesis.account), KINDS[genesis.kind]
    async with services.database.transaction() as conn:
        if not await conn.fetchval(queries.CREATE_ACCOUNT, account, kind, name, request.envelope.payload_digest):
            raise Conflict("this account exists already: sign in with its passkey")
        pending = await _first_key(conn, account, genesis, request.envelope)
        secret, _ = await sessions.begin(conn, account, KeySet().learn(genesis.key))
    await translog.wait(services.database, pending)
    return genesis.account, secret


def _checked(services: Services, envelope: Envelope, office: Office) -> KeyRegister:
    genesis = envelopes.read_as(KeyRegister, envelope)
    moments.past(genesis.issued_at, "issued_at")
    if genesis.registry != services.keys.ref:
        raise Invalid.field("registry", f"{services.keys.ref.origin} with its root key", genesis.registry.origin)
    if genesis.genesis is not None or genesis.key_class != "root":
        raise Invalid("expected the first key of an account: genesis null and key_class root")
    if identifiers.to_uuid(genesis.account, KINDS[genesis.kind], field="account").version != 7:
        raise Invalid.field("account", "an identifier made from a UUIDv7", genesis.account)
    if not 16 <= len(genesis.nonce) <= MAX_NONCE:
        raise InputError.field("nonce", f"16 to {MAX_NONCE} characters", genesis.nonce)
    check_key(services, genesis.key)
    try:
        Keyring(office).take(envelope, 1, genesis.issued_at)
    except VerificationError as error:
        raise Invalid(f"expected a key-register that the new key itself has signed: {error.message}") from None
    return genesis


async def _first_key(conn: Connection, account: UUID, genesis: KeyRegister, envelope: Envelope) -> int:
    pending = await translog.submit(conn, "key-register", genesis.account, envelopes.encode(envelope), account)
    await add_key(conn, account, genesis.key, genesis.key_class, pending)
    return pending


async def _same_again(conn: Connection, account: UUID, envelope: Envelope) -> int:
    present = await conn.fetchrow(queries.LOCK_ACCOUNT, account)
    if present is None or present["genesis"] != envelope.payload_digest:
        raise Conflict("this account identifier is taken")
    if not await conn.fetchval(queries.NEVER_OPENED, account):
        raise Conflict("this account exists already; its token was shown once, make another with a token it has")
    pending: int = await conn.fetchval(queries.GENESIS_PENDING, account)
    return pending


async def _first_token(
    services: Services, conn: Connection, account: UUID, kind: str, envelope: Envelope
) -> TokenCreated:
    request = bytes.fromhex(envelope.payload_digest)
    return await tokens.create(conn, account, tokens.usual(kind), services.settings.token_ttl, request=request)
