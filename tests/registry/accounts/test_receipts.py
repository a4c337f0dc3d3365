"""COSE receipts over HTTP: for whom the statement is, about the published log, by the log's key."""

from __future__ import annotations

import pytest

from licet.canonical import from_base64
from licet.exports import receipt
from licet.log import checkpoint as checkpoints
from registry.accounts import statements
from tests.registry.harness import running

pytestmark = pytest.mark.anyio


async def test_anybody_gets_a_receipt_of_a_public_statement_and_it_holds(dsn, tmp_path):
    async with running(dsn, tmp_path) as service:
        ada = await service.account()
        path = f"/v1/statements/{ada.id}"
        file = (await service.http.get(path)).json()
        answer = await service.http.get(f"{path}/receipt.cose")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/cose"
        log = service.services.keys.log_signer.verifier
        placed = receipt.verify(answer.content, from_base64(file["entry"]), log)
        assert f"index {placed.index}\n" in file["proof"]
        state = checkpoints.open((await service.http.get("/log/checkpoint")).content, log)
        assert (placed.size, placed.root) == (state.size, state.root)


async def test_there_is_no_receipt_of_what_is_not_there_or_not_for_everybody(dsn, tmp_path, monkeypatch):
    async with running(dsn, tmp_path) as service:
        ada = await service.account()
        for name, status in (("art_01m3250v00e008000000000004", 404), ("stm_secret", 400)):
            answer = await service.http.get(f"/v1/statements/{name}/receipt.cose")
            assert answer.status_code == status, answer.text
        monkeypatch.setattr(statements, "PUBLIC_KINDS", frozenset())
        assert (await service.http.get(f"/v1/statements/{ada.id}/receipt.cose")).status_code == 404
        assert (await ada.http.get(f"/v1/statements/{ada.id}/receipt.cose")).status_code == 200
