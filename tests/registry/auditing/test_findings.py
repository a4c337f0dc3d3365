"""A finding is signed by the auditor and the office, in the log, and read by whom it concerns and by nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from licet import identifiers, times
from licet.audit import layout, verify_bundle
from licet.errors import VerificationError
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope
from licet.statements.keys import SigningKey
from licet.statements.kinds import AuditFinding, FoundRow, PublicKey
from licet.statements.statement_file import verify_statement_file
from licet.wire.auditing import FindingInfo, FindingLogged
from licet.wire.common import Page, StatementFile
from licet.wire.usage import StatementOnly
from registry.accounts.operators import invite
from tests.registry.auditing.month import Month
from tests.registry.auditing.test_bundles import pulled
from tests.registry.market import problem
from tests.sdk.audit.stage import unpacked

pytestmark = pytest.mark.anyio

change = msgspec.structs.replace
KEY = SigningKey.generate()
ROW = FoundRow("part-0.parquet", 7, "allow", "deny", "no-match is now exact")


async def auditor(month: Month, *scopes: str) -> tuple[str, httpx.AsyncClient]:
    number, token = await invite(month.site.services.database, "auditor", name="Ada Okafor", scopes=scopes)
    return number, month.site.client(token.token)


def found(month: Month, auditor: str, **changes: Any) -> AuditFinding:
    fields: dict[str, Any] = {
        "registry": month.site.services.keys.ref,
        "finding": identifiers.new_id("fnd"),
        "auditor": auditor,
        "key": PublicKey(KEY.public.hex()),
        "concerns": month.lantern.id,
        "period": month.period,
        "check": "sample",
        "about": identifiers.new_id("dst"),
        "document": "0" * 64,
        "examined": 12,
        "failed": 1,
        "rows": [ROW],
        "shown_by": "1" * 64,
        "summary": "one of twelve rows was kept although its work is denied",
        "issued_at": times.to_text(times.now()),
        "nonce": identifiers.new_uuid().hex,
        **changes,
    }
    return AuditFinding(**fields)


async def stated(month: Month, http: httpx.AsyncClient, envelope: Envelope) -> httpx.Response:
    return await month.site.post("/v1/audit/findings", StatementOnly(envelope), http=http)


async def seen(http: httpx.AsyncClient, **asked: str) -> list[FindingInfo]:
    answer = await http.get("/v1/audit/findings", params=asked)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Page[FindingInfo]).items


async def test_a_finding_is_logged_told_shown_and_in_evidence(month: Month, tmp_path: Path):
    number, http = await auditor(month, month.lantern.id)
    payload = found(month, number)
    envelope = envelopes.seal(payload, KEY)
    answer = await stated(month, http, envelope)
    assert answer.status_code == 201, answer.text
    logged = msgspec.json.decode(answer.content, type=FindingLogged)
    again = await stated(month, http, envelope)
    assert msgspec.json.decode(again.content, type=FindingLogged).receipt.log_index == logged.receipt.log_index

    for who in (http, month.lantern.http):
        (info,) = [each for each in await seen(who, period=month.period) if each.finding == payload.finding]
        assert (info.auditor, info.concerns, info.failed) == (number, month.lantern.id, 1)
        assert info.log_index == logged.receipt.log_index
        file = await who.get(f"/v1/audit/findings/{payload.finding}")
        proven = verify_statement_file(msgspec.json.decode(file.content, type=StatementFile), month.trust)
        assert (proven.payload, proven.anchored) == (payload, True)
        assert "signed by the auditor's key" in proven.checks[-1]
    for stranger in (month.candle.http, month.trusted.owner.http, month.auditor):
        assert payload.finding not in {each.finding for each in await seen(stranger)}
        assert problem(await stranger.get(f"/v1/audit/findings/{payload.finding}"))[0] == 404
    told = (await month.lantern.http.get("/v1/events", params={"kind": "audit-finding"})).json()["items"]
    assert payload.finding in {each["subject"] for each in told}

    member = layout.statement_member("audit-finding", payload.finding)
    for who in (month.auditor, month.lantern.http, http):
        path = await pulled(who, tmp_path / "b.zip", month.period)
        assert verify_bundle(path, month.trust).counts["audit-finding"] >= 1
        assert member in unpacked(path)
    assert member not in unpacked(await pulled(month.candle.http, tmp_path / "b.zip", month.period))


async def test_only_auditors_state_findings_and_only_of_what_they_may_see(month: Month):
    number, http = await auditor(month, month.candle.id, month.period)
    mine = {"concerns": month.candle.id}
    beyond = [{"concerns": month.lantern.id}, {**mine, "period": "2020-01"}, {"concerns": identifiers.new_id("org")}]
    for changes in (*beyond, {"concerns": f"art_{month.candle.id[4:]}"}):
        answer = await stated(month, http, envelopes.seal(found(month, number, **changes), KEY))
        assert problem(answer)[:2] == (404, "not-found"), answer.text
    for who in (month.lantern.http, month.trusted.owner.http):
        assert problem(await stated(month, who, envelopes.seal(found(month, number), KEY)))[0] == 403
    honest = found(month, number, **mine)
    other = SigningKey.generate()
    wrong: list[tuple[Envelope, str]] = [
        (envelopes.seal(honest, other), "signatures"),
        (envelopes.seal(honest, KEY, other), "signatures"),
        (envelopes.seal(change(honest, auditor=identifiers.new_id("aud")), KEY), "payload.auditor"),
        (envelopes.seal(change(honest, registry=change(honest.registry, origin="x.example")), KEY), "payload.registry"),
        (envelopes.seal(change(honest, issued_at="2050-01-01T00:00:00.000Z"), KEY), "payload.issued_at"),
    ]
    for envelope, said in wrong:
        answer = await stated(month, http, envelope)
        assert (answer.status_code, said in answer.text) == (400, True), answer.text
    assert (await stated(month, http, envelopes.seal(honest, KEY))).status_code == 201
    reused = change(honest, summary="something else under the same name")
    assert problem(await stated(month, http, envelopes.seal(reused, KEY)))[0] == 409


async def test_a_finding_that_the_office_did_not_vouch_for_or_that_was_changed_is_refused(month: Month):
    number, http = await auditor(month)
    payload = found(month, number)
    assert (await stated(month, http, envelopes.seal(payload, KEY))).status_code == 201
    answer = await http.get(f"/v1/audit/findings/{payload.finding}")
    file = msgspec.json.decode(answer.content, type=StatementFile)
    signatures = file.envelope.signatures
    lies = [
        change(file, envelope=change(file.envelope, signatures=signatures[:1])),
        change(file, envelope=change(file.envelope, signatures=signatures[1:])),
        change(file, envelope=change(file.envelope, signatures=signatures[::-1])),
        change(file, envelope=change(envelopes.seal(change(payload, failed=2), KEY), signatures=signatures)),
        change(file, envelope=envelopes.countersign(envelopes.seal(payload, KEY), SigningKey.generate())),
    ]
    for lie in lies:
        with pytest.raises(VerificationError):
            verify_statement_file(lie, month.trust)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"failed": 0}, "failed"),
        ({"failed": 13}, "failed"),
        ({"rows": [ROW, ROW]}, "rows"),
        ({"period": "2026-13"}, "period"),
        ({"check": "Rows!"}, "check"),
        ({"document": "x"}, "document"),
        ({"shown_by": "0" * 63}, "shown_by"),
        ({"summary": ""}, "summary"),
        ({"summary": "x" * 2001}, "summary"),
        ({"summary": "a\x00b"}, "summary"),
    ],
)
async def test_a_finding_says_what_it_is_about(month: Month, changes: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=f"^{said}: expected"):
        found(month, "aud_x", **changes)
    number, http = await auditor(month)
    body = msgspec.to_builtins(found(month, number)) | msgspec.to_builtins(changes)
    sealed = envelopes.seal(msgspec.convert(body, _Loose), KEY)
    answer = await stated(month, http, sealed)
    assert (answer.status_code, said in answer.text) == (400, True), answer.text


class _Loose(msgspec.Struct, tag_field="type", tag="audit-finding"):
    """A finding whose fields nobody has looked at."""

    registry: Any
    finding: Any
    auditor: Any
    key: Any
    concerns: Any
    period: Any
    check: Any
    about: Any
    document: Any
    examined: Any
    failed: Any
    rows: Any
    shown_by: Any
    summary: Any
    issued_at: Any
    nonce: Any
    v: int = 1
