"""Tokens: seen once, narrowed, expiring, revocable, and never in the database."""

from __future__ import annotations

import re
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import registry
from licet import identifiers
from licet.errors import NotAllowedError
from licet.transport import failure
from licet.wire.accounts import TokenCreated
from registry.accounts.tokens import digest_of, new_token
from tests.registry.harness import new_key, running

pytestmark = pytest.mark.anyio


def test_a_token_carries_its_checksum():
    token = new_token()
    assert re.fullmatch(r"lct_[0-9A-Za-z]{36}", token)
    assert digest_of(token) == sha256(token.encode()).digest()
    assert len({new_token() for _ in range(100)}) == 100


@given(st.integers(4, 39), st.sampled_from("09azAZ-_é\n"))
def test_one_wrong_character_makes_a_token_none(place, character):
    token = new_token()
    changed = token[:place] + character + token[place + 1 :]
    assert digest_of(changed) is None or changed == token


@given(st.text(max_size=60))
def test_any_text_is_a_token_or_none(text):
    assert digest_of(text) is None
    assert digest_of("lct_" + text) is None


async def test_a_token_is_narrowed_listed_and_revoked(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        ada, bob = await service.account(), await service.account()
        asked = {"scopes": ["query", "account"], "expires_in_days": 3}
        answer = await service.post("/v1/tokens", asked, http=ada.http)
        assert answer.status_code == 201
        made = msgspec.json.decode(answer.content, type=TokenCreated)
        assert made.scopes == ["account", "query"]

        narrow = service.client(made.token)
        assert (await narrow.get("/v1/me")).json()["token_expires_at"] == made.expires_at
        assert (await service.post("/v1/tokens", {"scopes": ["register"]}, http=narrow)).status_code == 403
        assert (await service.post("/v1/tokens", {"scopes": ["query"]}, http=narrow)).status_code == 201
        only_query = service.client(
            (await service.post("/v1/tokens", {"scopes": ["query"]}, http=ada.http)).json()["token"]
        )
        assert (await service.post("/v1/tokens", {"scopes": ["query"]}, http=only_query)).status_code == 403

        page = (await ada.http.get("/v1/tokens?limit=2")).json()
        assert page["items"][0]["id"] > page["items"][1]["id"]
        rest = (await ada.http.get(f"/v1/tokens?limit=2&cursor={page['next']}")).json()
        assert [each["id"] for each in rest["items"]] < [page["items"][1]["id"]]
        assert rest["next"] is None
        assert "lct_" not in str(page) + str(rest)

        assert (await bob.http.delete(f"/v1/tokens/{made.id}")).status_code == 404
        assert (await narrow.get("/v1/me")).status_code == 200
        assert (await ada.http.delete(f"/v1/tokens/{made.id}")).status_code == 204
        assert (await narrow.get("/v1/me")).status_code == 401
        assert (await ada.http.delete(f"/v1/tokens/{made.id}")).status_code == 204

        async with service.services.database.acquire() as conn:
            rows = await conn.fetch("select t::text as row from tokens t")
        for secret in (made.token, ada.token):
            assert not any(secret in row["row"] for row in rows)


async def test_scopes_and_lifetimes_outside_the_rules_are_refused(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        ada = await service.account()
        for asked, status in (
            ({"scopes": []}, 400),
            ({"scopes": ["root"]}, 400),
            ({"scopes": ["license"]}, 403),  # not for artists
            ({"scopes": ["query"], "expires_in_days": 0}, 400),
            ({"scopes": ["query"], "expires_in_days": 366}, 400),
            ({"scopes": ["query"], "more": 1}, 400),
        ):
            assert (await service.post("/v1/tokens", asked, http=ada.http)).status_code == status, asked
        for cursor in ("x", ada.id, "tok_" + "z" * 26):
            assert (await ada.http.get(f"/v1/tokens?cursor={cursor}")).status_code == 400


async def test_asking_again_gives_a_new_secret_only_while_the_first_is_unused(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        ada, bob = await service.account(), await service.account()
        key = {"Idempotency-Key": new_key()}
        asked = {"scopes": ["query"]}
        first = (await service.post("/v1/tokens", asked, http=ada.http, **key)).json()
        second = (await service.post("/v1/tokens", asked, http=ada.http, **key)).json()
        assert first["id"] == second["id"]
        assert (await service.client(first["token"]).get("/v1/me")).status_code == 401
        assert (await service.client(second["token"]).get("/v1/me")).status_code == 200
        assert (await service.post("/v1/tokens", asked, http=ada.http, **key)).status_code == 409
        other = await service.post("/v1/tokens", {"scopes": ["account"]}, http=ada.http, **key)
        assert (other.status_code, other.json()["type"].rsplit("/", 1)[1]) == (422, "idempotency-key-reused")
        assert (await service.post("/v1/tokens", asked, http=bob.http, **key)).status_code == 201


async def test_wrong_expired_and_revoked_tokens_are_all_just_wrong(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        ada = await service.account()
        for header in ("", "Bearer", "Bearer x", f"Basic {ada.token}", f"Bearer {new_token()}", f"Bearer {ada.token}x"):
            answer = await service.http.get("/v1/me", headers={"Authorization": header})
            assert answer.status_code == 401, header
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert (await service.http.get("/v1/me", headers={"authorization": f"bearer {ada.token}"})).status_code == 200
        # Where a token is optional, a wrong one is still wrong.
        file = f"/v1/statements/{ada.id}"
        assert (await service.http.get(file)).status_code == 200
        assert (await service.client(new_token()).get(file)).status_code == 401
        async with service.services.database.acquire() as conn:
            await conn.execute("update tokens set expires_at = now()")
        assert (await ada.http.get("/v1/me")).status_code == 401


async def test_last_use_is_noted_at_most_once_a_minute(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        ada = await service.account()

        async def last_used(conn):
            return await conn.fetchval(
                "select last_used_at from tokens where account = $1", identifiers.to_uuid(ada.id)
            )

        async with service.services.database.acquire() as conn:
            assert await last_used(conn) is None
            await ada.http.get("/v1/me")
            first = await last_used(conn)
            await ada.http.get("/v1/me")
            assert await last_used(conn) == first
            await conn.execute("update tokens set last_used_at = now() - interval '61 seconds'")
            await ada.http.get("/v1/me")
            assert await last_used(conn) > first


async def test_a_token_without_the_scope_hears_which_one_it_needs(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        ada = await service.account()
        narrow = (await service.post("/v1/tokens", {"scopes": ["query"]}, http=ada.http)).json()["token"]
        answer = await service.client(narrow).get("/v1/works")
        assert answer.status_code == 403
        assert 'error="insufficient_scope", scope="register"' in answer.headers["www-authenticate"]
        error = failure(403, dict(answer.headers), answer.content)
        assert isinstance(error, NotAllowedError)
        assert error.details["scopes"] == ["register"]
        assert "licet token create --scope register" in str(error)
        assert answer.headers["licet-version"] == registry.__version__
