"""Nothing that a caller sends is a fault of ours: no bytes, depth or characters of a request make a 500."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from registry.accounts import operators
from registry.openapi import document
from tests.registry.harness import running

pytestmark = pytest.mark.anyio

AUDITORS = frozenset({"/v1/audit/findings"})  # who else asks is refused before the body is read
DEEP = (b'{"a":' * 100_000, b"[" * 60_000 + b"]" * 60_000, b'{"terms":' + b'{"a":' * 20_000)


async def test_json_of_any_depth_is_refused_as_the_callers(dsn: str, tmp_path: Path):
    async with running(dsn, tmp_path) as service:
        lab = await service.account("organisation")
        api: dict[str, Any] = msgspec.json.decode(document(service.app))
        paths = [path for path, item in api["paths"].items() if "post" in item]
        assert {"/v1/statements/draft", *AUDITORS} <= set(paths)
        invited = await operators.invite(service.services.database, "auditor", name="Aud")
        auditor = service.client(invited[1].token)
        for path in paths:
            for body in DEEP:
                answer = await service.post(path, body, http=auditor if path in AUDITORS else lab.http)
                assert answer.status_code in (400, 413, 415), (path, answer.text)


async def test_a_nul_in_any_parameter_is_refused_or_finds_nothing(dsn: str, tmp_path: Path):
    async with running(dsn, tmp_path) as service:
        lab = await service.account("organisation")
        api: dict[str, Any] = msgspec.json.decode(document(service.app))
        asked = [
            (path, each["name"])
            for path, item in api["paths"].items()
            for each in item.get("get", {}).get("parameters", ())
            if each["in"] == "query"
        ]
        assert ("/v1/works", "external_id") in asked
        for path, name in asked:
            answer = await lab.http.get(path, params={name: "a\0b"})
            assert answer.status_code < 500, (path, name, answer.text)


async def test_a_value_of_another_type_is_never_bent_into_shape(dsn: str, tmp_path: Path):
    async with running(dsn, tmp_path) as service:
        lab = await service.account("organisation")
        use = {"atoms": ["train-gen"], "purpose": [], "territory": None, "model": "o/m", "version": "1"}
        use |= {"model_scope": "one-version", "open_weights": None}
        quote: dict[str, Any] = {
            "use": use,
            "works": [],
            "dataset": None,
            "run": "one",
            "budget": [],
            "fit_budget": "true",
        }
        for path, body, field in (
            ("/v1/quotes", quote, "/fit_budget"),
            ("/v1/quotes", {**quote, "fit_budget": 1}, "/fit_budget"),
            ("/v1/tokens", {"scopes": ["query"], "expires_in_days": "7"}, "/expires_in_days"),
            ("/v1/works/find", {"works": [1]}, "/works/0"),
        ):
            answer = await service.post(path, body, http=lab.http)
            assert answer.status_code == 400, answer.text
            assert [each["pointer"] for each in answer.json()["errors"]] == [field], answer.text
