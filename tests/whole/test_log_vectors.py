"""The browser's proofs against vectors of others and against our own trees, in a real Chromium."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from licet.log import merkle, note, tiles
from tests.whole.browser import chromium
from tests.whole.stage import Service

NOTES = Path(__file__).parents[1] / "sdk" / "log" / "vectors" / "cosigned"
NONE = b64encode(bytes(32)).decode()
_WHICH = """async ([script, name, cases]) => {
    const proving = await import(script);
    const bytes = text => text === null ? new Uint8Array() : proving.bytesOf(text);
    const all = texts => (texts ?? []).map(bytes);
    const ways = {
        inclusion: each => proving.verifyInclusion(
            bytes(each.leafHash), Number(each.leafIdx), Number(each.treeSize), all(each.proof), bytes(each.root)),
        consistency: each => proving.verifyConsistency(
            Number(each.size1), Number(each.size2), bytes(each.root1), bytes(each.root2), all(each.proof)),
        signature: async each => {
            if (!await proving.holds(bytes(each.key), bytes(each.sig), bytes(each.msg))) throw new Error('false');
        },
        note: each => proving.readCheckpoint(each),
    };
    const found = [];
    for (const each of cases) {
        try {
            await ways[name](each);
            found.push(true);
        } catch {
            found.push(false);
        }
    }
    return found;
}"""
_TREE = """async ([script, size, files, indices, olds]) => {
    const proving = await import(script);
    const tree = new proving.Tiles(size, async path => proving.bytesOf(files[path]));
    const shown = hashes => hashes.map(proving.base64);
    const found = {leaves: [], consistency: []};
    for (const index of indices) found.leaves.push(shown(await tree.inclusionProof(index)));
    for (const old of olds) found.consistency.push(shown(await tree.consistencyProof(old)));
    return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def page(browser: Browser, service: Service) -> Iterator[Page]:
    """A page that may import our module by itself: what the portal's pages load is under a nonce."""
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"http://localhost:{service.port}/en/log")
    yield page
    context.close()


def script(page: Page) -> str:
    own: str = page.get_attribute("script[src$='/log.js']", "src") or ""
    return own.replace("/log.js", "/proving.js")


def told(page: Page, name: str, cases: list[Any]) -> list[bool]:
    found: list[bool] = page.evaluate(_WHICH, [script(page), name, cases])
    assert len(found) == len(cases)
    return found


@pytest.mark.parametrize(("name", "least"), [("inclusion", 90), ("consistency", 70)])
def test_published_vectors_of_rfc_6962_are_told_right(page: Page, vectors: Path, name: str, least: int) -> None:
    cases = [json.loads(path.read_text()) for path in sorted((vectors / "merkle" / name).rglob("*.json"))]
    sent = [{key: str(value) if isinstance(value, int) else value for key, value in each.items()} for each in cases]
    assert len(cases) >= least
    # Ours takes nothing for a root that is no SHA-256, even where two of them are the same.
    expected = [not each["wantErr"] and len(each.get("root1", NONE)) == len(NONE) for each in cases]
    assert told(page, name, sent) == expected
    assert {True, False} == set(expected)


def test_published_vectors_of_ed25519_are_told_right(page: Page, vectors: Path) -> None:
    cases, expected = [], []
    for group in json.loads((vectors / "wycheproof" / "ed25519_test.json").read_text())["testGroups"]:
        for each in group["tests"]:
            fields = {"key": group["publicKey"]["pk"], "sig": each["sig"], "msg": each["msg"]}
            cases.append({name: b64encode(bytes.fromhex(value)).decode() for name, value in fields.items()})
            expected.append(each["result"] == "valid")
    assert len(cases) > 100
    assert told(page, "signature", cases) == expected


def test_checkpoints_of_public_logs_are_read_and_their_spoilt_copies_are_not(page: Page) -> None:
    good = [path.read_text() for path in sorted(NOTES.glob("*.note"))]
    assert good
    assert all(told(page, "note", good))
    one = good[0]
    spoilt = [
        *(one[:-1], one.replace("\n\n", "\n"), one.replace("\u2014 ", "- "), f"{one}\n", one.replace("\n", "\r\n")),
        *(one.replace("\n", "\n0", 1), one.replace("=\n", "\n", 1), one.partition("\n\n")[0] + "\n\n", ""),
        one.replace("\n\n", "\nextension\n\n"),
    ]
    assert not any(told(page, "note", spoilt))


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 511, 600, 65_536 + 300])
def test_proofs_from_tiles_are_those_of_our_own_trees(page: Page, size: int) -> None:
    leaves = [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(size)]
    tree = merkle.Tree(leaves)
    files = {each.path: b64encode(content).decode() for each, content in tiles.extend(0, leaves, lambda *_: b"")}
    indices = sorted({each % size for each in (0, 1, 254, 255, 256, 300, size // 2, size - 2, size - 1)})
    olds = sorted({each for each in (1, 2, 255, 256, 257, 512, size // 2, size - 1, size) if 0 < each <= size})
    found = page.evaluate(_TREE, [script(page), size, files, indices, olds])

    def shown(hashes: list[bytes]) -> list[str]:
        return [b64encode(each).decode() for each in hashes]

    assert found["leaves"] == [shown(tree.inclusion_proof(index)) for index in indices]
    assert found["consistency"] == [shown(tree.consistency_proof(old)) for old in olds]


def test_a_key_id_is_the_one_that_go_and_we_compute(page: Page) -> None:
    verifier = note.Signer("ours.example/log", bytes(range(32))).verifier
    way = "async ([script, name, key]) => { const p = await import(script); return p.keyId(name, p.bytesOf(key)); }"
    sent = [script(page), verifier.name, b64encode(verifier.public_key).decode()]
    assert page.evaluate(way, sent) == verifier.key_id.hex()
