"""Claim levels: raised by the office, in the log, with what follows from them in the same transaction."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from licet import identifiers
from licet.canonical import from_base64
from licet.log import entry
from licet.statements import envelope as envelopes
from licet.statements.keys import KeySet
from licet.statements.kinds import Claim
from licet.wire.accounts import Me
from registry.accounts import levels, operators
from registry.accounts.levels import raise_level
from registry.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.registry.harness import running, verify_whole_log

pytestmark = pytest.mark.anyio


async def test_a_level_is_a_statement_signed_by_the_office(dsn, tmp_path, monkeypatch):
    changed: list[tuple[object, int]] = []

    async def consent_hears(conn, account):
        changed.append((account, await conn.fetchval("select level from accounts where id = $1", account)))

    monkeypatch.setattr(levels, "on_level_change", [consent_hears])
    async with running(dsn, tmp_path) as service:
        ada = await service.account()
        account = identifiers.to_uuid(ada.id)
        receipt = await raise_level(service.services, account, 2, "DNS record at ada.example")
        assert changed == [(account, 2)]
        me = msgspec.json.decode((await ada.http.get("/v1/me")).content, type=Me)
        assert me.level == 2
        async with service.services.database.acquire() as conn:
            row = await conn.fetchrow("select envelope, salt from log_pending where kind = 'claim'")
        assert row is not None
        office = service.services.keys.office
        claim = envelopes.open_as(Claim, envelopes.parse(row["envelope"]), [office.keyid], KeySet([office.public]))
        assert (claim.account, claim.genesis, claim.level) == (ada.id, ada.genesis, 2)
        entry.verify_commitment(entry.parse(from_base64(receipt.entry)), row["salt"], row["envelope"])

        again = await raise_level(service.services, account, 2, "DNS record at ada.example")
        assert again.log_index == receipt.log_index
        assert len(changed) == 1
        for level, evidence in ((1, "x"), (2, "other evidence")):
            with pytest.raises(Conflict):
                await raise_level(service.services, account, level, evidence)
        for level, evidence in ((0, "x"), (5, "x"), (3, ""), (3, "a\nb"), (3, "x" * 1001)):
            with pytest.raises(Invalid):
                await raise_level(service.services, account, level, evidence)
        with pytest.raises(NotFound):
            await raise_level(service.services, identifiers.new_uuid(), 1, "x")
        verify_whole_log(tmp_path, service.services.keys.log_signer.verifier)


async def test_what_fails_to_follow_leaves_the_level_as_it_was(dsn, tmp_path, monkeypatch):
    async def fails(conn, account):
        raise Conflict("no")

    monkeypatch.setattr(levels, "on_level_change", [fails])
    async with running(dsn, tmp_path) as service:
        ada = await service.account()
        with pytest.raises(Conflict):
            await raise_level(service.services, identifiers.to_uuid(ada.id), 3, "source files")
        assert (await ada.http.get("/v1/me")).json()["level"] == 0
        async with service.services.database.acquire() as conn:
            assert await conn.fetchval("select count(*) from log_pending where kind = 'claim'") == 0


async def test_two_officers_cannot_lower_what_the_other_raised(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        ada = await service.account()
        account = identifiers.to_uuid(ada.id)
        results = await asyncio.gather(
            *(raise_level(service.services, account, level, "seen") for level in (1, 2, 3)), return_exceptions=True
        )
        assert any(not isinstance(each, BaseException) for each in results)
        assert all(isinstance(each, Conflict) for each in results if isinstance(each, BaseException))
        assert (await ada.http.get("/v1/me")).json()["level"] == 3


async def test_staff_are_invited_with_the_scopes_of_their_role(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        database = service.services.database
        account, token = await operators.invite(database, "auditor", name="Audit & Co")
        assert account.startswith("aud_")
        me = (await service.client(token.token).get("/v1/me")).json()
        assert (me["kind"], me["genesis"], me["scopes"], me["keys"]) == ("auditor", None, ["audit", "query"], [])
        _, narrow = await operators.invite(database, "operator", scopes=["query"])
        assert narrow.scopes == ["query"]
        with pytest.raises(NotAllowed):
            await operators.invite(database, "auditor", scopes=["license"])
        with pytest.raises(Invalid):
            await operators.invite(database, "auditor", scopes=["everything"])

        ada = await service.account()
        further = await operators.create_token(database, ada.id)
        assert (await service.client(further.token).get("/v1/me")).json()["account"] == ada.id
        await operators.revoke_token(database, further.id)
        assert (await service.client(further.token).get("/v1/me")).status_code == 401
        with pytest.raises(NotFound):
            await operators.create_token(database, ada.id.replace("art_", "org_"))
        with pytest.raises(NotFound):
            await operators.revoke_token(database, identifiers.new_id("tok"))
