"""Rule 1: an account is the digest of its first key-register, signed by the very key that it names."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from licet import identifiers
from licet.canonical import from_base64, to_base64
from licet.statements import envelope as envelopes
from licet.statements.keys import SigningKey
from licet.statements.kinds import KeyRegister, PublicKey, RegistryRef
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import Trust
from licet.wire.accounts import AccountCreated, Me, RegistryInfo
from licet.wire.common import StatementFile
from tests.registry.harness import Running, genesis, running, verify_whole_log

pytestmark = pytest.mark.anyio


async def create(service: Running, envelope: Any, name: Any = "Ada") -> Any:
    return await service.post("/v1/accounts", {"name": name, "envelope": msgspec.to_builtins(envelope)})


async def test_rule_1_an_account_is_its_genesis_and_everything_about_it_verifies_offline(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        key = SigningKey.generate()
        envelope = genesis(service.services.keys.ref, key, "organisation")
        created = msgspec.json.decode((await create(service, envelope, "  Acme\u00a0AI ")).content, type=AccountCreated)
        assert created.genesis == envelope.payload_digest
        assert created.level == 0
        assert set(created.token.scopes) == {"account", "query", "register", "license", "usage", "audit"}

        mine = service.client(created.token.token)
        me = msgspec.json.decode((await mine.get("/v1/me")).content, type=Me)
        assert (me.account, me.kind, me.name, me.genesis) == (
            created.account,
            "organisation",
            "Acme\u00a0AI",
            created.genesis,
        )
        assert [(each.keyid, each.key_class, each.log_index) for each in me.keys] == [
            (key.keyid, "root", created.receipt.log_index)
        ]

        info = msgspec.json.decode((await service.http.get("/v1/registry")).content, type=RegistryInfo)
        assert info.key == service.services.keys.ref.key
        answer = await service.http.get(f"/v1/statements/{created.account}")
        file = msgspec.json.decode(answer.content, type=StatementFile)
        verified = verify_statement_file(file, Trust(origin=info.origin, root=info.root))
        assert verified.anchored
        assert verified.log_index == created.receipt.log_index
        entries = verify_whole_log(tmp_path, service.services.keys.log_signer.verifier)
        assert entries[verified.log_index] == from_base64(created.receipt.entry)


async def test_rule_1_a_genesis_that_does_not_prove_its_own_key_opens_nothing(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        ref, key, other = service.services.keys.ref, SigningKey.generate(), SigningKey.generate()
        wrong = {
            "signed by another key": genesis(ref, other, public=PublicKey(key.public.hex())),
            "signed twice": envelopes.countersign(genesis(ref, key), other),
            "not signed": msgspec.structs.replace(genesis(ref, key), signatures=[]),
            "for another registry": genesis(RegistryRef("other.example/log", ref.key), key),
            "for another root": genesis(RegistryRef(ref.origin, "00" * 32), key),
            "not the first key": genesis(ref, key, genesis="11" * 32),
            "not a root key": genesis(ref, key, key_class="delegate"),
            "an organisation's id for an artist": genesis(ref, key, account=identifiers.new_id("org")),
            "no identifier": genesis(ref, key, account="art_1"),
            "an identifier that is no UUIDv7": genesis(ref, key, account="art_" + "0" * 26),
            "a small-order key": genesis(ref, key, public=PublicKey("01" + "00" * 31)),
            "a time that is none": genesis(ref, key, issued_at="2026-11-22"),
            "a time to come": genesis(ref, key, issued_at="2099-01-01T00:00:00.000Z"),
            "a guessable nonce": genesis(ref, key, nonce="1"),
            "another kind": msgspec.structs.replace(
                genesis(ref, key), payload_type="application/vnd.licet.consent+json"
            ),
        }
        for why, envelope in wrong.items():
            answer = await create(service, envelope)
            assert answer.status_code == 400, why
            assert answer.headers["content-type"] == "application/problem+json", why
        changed = genesis(ref, key)
        body = bytearray(changed.body)
        body[-3] ^= 1
        answer = await create(service, msgspec.structs.replace(changed, payload=to_base64(bytes(body))))
        assert answer.status_code == 400
        async with service.services.database.acquire() as conn:
            assert await conn.fetchval("select count(*) from accounts") == 0
            assert await conn.fetchval("select count(*) from log_pending") == 5


async def test_names_are_plain_text(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        ref = service.services.keys.ref
        for name in (
            "",
            "   ",
            "a" * 201,
            "a\nb",
            "a\x00b",
            "a\u202eb",
            "\u2028",
            "\u3164",
            "ad\u200bmin",
            "ad\u200dmin",
            "a\u061cb",
        ):
            answer = await create(service, genesis(ref, SigningKey.generate()), name)
            assert answer.status_code == 400, repr(name)
            assert answer.json()["errors"][0]["pointer"] == "/name"
        for name in ("林", "O'Neill & Søn", "👩‍🎨", "a" * 200):
            assert (await create(service, genesis(ref, SigningKey.generate()), name)).status_code == 201, name


async def test_a_lost_answer_can_be_asked_for_again_until_the_token_is_used(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        envelope = genesis(service.services.keys.ref, SigningKey.generate())
        answers = [await create(service, envelope) for _ in range(2)]
        assert [each.status_code for each in answers] == [201, 201]
        first, second = (msgspec.json.decode(each.content, type=AccountCreated) for each in answers)
        assert (first.account, first.genesis, first.receipt.log_index) == (
            second.account,
            second.genesis,
            second.receipt.log_index,
        )
        assert first.token.id == second.token.id
        assert (await service.client(first.token.token).get("/v1/me")).status_code == 401
        assert (await service.client(second.token.token).get("/v1/me")).status_code == 200
        # The envelope is public by now: knowing it must not open the account.
        again = await create(service, envelope)
        assert again.status_code == 409
        async with service.services.database.acquire() as conn:
            assert await conn.fetchval("select count(*) from log_pending where kind = 'key-register'") == 1


async def test_an_unused_token_is_not_given_again_after_ten_minutes(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        envelope = genesis(service.services.keys.ref, SigningKey.generate())
        assert (await create(service, envelope)).status_code == 201
        async with service.services.database.acquire() as conn:
            await conn.execute("update accounts set created_at = created_at - interval '11 minutes'")
        assert (await create(service, envelope)).status_code == 409


async def test_an_identifier_and_a_key_belong_to_one_account(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        ref, key = service.services.keys.ref, SigningKey.generate()
        envelope = genesis(ref, key)
        assert (await create(service, envelope)).status_code == 201
        taken = envelopes.read_as(KeyRegister, envelope).account
        assert (await create(service, genesis(ref, SigningKey.generate(), account=taken))).status_code == 409
        assert (await create(service, genesis(ref, key))).status_code == 409


async def test_the_same_registration_at_the_same_time_makes_one_account(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        envelope = genesis(service.services.keys.ref, SigningKey.generate())
        answers = await asyncio.gather(*(create(service, envelope) for _ in range(4)))
        assert {each.status_code for each in answers} == {201}
        tokens = {each.json()["token"]["token"] for each in answers}
        opened = [(await service.client(token).get("/v1/me")).status_code for token in sorted(tokens)]
        assert sorted(opened) == [200, 401, 401, 401]
        async with service.services.database.acquire() as conn:
            assert await conn.fetchval("select count(*) from accounts") == 1


async def test_registering_needs_a_key_for_repetition(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        body = {
            "name": "Ada",
            "envelope": msgspec.to_builtins(genesis(service.services.keys.ref, SigningKey.generate())),
        }
        answer = await service.http.post("/v1/accounts", content=msgspec.json.encode(body))
        assert answer.status_code == 400
        assert "Idempotency-Key" in answer.json()["detail"]
