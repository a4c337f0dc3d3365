"""Every route of the description, as nobody, without the scope, and as another tenant; every answer as described."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import msgspec
import pytest

from licet import identifiers
from registry.openapi import document
from registry.running.working import LOOPS
from tests.registry.app.walk import WALK
from tests.registry.harness import Account, Running, new_key, running

pytestmark = pytest.mark.anyio

SCOPES = ("account", "query", "register", "license", "usage", "audit", "erase")


def described(service: Running) -> dict[str, Any]:
    return dict(msgspec.json.decode(document(service.app)))


def operations(api: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, each) for path, item in api["paths"].items() for method, each in item.items()]


async def until_published(service: Running) -> None:
    while (await service.http.get("/snapshots/latest")).status_code != 200:
        await asyncio.sleep(0.02)


def scopes_of(operation: dict[str, Any]) -> list[str]:
    return [scope for way in operation.get("security", []) for scope in way.get("bearer", [])]


async def token_without(service: Running, owner: Account, needed: list[str]) -> str:
    rare = {"erase": False, "license": owner.id.startswith("org")}
    others = [scope for scope in SCOPES if scope not in needed and rare.get(scope, True)]
    answer = await service.post("/v1/tokens", {"scopes": others}, http=owner.http)
    return str(answer.json()["token"])


async def owned(service: Running, owner: Account) -> dict[str, str]:
    """The owner's identifier for each name that stands in a path; one that exists nowhere for the rest."""
    size = (await service.http.get("/log/checkpoint")).text.split("\n")[1]
    token = (await owner.http.get("/v1/tokens")).json()["items"][0]["id"]
    fresh = {
        name: identifiers.new_id(kind)
        for name, kind in (
            ("claim", "clm"),
            ("work", "wrk"),
            ("licence", "lic"),
            ("quote", "quo"),
            ("dataset", "dst"),
            ("batch", "bat"),
            ("split", "spl"),
            ("ask", "ask"),
            ("report", "rpt"),
            ("duty", "dut"),
            ("dispute", "dsp"),
            ("organisation", "org"),
            ("model", "mdl"),
            ("invoice", "inv"),
            ("remittance", "rem"),
            ("finding", "fnd"),
            ("invitation", "ivt"),
        )
    }
    return {
        **fresh,
        "statement": owner.id,
        "token": token,
        "path": f"0/000.p/{size}",
        "sha256": "00" * 32,
        "keyid": "00" * 32,
        "period": "2026-10",
        "digest": "00" * 32,
        "prefix": "all",
    }


async def call(
    http: httpx.AsyncClient, path: str, method: str, operation: dict[str, Any], names: dict[str, str]
) -> Any:
    filled = path
    for parameter in operation.get("parameters", []):
        if parameter.get("in") == "path":
            filled = filled.replace("{" + parameter["name"] + "}", names[parameter["name"]])
    headers = {"Idempotency-Key": new_key()} if method == "post" else {}
    content = b""
    if "requestBody" in operation:
        kind = next(iter(operation["requestBody"]["content"]))
        headers["Content-Type"] = kind
        content = b"{}" if kind == "application/json" else b""
    return await http.request(method.upper(), filled, content=content, headers=headers)


def check_as_described(api: dict[str, Any], operation: dict[str, Any], answer: httpx.Response) -> None:
    """The status is documented for the operation, and the body is of the type and schema that it names."""
    name = operation["operationId"]
    status = str(answer.status_code)
    assert status in operation["responses"], f"{name} answered {status}, which is not described"
    response = operation["responses"][status]
    if "$ref" in response:
        response = api["components"]["responses"][status]
    if "content" not in response:
        assert not answer.content, f"{name}: expected no body, got {answer.content[:80]!r}"
        return
    ((kind, content),) = response["content"].items()
    assert answer.headers["content-type"].split("; charset")[0] == kind, name
    if "json" in kind and content["schema"]:
        schema = {**content["schema"], "components": api["components"]}
        jsonschema_rs.validator_for(schema).validate(msgspec.json.decode(answer.content))


async def test_every_route_answers_strangers_as_it_should(dsn: str, tmp_path: Path) -> None:
    async with running(dsn, tmp_path, LOOPS) as service:
        await until_published(service)
        api = described(service)
        found = operations(api)
        missing = {each["operationId"] for *_, each in found} ^ set(WALK)
        assert not missing, f"tests/registry/app/walk.py and the routes differ in: {', '.join(sorted(missing))}"

        owner, other = await service.account("organisation"), await service.account("organisation", "Eve")
        wrong = []
        for path, method, operation in found:
            name = operation["operationId"]
            names = await owned(service, owner)
            narrow = service.client(await token_without(service, owner, scopes_of(operation)))
            for who, http, expected in zip(
                ("nobody", "without the scope", "another tenant"),
                (service.http, narrow, other.http),
                WALK[name],
                strict=True,
            ):
                answer = await call(http, path, method, operation, names)
                if answer.status_code != expected:
                    wrong.append(f"{name} as {who}: expected {expected}, got {answer.status_code} {answer.text[:200]}")
                check_as_described(api, operation, answer)
        assert not wrong, "\n".join(wrong)


async def test_every_route_that_needs_a_scope_says_so(dsn: str, tmp_path: Path) -> None:
    async with running(dsn, tmp_path) as service:
        for _, _, operation in operations(described(service)):
            nobody, narrow, _ = WALK[operation["operationId"]]
            needs_token = any("bearer" in way and way for way in operation.get("security", []))
            optional = {} in operation.get("security", [{}])
            assert (nobody == 401) == (needs_token and not optional), operation["operationId"]
            assert (narrow == 403) == bool(scopes_of(operation)), operation["operationId"]


async def test_the_owner_gets_what_is_described(dsn: str, tmp_path: Path) -> None:
    async with running(dsn, tmp_path, LOOPS) as service:
        await until_published(service)
        api = described(service)
        owner = await service.account("organisation")
        for path, method, operation in operations(api):
            if method == "get":
                names = await owned(service, owner)
                check_as_described(api, operation, await call(owner.http, path, method, operation, names))
