"""The registry's own keys change while it runs: what was signed before holds, and what comes later, for everybody."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from licet.audit.mirror import in_folder
from licet.log import checkpoint as checkpoints
from licet.log import note, tiles, witnessing
from licet.statements.keys import SigningKey
from tests import forking
from tests.sdk.log.test_against_go import SOURCE, built
from tests.whole.conftest import People
from tests.whole.stage import SECONDS, Person, Service

NOBODY = "http://127.0.0.1:9"
pytestmark = pytest.mark.slow
USE = ("--use", "train-gen", "--purpose", "commercial")
PAID = ("--preset", "paid", "--price", "0.05", "--currency", "USD")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A registry of its own: what happens to its keys is nobody else's."""
    service = Service(tmp_path_factory.mktemp("keys"), origin="keys.example/licet", snapshot_delay="1s")
    yield service
    service.end()


def vkey(site: Service) -> str:
    with urlopen(f"{site.url}/log/vkey") as answer:  # our own
        return str(answer.read().decode().strip())


@contextmanager
def witness(who: Person, *vkeys: str) -> Iterator[str]:
    """Let ``who`` cosign the log of these keys."""
    logs = [word for each in vkeys for word in ("--log", each)]
    process = who.starts("witness", "serve", *logs, "--name", "witness.example", "--port", "0")
    assert process.stdout is not None
    ready, _, url = process.stdout.readline().strip().partition(" ")
    assert ready == "ready", process.communicate()
    try:
        yield url
    finally:
        process.terminate()
        assert who.ended(process).code == 0


def cosigned(url: str, site: Service, old: int) -> int:
    """Return the size that the witness at ``url``, which saw ``old`` entries last, has cosigned now."""
    mirror = in_folder(site.data / "public" / "log")
    text = mirror.read("checkpoint").decode()
    size = checkpoints.parse(note.parse(text).text).size
    tree = tiles.TileTree(size, lambda level, index, width: mirror.read(tiles.tile_path(level, index, width)))
    body = witnessing.request_body(old, tree.consistency_proof(old) if old else [], text)
    with urlopen(Request(f"{url}/add-checkpoint", body.encode() if isinstance(body, str) else body)) as answer:
        assert answer.read().count("\u2014 witness.example ".encode()) == 2
    return size


def signs(who: Person, name: str, seed: int) -> list[tuple[str, ...]]:
    """Let ``who`` register a picture; return how each form of what was signed is verified."""
    statement = who.does("register", who.draws(name, seed), *PAID)["statement"]
    who.does("statement", "fetch", statement, "-o", f"{name}.json")
    who.does("statement", "fetch", statement, "--receipt", "-o", f"{name}.cose")
    forms = [(f"{name}.json",), (f"{name}.cose", "--entry", f"{name}.json")]
    if name != "before":
        return forms
    who.does("statement", "export", f"{name}.json", "--as", "vc", "-o", f"{name}.vc")
    who.does("statement", "export", f"{name}.json", "--as", "scitt", "--receipt", f"{name}.cose", "-o", f"{name}.scitt")
    return [*forms, (f"{name}.vc",), (f"{name}.scitt",)]


def test_everything_holds_across_a_change_of_every_key(site: Service, person: People, tmp_path: Path) -> None:
    ada, watcher = person("across", site.url).joins("artist", "Ada"), person("witness", site.url)
    forms = signs(ada, "before", 731)
    snapshot = ada.does("snapshot", "pull")["snapshot"]["sequence"]
    older = vkey(site)
    with witness(watcher, older) as url:
        seen = cosigned(url, site, 0)
    first = {each["purpose"]: each["key"] for each in site.office("key", "list")["keys"]}
    newer = {purpose: site.office("key", "rotate", purpose)["key"] for purpose in ("log", "snapshot", "office")}
    asked, signed = tmp_path / "new.json", tmp_path / "signed.json"
    site.office("key", "request", "licence", "-o", asked)
    site.office("key", "sign", asked, "--root", site.data / "keys" / "root.pem", "-o", signed)
    installed = site.office("key", "install", signed)["log_indices"]
    assert site.office("key", "install", signed)["log_indices"] == installed
    for purpose, word in (("log", "retire"), ("office", "revoke"), ("snapshot", "retire"), ("licence", "revoke")):
        ended = site.office("key", word, first[purpose][:16])
        assert ended["reason"] == ("retired" if word == "retire" else "compromised")
    states = {each["key"]: each["state"] for each in site.office("key", "list")["keys"]}
    assert [states[first[purpose]] for purpose in ("log", "office", "cosignature")] == [
        "retired", "compromised", "in force",
    ]  # fmt: skip
    assert all(states[key] == "in force" for key in newer.values())
    forms += signs(ada, "after", 733)
    assert vkey(site) != older

    for form in forms:
        assert ada.does("statement", "verify", *form, LICET_URL=NOBODY)["verified"] is True, form
    assert ada.does("snapshot", "verify")["verified"] is True
    entry = ada.does("statement", "verify", "after.json", LICET_URL=NOBODY)["log_index"]
    assert ada.does("snapshot", "pull", "--covering", str(entry))["snapshot"]["sequence"] > snapshot
    assert ada.does("snapshot", "verify")["verified"] is True
    assert ada.does("monitor", "--once")["findings"] == []
    whole = ada.types("log", "verify")
    assert whole.code == 0, whole
    assert "9 keys, 4 of them ended, signed by the pinned root" in whole.out

    for rules, code in ((older, 1), (vkey(site), 0)):
        (ada.folder / "policy").write_text(f"log {rules}\nquorum none\n")
        assert ada.types("log", "verify", "--policy", "policy").code == code, rules
    with witness(watcher, older, vkey(site)) as url:
        assert cosigned(url, site, seen) > seen


def test_bundles_and_gos_own_verifier_hold_across_a_change_of_the_logs_key(
    site: Service, person: People, tmp_path: Path
) -> None:
    ada = person("ada-bundles", site.url).joins("artist", "Ada")
    registered = ada.does("register", ada.draws("works", 735, 736), *PAID)
    lantern = person("lantern-bundles", site.url).joins("organisation", "Lantern Labs")
    auditor, stranger = person("auditor-bundles", site.url), person("stranger-bundles", site.url)
    token = site.office("invite", "--role", "auditor")["token"]
    # The period of the books that are pulled, whatever day it is when this ends.
    period = lantern.does("snapshot", "pull")["snapshot"]["issued_at"][:7]

    def used(seed: int, run: str) -> None:
        lantern.does(
            "filter", lantern.draws(f"in-{seed}", seed), "-o", f"kept-{seed}", *USE, "--accept",
            "--model", f"lantern/m{seed}@1", "--dataset", f"d{seed}", "--budget", "5USD", "--run", run,
        )  # fmt: skip

    def walks(codes: dict[str, int]) -> None:
        """What Go says under each of these keys, where it is on this machine."""
        for each, code in codes.items():
            if go is not None:
                done = subprocess.run([go, site.data / "public" / "log", each], capture_output=True, timeout=60)
                assert done.returncode == code, (each, done)

    try:
        go: Path | None = built(SOURCE.parent / "walk" / "main.go", tmp_path)
    except pytest.skip.Exception:
        go = None
    lantern.does("snapshot", "pull", "--covering", str(registered["log_index"]))
    used(735, "1")
    auditor.does("audit", "pull", "--period", period, "-o", "before.zip", LICET_TOKEN=token)
    older = vkey(site)
    walks({older: 0})
    old = next(each["key"] for each in site.office("key", "list")["keys"] if _in_force(each, "log"))
    site.office("key", "rotate", "log")
    newer = vkey(site)
    assert newer != older  # at once, whichever process answers
    used(736, "1")
    walks({older: 0, newer: 0})  # both sign, and Go passes over lines that it does not know
    auditor.does("audit", "pull", "--period", period, "-o", "between.zip", LICET_TOKEN=token)
    site.office("key", "retire", old[:16])
    lantern.does("run", "report", "--model", "lantern/m736@1", "--dataset", "kept-736.manifest.json", "--run", "2")
    walks({older: 1, newer: 0})
    auditor.does("audit", "pull", "--period", period, "-o", "after.zip", LICET_TOKEN=token)
    for name in ("before.zip", "between.zip", "after.zip"):
        found = auditor.does("audit", "verify", name, LICET_URL=NOBODY)
        assert found["verified"] is True, (name, found)
    # Somebody who meets the registry only now pins the same root, and the books of before hold for them too.
    stranger.does("snapshot", "pull")
    assert stranger.does("audit", "verify", auditor.folder / "before.zip", LICET_URL=NOBODY)["verified"] is True


def _in_force(key: dict[str, Any], purpose: str) -> bool:
    return bool(key["purpose"] == purpose and key["state"] == "in force")


def test_what_the_root_did_not_sign_changes_no_key(site: Service, tmp_path: Path) -> None:
    before = site.office("key", "list")["keys"]
    stranger, asked = tmp_path / "stranger.pem", tmp_path / "asked.json"
    SigningKey.generate().save(stranger)
    site.office("key", "request", "office", "-o", asked)
    for words, told in (
        (("sign", asked, "--root", stranger, "-o", tmp_path / "signed.json"), "root: expected the key"),
        (("install", asked), "expected what the root has signed"),
        (("rotate", "log", "--root", stranger), "root: expected the key"),
        (("rotate", "log", "--root", tmp_path / "none.pem"), "with the root elsewhere: `key request`"),
        (("revoke", "00"), "expected the id of one key in force"),
    ):
        code, _, err = forking.run(
            site.programs / "licet-registry", "key", *map(str, words),
            cwd=tmp_path, environment=site.environment, seconds=SECONDS,
        )  # fmt: skip
        assert (code, told in err) == (2, True), err
    assert site.office("key", "list")["keys"] == before
