"""Tokens of the Open License Protocol: for what is held or free, for as long as that holds, and told to no stranger."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote_plus

import httpx
import msgspec
import pytest

from licet import identifiers
from licet.terms import Terms
from registry.olp import covering
from tests.registry.catalogue import NO_AI, PAID, artist, picture
from tests.registry.duties.talks import revocable_terms, revoke
from tests.registry.harness import Running
from tests.registry.market import TRAIN, Shelf, Trainer, problem, shelf, trainer

pytestmark = pytest.mark.anyio
GRANT = {"grant_type": "client_credentials", "scope": "train-gen"}
FREE = Terms(rules={**NO_AI.rules, "train-gen": NO_AI.rules["search"]})


def secret(http: httpx.AsyncClient) -> str:
    return http.headers["Authorization"].removeprefix("Bearer ")


def basic(account: str, http: httpx.AsyncClient) -> dict[str, str]:
    pair = f"{quote_plus(account)}:{quote_plus(secret(http))}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def page(site: Running, work: str) -> str:
    return f"{site.services.settings.url}/en/work/{work}"


async def token(site: Running, lab: Trainer, at: str, **fields: str) -> httpx.Response:
    return await site.http.post("/token", data=GRANT | {"resource": at} | fields, headers=basic(lab.id, lab.http))


async def introspect(site: Running, account: Any, given: str, **fields: str) -> dict[str, Any]:
    answer = await site.http.post(
        "/introspect", data={"token": given} | fields, headers=basic(account.id, account.http)
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    found: dict[str, Any] = answer.json()
    return found


async def licensed(site: Running, lab: Trainer, works: Shelf) -> str:
    return (await lab.license(works.wanted())).licence


async def test_a_licence_that_is_held_is_shown_with_a_token(site: Running):
    works = await shelf(site, PAID, 2)
    lab = await trainer(site)
    resource = page(site, works.works[0])
    refused = await token(site, lab, resource)
    status, slug, detail = problem(refused)
    assert (status, slug) == (402, "licence-required")
    assert works.works[0] in detail
    assert refused.json()["error"] == "invalid_grant"
    assert refused.headers["WWW-Authenticate"].startswith('License error="license_required"')
    assert f'authorization_uri="{site.services.settings.url}/v1/quotes"' in refused.headers["WWW-Authenticate"]

    licence = await licensed(site, lab, works)
    answer = await token(site, lab, resource)
    assert answer.status_code == 200, answer.text
    given = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert given["access_token"].startswith("lcl_")
    assert given == {
        "access_token": given["access_token"],
        "token_type": "License",
        "expires_in": 3600,
        "scope": "train-gen",
        "resource": resource,
        "licences": [licence],
    }
    told = await introspect(site, lab, given["access_token"])
    assert told == {
        "active": True,
        "token_type": "License",
        "client_id": lab.id,
        "scope": "train-gen",
        "resource": resource,
        "licences": [licence],
        "purpose": ["commercial"],
        "iat": told["iat"],
        "exp": told["iat"] + 3600,
    }


async def test_owners_may_ask_about_a_token_and_strangers_learn_nothing(site: Running):
    works = await shelf(site, PAID, 1)
    lab = await trainer(site)
    await licensed(site, lab, works)
    resource = page(site, works.works[0])
    given = (await token(site, lab, resource)).json()["access_token"]
    assert (await introspect(site, works.owner, given))["client_id"] == lab.id
    for stranger in (await artist(site), await trainer(site)):
        assert await introspect(site, stranger, given) == {"active": False}
    assert await introspect(site, works.owner, given, resource=resource) != {"active": False}
    assert await introspect(site, works.owner, given, resource=page(site, "wrk_x")) == {"active": False}
    assert await introspect(site, works.owner, given, resource="http://[") == {"active": False}
    for wrong in ("", "lcl_", given[:-1], given[:-1] + ("1" if given[-1] == "0" else "0"), secret(lab.http), "é"):
        assert await introspect(site, lab, wrong or "none") == {"active": False}
    assert (await lab.http.get("/v1/me", headers={"Authorization": f"Bearer {given}"})).status_code == 401


async def test_addresses_stand_for_the_works_that_lie_there(site: Running):
    yu, lies = await artist(site), "https://yu.example/%E9%87%91%E9%B1%BC.png"
    work = (await yu.picture(picture(1), urls=[lies])).work
    works = Shelf(yu, (await yu.state([work], PAID)).statement, [work])
    lab = await trainer(site)
    await licensed(site, lab, works)
    address = "HTTPS://YU.example:443/金鱼.png"
    unproven = await token(site, lab, address)
    assert problem(unproven)[:2] == (403, "not-allowed"), "anybody may say that a work lies there"
    assert "url-only" in unproven.json()["detail"]
    async with site.services.database.acquire() as conn:
        await conn.execute(
            "insert into domain_claims (id, account, domain, value, state, asked_at, proven_at)"
            " values ($1, $2, 'yu.example', $3, 'proven', now(), now())",
            identifiers.new_uuid(),
            yu.uuid,
            "v" * 40,
        )
    given = await token(site, lab, address)
    assert given.status_code == 200, given.text
    eve = await artist(site)  # where somebody else says the same of the address, it is for somebody to look at
    decoy = (await eve.picture(picture(2), urls=[lies])).work
    await eve.state([decoy], FREE)
    assert problem(await token(site, lab, address))[0] == 403
    await eve.withdraw([decoy])
    assert (await introspect(site, lab, given.json()["access_token"], resource=lies))["active"]


async def test_what_is_free_needs_no_licence_and_what_is_denied_gets_no_token(site: Running):
    free, denied = await shelf(site, FREE, 1), await shelf(site, NO_AI, 1)
    lab = await trainer(site)
    given = await token(site, lab, page(site, free.works[0]), scope="search")
    assert given.json()["licences"] == []
    told = await introspect(site, free.owner, given.json()["access_token"])
    assert (told["active"], told["scope"]) == (True, "search")
    refused = await token(site, lab, page(site, denied.works[0]))
    assert problem(refused)[:2] == (403, "not-allowed")
    assert refused.json()["error"] == "access_denied"
    unknown = await token(site, lab, "https://nobody.example/x.png")
    assert problem(unknown)[:2] == (400, "invalid-request")
    assert unknown.json()["error"] == "invalid_target"


async def test_a_token_holds_no_longer_than_the_terms_that_it_rests_on(site: Running):
    free = await shelf(site, FREE, 1)
    lab = await trainer(site)
    given = (await token(site, lab, page(site, free.works[0]))).json()["access_token"]
    assert (await introspect(site, lab, given))["active"]
    await free.owner.state(free.works, NO_AI)
    assert await introspect(site, lab, given) == {"active": False}
    given = (await token(site, lab, page(site, free.works[0]), scope="search")).json()["access_token"]
    assert (await introspect(site, lab, given))["active"]
    async with site.services.database.acquire() as conn:
        await conn.execute(
            "update licence_tokens set issued_at = issued_at - interval '2 hours',"
            " expires_at = expires_at - interval '2 hours' where organisation = $1",
            identifiers.to_uuid(lab.id),
        )
    assert await introspect(site, lab, given) == {"active": False}
    await token(site, lab, page(site, free.works[0]), scope="search")
    async with site.services.database.acquire() as conn:  # what ran out is forgotten
        assert (
            await conn.fetchval(
                "select count(*) from licence_tokens where organisation = $1", identifiers.to_uuid(lab.id)
            )
            == 1
        )


async def test_a_token_ends_with_the_licence_that_is_revoked(site: Running):
    works = await shelf(site, revocable_terms(days=0), 1)
    lab = await trainer(site)
    licence = await lab.license(works.wanted())
    given = (await token(site, lab, page(site, works.works[0]))).json()["access_token"]
    assert (await introspect(site, works.owner, given))["active"]
    await revoke(works, licence)
    assert await introspect(site, works.owner, given) == {"active": False}
    assert problem(await token(site, lab, page(site, works.works[0])))[0] in {402, 403}


@pytest.mark.parametrize(
    ("permits", "granted"),
    [
        ('<permits type="usage">ai-train</permits>', ["train-nongen", "train-gen"]),
        ('<permits>train-gen</permits><permits type="user">non-commercial</permits>', ["train-gen"]),
    ],
)
async def test_an_rsl_license_says_the_use_in_the_words_of_rsl(site: Running, permits: str, granted: list[str]):
    works = await shelf(site, PAID, 1)
    lab = await trainer(site)
    await licensed(site, lab, works)  # for commercial generative training alone
    element = f'<license xmlns="https://rslstandard.org/rsl">{permits}<payment type="use"/></license>'
    answer = await site.http.post(
        "/token",
        data={"grant_type": "client_credentials", "resource": page(site, works.works[0]), "license": element},
        headers=basic(lab.id, lab.http),
    )
    assert problem(answer)[0] in {402, 403}, "the licence covers less than is asked"
    assert " ".join(granted)[:5] == "train"
    exact = element.replace(
        permits, '<permits type="usage">train-gen</permits><permits type="user">commercial</permits>'
    )
    answer = await site.http.post(
        "/token",
        data={"grant_type": "client_credentials", "resource": page(site, works.works[0]), "license": exact},
        headers=basic(lab.id, lab.http),
    )
    assert answer.status_code == 200, answer.text


async def test_what_is_not_said_is_asked_as_widely_as_it_may_be_meant(site: Running):
    works = await shelf(site, PAID, 1)
    lab = await trainer(site)
    narrow = msgspec.structs.replace(TRAIN, purpose=["non-commercial"], territory=["DE"])
    await lab.license(works.wanted(), use=narrow)
    said = {"user": "non-commercial", "geo": "DE"}
    for left_out in ("user", "geo", None):
        permits = "".join(f'<permits type="{kind}">{word}</permits>' for kind, word in said.items() if kind != left_out)
        element = f"<license><permits>train-gen</permits>{permits}</license>"
        answer = await token(site, lab, page(site, works.works[0]), scope="", license=element)
        assert answer.status_code == (200 if left_out is None else 402), (left_out, answer.text)
    told = await introspect(site, works.owner, answer.json()["access_token"])
    assert (told["purpose"], told["territory"]) == (["non-commercial"], ["DE"])


async def test_pages_that_the_registry_publishes_of_a_work_stand_for_it(site: Running):
    free = await shelf(site, FREE, 1)
    lab = await trainer(site)
    url, work = site.services.settings.url, free.works[0]
    terms = (await site.http.get(f"/works/{work}/terms.json")).json()
    for known in (terms["page"], *terms["documents"].values(), f"{url}/works/{work}", f"{url}/zh/work/{work}"):
        assert (await token(site, lab, known)).status_code == 200, known


async def test_many_works_at_one_address_are_decided_by_it_alone(site: Running, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(covering, "MOST", 1)
    yu, lies = await artist(site), "https://many.example/a.png"
    works = [(await yu.picture(picture(seed), urls=[lies])).work for seed in (11, 12)]
    await yu.state(works, FREE)
    assert "url-only" in (await token(site, await trainer(site), lies)).json()["detail"]


async def test_a_licence_covers_its_own_model_alone(site: Running):
    works = await shelf(site, PAID, 1)
    lab = await trainer(site)
    await licensed(site, lab, works)
    resource = page(site, works.works[0])
    assert (await token(site, lab, resource, model=f"{TRAIN.model}@{TRAIN.version}")).status_code == 200
    assert problem(await token(site, lab, resource, model=f"{TRAIN.model}@2"))[0] == 402
    assert problem(await token(site, lab, resource, model="acme/other@1"))[0] == 402
    assert problem(await token(site, lab, resource, model="lantern"))[0] == 400


async def test_clients_say_who_they_are_in_one_way_and_rightly(site: Running):
    works = await shelf(site, FREE, 1)
    lab = await trainer(site)
    resource = page(site, works.works[0])
    form = GRANT | {"resource": resource, "scope": "search"}
    own = {"client_id": lab.id, "client_secret": secret(lab.http)}
    assert (await site.http.post("/token", data=form | own)).status_code == 200
    assert (await lab.http.post("/token", data=form)).status_code == 200  # a token alone
    wrong: list[tuple[dict[str, str], dict[str, str]]] = [
        ({}, {}),
        (own, basic(lab.id, lab.http)),
        ({"client_id": lab.id}, {}),
        ({"client_secret": own["client_secret"]}, {}),
        (own | {"client_secret": "lct_x"}, {}),
        (own | {"client_id": works.owner.id}, {}),
        ({}, basic(works.owner.id, lab.http)),
        ({"client_id": works.owner.id}, basic(lab.id, lab.http)),
        ({}, {"Authorization": "Basic !"}),
        ({}, {"Authorization": "Basic " + base64.b64encode("é:é".encode()).decode()}),
        ({}, {"Authorization": "Bearer lct_x"}),
        ({}, {"Authorization": f"License {secret(lab.http)}"}),
    ]
    for fields, headers in wrong:
        answer = await site.http.post("/token", data=form | fields, headers=headers)
        assert problem(answer)[:2] == (401, "not-authenticated"), (fields, headers, answer.text)
        assert answer.json()["error"] == "invalid_client"
        assert answer.headers["WWW-Authenticate"] == 'License error="invalid_client", Basic realm="licet"'
    other = await site.http.post("/token", data=form, headers=basic(works.owner.id, works.owner.http))
    assert (other.status_code, other.json()["error"]) == (403, "unauthorized_client")


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type", "grant_type: expected client_credentials"),
        ({"grant_type": ""}, "invalid_request", "grant_type: expected a value, got 'nothing'"),
        ({"resource": ""}, "invalid_request", "resource: expected a value"),
        ({"resource": "http://["}, "invalid_target", "resource: expected an http or https address"),
        ({"resource": "https://a\u2100.example/"}, "invalid_target", "resource: expected an http or https address"),
        ({"resource": "ftp://x.example/a"}, "invalid_target", "resource: expected an http or https address"),
        ({"resource": "x" * 9000}, "invalid_request", "resource: expected at most 8192 characters"),
        ({"scope": ""}, "invalid_request", "license: expected an RSL license element, or uses in scope"),
        ({"license": "<license/>"}, "invalid_request", "license: expected an RSL license element, or uses in scope"),
        ({"scope": "everything"}, "invalid_scope", "scope: expected usages of RSL 1.0"),
        (
            {"scope": "", "license": "<rsl/>"},
            "invalid_request",
            "license: expected an RSL license element, got '<rsl>'",
        ),
        ({"scope": "", "license": "<!DOCTYPE x><license/>"}, "invalid_request", "license: expected an RSL license"),
        ({"scope": "", "license": "<license/>"}, "invalid_scope", "license: expected one usage or more"),
        (
            {"scope": "", "license": '<license><permits>search</permits><permits type="geo">Mars</permits></license>'},
            "invalid_request",
            "license: expected users and countries that are known, got 'Mars'",
        ),
    ],
)
async def test_what_makes_no_sense_is_refused_in_words_of_oauth_too(
    site: Running, change: dict[str, str], error: str, told: str
):
    lab = await trainer(site)
    answer = await token(site, lab, "https://x.example/a.png", **change)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == error
    assert answer.json()["detail"].startswith(told)
    assert answer.json()["error_description"] == answer.json()["detail"]


@pytest.mark.parametrize(
    "body", [b"\xff", b"a=%ff", b"grant_type=a&grant_type=b", b"&".join([b"a=b"] * 40), b"scope=%00", b"x"]
)
async def test_what_is_no_form_is_refused(site: Running, body: bytes):
    lab = await trainer(site)
    headers = basic(lab.id, lab.http) | {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await site.http.post("/token", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    large = await site.http.post("/token", content=b"scope=" + b"x" * (65 << 10), headers=headers)
    assert large.status_code == 413
    json = await site.http.post("/token", json=GRANT, headers=basic(lab.id, lab.http))
    assert json.status_code == 415
