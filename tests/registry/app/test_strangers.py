"""What is one's own is nobody else's: every private read and change of the description, asked again by strangers.

The story makes one of everything. Each operation that needs a token is then asked with the owner's own identifiers by
another artist, another organisation, an auditor and nobody: one thing is a 404 (401 and 403 where they may not even
ask), and no list holds an identifier out of the owner's.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from licet import identifiers
from licet.identifiers import new_uuid
from registry.accounts import operators
from registry.openapi.examples import Example
from tests.registry.app.story import Recorder, tell
from tests.registry.catalogue import registry
from tests.registry.claims.internet import internet

pytestmark = pytest.mark.anyio

ID = re.compile("(?:" + "|".join(identifiers.KINDS) + ")_[0-7][0-9a-hjkmnp-tv-z]{25}")


# What a stranger may post word for word: it speaks of nobody, or each item in it is answered for itself.
OWN_EFFECT = {
    "createClaim": 201,  # of the account that asks, with a value of its own
    "createInvitation": 201,
    "createQuote": 201,
    "createToken": 201,
    "eraseAccount": 201,  # a dry run, of the account that asks
    "registerWorks": 201,
    "changeWorks": 200,
    "findWorks": 200,
}
SEEN_BY_AUDITORS = {"listDuties", "getDuty", "listDisputes", "getDispute"}
# What is asked of a month is answered to everybody for itself.
OWN_PART = {"getPeriodLine", "listPeriodBatches"}


def private(api: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation of everything that cannot be asked without a token, and takes no signed body."""
    return [
        (path, method, operation)
        for path, item in api["paths"].items()
        for method, operation in item.items()
        if operation["security"] and {} not in operation["security"] and method in ("get", "patch", "delete")
    ]


def posts(api: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """The same of everything that is posted with a token."""
    return [
        (path, "post", item["post"])
        for path, item in api["paths"].items()
        if "post" in item and item["post"]["security"] and {} not in item["post"]["security"]
    ]


async def ask(http: httpx.AsyncClient, path: str, method: str, told: Example) -> httpx.Response:
    query = {}
    for name, value in told.parameters.items():
        if "{" + name + "}" in path:
            path = path.replace("{" + name + "}", str(value))
        else:
            query[name] = value
    return await http.request(
        method.upper(),
        path,
        params=query,
        json=told.request if method in ("patch", "post") else None,
        headers={"Idempotency-Key": f'"{new_uuid()}"'},
    )


async def _unaudited(recorder: Recorder, strangers: dict[str, httpx.AsyncClient]) -> None:
    """What is for the parties and their auditors is for no others: bundles, and statements that are not public."""
    for name in ("getLicence", "logDataset", "logRun", "submitUsage"):
        told = msgspec.json.encode(recorder.heard[name].answer).decode()
        owned = sorted(each for each in set(ID.findall(told)) if each[:4] in ("lic_", "dst_", "run_", "bat_"))
        assert owned, name
        for each in owned:
            for who, http in strangers.items():
                answer = await http.get(f"/v1/statements/{each}")
                assert answer.status_code == 404, (name, who, each)
    asked = recorder.heard["getAuditBundle"].parameters
    told = f"{recorder.heard['getLicence'].answer} {recorder.heard['getQuote'].answer}"
    owners = {each for each in ID.findall(told) if each[:4] in ("org_", "art_")}
    assert {each[:3] for each in owners} == {"org", "art"}
    for owner in owners:
        name = "organisation" if owner.startswith("org_") else "artist"
        for path, more in (("bundle", {}), ("export", {"table": "events"}), ("export", {"table": "entries"})):
            for who, http in strangers.items():
                answer = await http.get(f"/v1/audit/{path}", params={**asked, **more, name: owner})
                assert answer.status_code == (401 if who == "nobody" else 404), (who, owner, answer.text)


async def test_nobody_reads_or_changes_what_is_anothers(dsn: str, tmp_path: Path, api: dict[str, Any]) -> None:
    recorder = Recorder(api)
    async with internet(tmp_path) as net, registry(dsn, tmp_path / "data", **net.settings) as site:
        await tell(site, recorder, net)
        artist, lab = await site.account(name="Eve"), await site.account("organisation", "Mallory")
        auditor = await operators.invite(site.services.database, "auditor", name="Aud")
        scoped = {
            f"an auditor of {what}": site.client(
                (await operators.invite(site.services.database, "auditor", scopes=scopes))[1].token
            )
            for what, scopes in {
                "another artist": [artist.id],
                "another organisation": [lab.id],
                "another month": ["2020-01..2020-12"],
            }.items()
        }
        strangers = {
            "another artist": artist.http,
            "another organisation": lab.http,
            "an auditor": site.client(auditor[1].token),
            **scoped,
            "nobody": site.client(),
        }
        await _unaudited(recorder, {**scoped, **{who: strangers[who] for who in ("another artist", "nobody")}})
        items = set()
        for path, method, operation in private(api):
            name = operation["operationId"]
            if name in ("getAuditBundle", "exportAudit"):  # an auditor's is everybody's; below, and in ../auditing
                continue
            told = recorder.heard["getWork" if name == "getThumbnail" else name]  # a picture is no example
            owned = set(ID.findall(msgspec.json.encode(told.answer).decode()))
            for who, http in strangers.items():
                if who == "an auditor" and name in SEEN_BY_AUDITORS:  # of everything, and these are in it
                    continue
                answer = await ask(http, path, method, told)
                if "{" in path:
                    items.add(name)
                    wanted = {401} if who == "nobody" else {200} if name in OWN_PART else {403, 404}
                    assert answer.status_code in wanted, (name, who, answer.text)
                else:
                    wanted = {401} if who == "nobody" else {204 if name == "signOut" else 200, 403}
                    assert answer.status_code in wanted, (name, who, answer.text)
                assert not owned & set(ID.findall(answer.text)), (name, who, answer.text)
        posted = set()
        for path, method, operation in posts(api):
            told = recorder.heard[operation["operationId"]]
            if told.request is None:
                continue
            posted.add(name := operation["operationId"])
            sent = set(ID.findall(msgspec.json.encode([told.request, told.parameters]).decode()))
            owned = set(ID.findall(msgspec.json.encode(told.answer).decode())) - sent
            for who, http in strangers.items():
                answer = await ask(http, path, method, told)
                wanted = {401} if who == "nobody" else {OWN_EFFECT.get(name, 400), 400, 403, 404, 409}
                assert answer.status_code in wanted, (name, who, answer.text)
                found = {each for each in owned & set(ID.findall(answer.text)) if not each.startswith("art_")}
                assert not found, (name, who, answer.text)  # whose work it is, a quote tells everybody
        assert posted >= {"submitStatement", "submitUsage", "changeWorks", "findWorks", "logRun", "addKey"}
        assert items >= {"getWork", "getThumbnail", "changeWork", "revokeToken", "getQuote", "getLicence"}
