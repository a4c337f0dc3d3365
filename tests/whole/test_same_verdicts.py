"""One question has one answer: from a snapshot on one's own machine, and from the service, at the same state."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image, ImageOps

from licet.client import Client
from licet.decisions import VERDICTS, Request
from licet.fingerprints.picture import examine_bytes, examine_picture
from licet.home import Home
from licet.wire.licensing import Answers, RowKeys
from tests.whole.conftest import People
from tests.whole.stage import Person, Service, drawing, encoded

PAID = ("--preset", "paid", "--price", "0.25", "--currency", "EUR", "--price-model", "per-work")
OPEN = Path(__file__).resolve().parents[2] / "demo" / "terms" / "open.toml"
PAGE = "https://pictures.example/mei/lantern.png"
ABSENT = "ab" * 32

REQUESTS: dict[str, dict[str, Any]] = {
    "training, commercial": {"uses": ["train-gen"]},
    "training and evaluation for research": {"uses": ["train-nongen", "evaluate"], "purpose": ["research"]},
    "search": {"uses": ["search"]},
    "style, somewhere": {"uses": ["finetune-style", "mine"], "purpose": ["non-commercial"], "territory": ["DE"]},
}


class World(NamedTuple):
    """A trainer, what it asks about, and a connection that asks the service."""

    trainer: Person
    inputs: list[str]
    rows: list[RowKeys]
    client: Client
    consent_version: int
    log_size: int


@pytest.fixture(scope="module")
def world(service: Service, person: People, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Works in every state, and files, copies, addresses and digests that do or do not match them."""
    tomas = person("tomas").joins("artist", "Tomás Reyes")
    mei = person("mei").joins("artist", "Mei Lin")
    service.office("attest", tomas.account, "--level", "3", "--evidence", "source files")
    signed: list[tuple[Person, list[str | Path]]] = [
        (tomas, [tomas.draws("open", 401, 402), "--terms", OPEN]),
        (tomas, [tomas.draws("paid", 403, 404), *PAID]),
        (mei, [mei.draws("open", 411), "--terms", OPEN]),  # her claim is backed by nothing
        (mei, [mei.draws("hidden", 412), "--preset", "research", "--fingerprint-only"]),
        (mei, [mei.draws("page", 413), "--preset", "research", "--url", PAGE]),
    ]
    with ThreadPoolExecutor(2) as pool:  # an account signs one statement after another

        def in_turn(who: Person) -> None:
            for each, arguments in signed:
                if each is who:
                    who.does("register", *arguments)

        list(pool.map(in_turn, (tomas, mei)))
    other = tomas.folder / "mine too"
    other.mkdir()
    (other / "411.png").write_bytes(encoded(drawing(411), compress_level=1))
    (other / "405.png").write_bytes(encoded(drawing(405)))
    tomas.does("register", other, "--terms", OPEN)  # two claims to one picture
    work = next(work for work in tomas.does("works", "list")["works"] if work["title"] == "402")
    tomas.does("works", "withdraw", work["work"], "--yes")
    last = mei.does("terms", "set", "--all", "--preset", "research")  # looser for one of hers: it waits

    trainer = person("verifier").joins("organisation", "Lantern Labs")
    snapshot = trainer.does("snapshot", "pull", "--covering", str(last["log_index"]))["snapshot"]
    inputs = [*_files(trainer.folder / "rows"), PAGE, "https://pictures.example/nobody.png"]
    digests = [examine_bytes(encoded(drawing(seed))).fingerprint.sha256 for seed in (401, 403, 412, 499)]
    inputs += [*digests, ABSENT]
    home = tmp_path_factory.mktemp("connection")
    token = (trainer.home / "profiles" / "default" / "token").read_text().strip()
    with Client(service.url, token, home=Home(home)) as client:
        yield World(
            trainer, inputs, [_row(given) for given in inputs], client, snapshot["consent_version"],
            snapshot["log_size"],
        )  # fmt: skip


def _files(folder: Path) -> list[str]:
    folder.mkdir()
    for seed in (401, 402, 403, 404, 405, 411, 412, 413, 499):
        (folder / f"{seed}.png").write_bytes(encoded(drawing(seed)))
    copies: dict[str, Image.Image] = {
        "403 mirrored": ImageOps.mirror(drawing(403, 384)),
        "401 turned": drawing(401, 384).rotate(90),
        "404 shrunk": drawing(404).resize((70, 70)),
        "412 copied": drawing(412, 200),
        "413 copied": drawing(413, 150),
        "498 strange": drawing(498),
    }
    for name, picture in copies.items():
        (folder / f"{name}.jpg").write_bytes(encoded(picture, "JPEG", quality=88))
    return [str(path) for path in sorted(folder.iterdir())]


def _row(given: str) -> RowKeys:
    if given.startswith("https:"):
        return RowKeys(url=given)
    if not given.startswith("/"):
        return RowKeys(sha256=given)
    examined, _ = examine_picture(Path(given).read_bytes(), iscc=True)
    found = examined.fingerprint
    turned = ",".join(np.asarray(each, np.uint8).tobytes().hex() for each in examined.orientations)
    return RowKeys(sha256=found.sha256, pixels=found.pixels, pdq=turned, quality=found.quality, iscc=found.iscc)


def _asked(request: dict[str, Any]) -> list[str]:
    options = {"uses": "--use", "purpose": "--purpose", "territory": "--territory"}
    return [word for field, values in request.items() for word in (options[field], ",".join(values))]


def _online(world: World, request: dict[str, Any]) -> Answers:
    answers = world.client.query(Request(**request).to_json(), world.rows)
    assert answers.consent_version == world.consent_version
    assert answers.log_size >= world.log_size  # what was logged since are snapshots, which change nothing
    return answers


@pytest.fixture(scope="module")
def offline(world: World) -> dict[str, list[dict[str, Any]]]:
    """The answers from the snapshot, by request."""
    answers = {}
    for name, request in REQUESTS.items():
        document = world.trainer.does("check", *world.inputs, *_asked(request), "--offline")
        assert document["log_size"] == world.log_size
        answers[name] = document["results"]
    return answers


@pytest.mark.parametrize("name", REQUESTS)
def test_snapshot_and_service_give_the_same_verdicts(
    world: World, offline: dict[str, list[dict[str, Any]]], name: str
) -> None:
    online = _online(world, REQUESTS[name]).results
    for given, here, there in zip(world.inputs, offline[name], online, strict=True):
        assert (here["verdict"], here["reason"]) == (there.verdict, there.reason), given
        assert {match["work"] for match in here["matches"]} == {match.work for match in there.matches}, given
        if here["work"] is not None:
            first = there.matches[0]
            assert (here["work"], here["statement"], here["match"]) == (first.work, first.statement, first.kind), given
            assert (here["distance"] or 0, here["claim_level"]) == (first.distance, first.claim_level), given
            if here["verdict"] == "license":
                assert (here["price"], here["currency"]) == (first.price, first.currency), given


@pytest.mark.parametrize("name", REQUESTS)
def test_a_digest_has_the_verdict_byte_of_its_row(
    world: World, offline: dict[str, list[dict[str, Any]]], name: str
) -> None:
    digests = [number for number, given in enumerate(world.inputs) if len(given) == 64]
    query = [
        ("use" if field == "uses" else field, value) for field, values in REQUESTS[name].items() for value in values
    ]
    keys = b"".join(bytes.fromhex(world.inputs[number]) for number in digests)
    path = "/v1/licensing/lookup?" + urlencode(query)
    answer = world.client.transport.request("POST", path, body=keys, content_type="application/octet-stream")
    assert [VERDICTS[code] for code in answer.body] == [offline[name][number]["verdict"] for number in digests]
    assert int(answer.headers["licet-consent-version"]) == world.consent_version


def test_the_rows_are_of_every_kind(offline: dict[str, list[dict[str, Any]]]) -> None:
    rows = [row for answers in offline.values() for row in answers]
    assert {row["verdict"] for row in rows} == set(VERDICTS)
    assert {row["match"] for row in rows} == {None, "exact", "near"}
    reasons = {"no-match", "not-examined", "claim-level", "withdrawn", "fingerprint-only", "url-only"}
    assert reasons <= {row["reason"] for row in rows}


def test_ranges_give_the_verdicts_of_exact_copies(world: World) -> None:
    request = REQUESTS["training, commercial"]
    found = world.trainer.does("check", *world.inputs, *_asked(request), "--private")
    online = world.client.query(Request(**request).to_json(), world.rows, "exact")
    for given, here, there in zip(world.inputs, found["results"], online.results, strict=True):
        assert (here["verdict"], here["reason"]) == (there.verdict, there.reason), given
        assert {match["work"] for match in here["matches"]} == {match.work for match in there.matches}, given
    assert (found["snapshot"], found["expires_at"]) == (None, None)
    assert found["log_size"] >= world.log_size
    assert "the registry was told nothing" in found["notes"][0]
    world.trainer.does("check", ABSENT, *_asked(request), "--private", "--offline", code=2)
