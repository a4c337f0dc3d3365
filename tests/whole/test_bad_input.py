"""What goes wrong is said plainly, with the right exit code, leaves nothing half-done, and can be done right next."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from licet import times
from licet.terms import ATOMS
from tests.whole.conftest import People
from tests.whole.stage import BIN, Forward, Line, Person, Service, Told, drawing, encoded, line_to

USE = ("--use", "train-gen")
NOBODY = "http://127.0.0.1:9"
PAID = ("--preset", "paid", "--price", "0.05", "--currency", "USD")
ACCEPT = (*USE, "--accept", "--model", "lantern/lantern@1", "--dataset", "lantern-train")


def vast_png() -> bytes:
    """Return a valid PNG of 30,000 × 30,000 pixels: 900 megapixels of nothing in about a tenth of a megabyte."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    side = 30_000
    packer = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    pixels = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def tampered(data: bytes) -> bytes:
    """Return ``data`` with one bit in its middle turned."""
    place = len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def left_behind(folder: Path, name: str) -> list[str]:
    """Return what there is of an output or its companions."""
    return sorted(path.name for path in folder.iterdir() if path.name.startswith(name) or name in path.name)


# -- arguments -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def typist(artist: Person) -> Person:
    """Somebody whose folder has everything to get wrong."""
    artist.draws("good", 201)
    (artist.folder / "empty").mkdir()
    pq.write_table(pa.table({"caption": ["a"], "n": [1]}), artist.folder / "useless.parquet")
    (artist.folder / "bad.toml").write_text('search = "allow"\nindex = ')
    (artist.folder / "few.toml").write_text('search = "allow"\n')
    return artist


WRONG: dict[str, tuple[list[str], list[str]]] = {
    "an empty folder": (["register", "empty"], ["empty", "folder with pictures", ".png"]),
    "a path that is not there": (["register", "nowhere"], ["nowhere", "expected a picture or a folder that exists"]),
    "a table without a usable column": (
        ["filter", "useless.parquet", "-o", "out.parquet", *USE],
        ["useless.parquet", "url, sha256, iscc, path, image or pdq", "only caption (string), n (int64)"],
    ),
    "an unknown use": (["check", "good/201.png", "--use", "train-everything"], ["--use", "train-everything", *ATOMS]),
    "a currency that does not exist": (
        ["register", "good", "--preset", "paid", "--price", "1", "--currency", "XXQ"],
        ["currency", "ISO 4217", "XXQ"],
    ),
    "a price in cents": (
        ["register", "good", "--preset", "paid", "--price", "5c", "--currency", "USD"],
        ["--price: expected a decimal such as 0.05", "'5c'"],
    ),
    "an identifier that is none": (
        ["statement", "fetch", "stm_bad", "-o", "stm.licet"],
        ["statement: expected stm_ and 26 letters and digits", "'stm_bad'"],
    ),
    "a price without preset paid": (["register", "good", "--price", "1"], ["--price", "--preset paid"]),
    "preset paid without a currency": (["register", "good", *PAID[:4]], ["--currency", "--preset paid"]),
    "terms that are no TOML": (["register", "good", "--terms", "bad.toml"], ["bad.toml", "TOML"]),
    "terms for one use of ten": (["register", "good", "--terms", "few.toml"], ["index"]),
    "a budget without a currency": (
        ["filter", "good", "-o", "out", *ACCEPT, "--budget", "5"],
        ["--budget", "'5'"],
    ),
    "a command that does not exist": (["regster", "good"], ["regster", "licet --help"]),
    "an option that does not exist": (["register", "good", "--prise", "1"], ["--prise", "licet register --help"]),
}


@pytest.fixture(scope="module")
def mistakes(typist: Person) -> dict[str, Told]:
    """What each wrong command says; none of them changes anything, so they run side by side."""
    with ThreadPoolExecutor(3) as pool:
        return dict(zip(WRONG, pool.map(lambda wrong: typist.types(*wrong[0], "--json"), WRONG.values()), strict=True))


@pytest.mark.parametrize("mistake", WRONG)
def test_wrong_arguments_are_named(typist: Person, mistakes: dict[str, Told], mistake: str) -> None:
    told = mistakes[mistake]
    assert told.code == 2
    for word in WRONG[mistake][1]:
        assert word in told.message
    assert left_behind(typist.folder, "out") == []


def test_after_all_that_nothing_is_registered_and_the_right_command_works(
    typist: Person, mistakes: dict[str, Told]
) -> None:
    assert typist.does("works", "list")["works"] == []
    assert len(typist.does("register", "good")["works"]) == 1


# -- pictures ------------------------------------------------------------------------------------------------------


def test_what_is_no_picture_is_refused_by_name_and_the_rest_goes_on(person: People) -> None:
    someone = person("broken").joins("artist", "Broken Pictures")
    folder = someone.folder / "mixed"
    folder.mkdir()
    vast = vast_png()
    assert len(vast) < 1 << 20
    (folder / "vast.png").write_bytes(vast)
    (folder / "cut.jpg").write_bytes(encoded(drawing(211), "JPEG")[:700])
    (folder / "text.jpg").write_text("this is no picture\n")
    words = {"cut.jpg": "end of a JPEG", "text.jpg": "expected a picture", "vast.png": "at most 100,000,000 pixels"}

    told = someone.types("register", "mixed")
    assert told.code == 2
    for name, word in words.items():
        assert any(name in line and word in line for line in told.out.splitlines()), told.out
    assert "Nothing was registered." in told.out
    checked = someone.does("check", *(f"mixed/{name}" for name in words), *USE)["results"]
    assert [(each["verdict"], each["reason"]) for each in checked] == [
        ("review", "malformed"), ("review", "malformed"), ("review", "unreadable"),
    ]  # fmt: skip

    someone.draws("mixed", 212)
    done = someone.does("register", "mixed", code=1)
    assert [Path(work["path"]).name for work in done["works"]] == ["212.png"]
    assert {Path(each["path"]).name for each in done["refused"]} == set(words)


# -- who may -------------------------------------------------------------------------------------------------------


def test_a_token_that_opens_nothing_here_is_exit_4_and_says_what_to_do(
    artist: Person, other: Service, person: People
) -> None:
    revoked = artist.does("token", "create", "--scope", "register")
    artist.does("token", "revoke", revoked["id"])
    stranger = person("lapsed", other.url).joins("artist", "Somebody Else")
    foreign = (stranger.home / "profiles" / "default" / "token").read_text().strip()
    time.sleep(1)  # tokens of the other registry last so long
    expired = stranger.types("works", "list", "--json")
    tried = [artist.types("works", "list", "--json", LICET_TOKEN=token) for token in (revoked["token"], foreign)]
    for told in (expired, *tried):
        assert told.code == 4
        assert told.document["error"]["code"] == "not-allowed"
        for word in ("mistyped", "expired", "revoked", "another registry"):
            assert word in told.message
    assert artist.types("works", "list").code == 0

    nonsense = artist.types("works", "list", "--json", LICET_TOKEN="tökén")
    assert nonsense.code == 2
    assert "token" in nonsense.message


def test_a_token_without_the_scope_is_exit_4_and_names_it(artist: Person) -> None:
    token = artist.does("token", "create", "--scope", "query")["token"]
    artist.draws("unscoped", 221)
    told = artist.types("register", "unscoped", "--json", LICET_TOKEN=token)
    assert told.code == 4
    assert "expected a token with scope register, got one with query" in told.message
    assert len(artist.does("register", "unscoped")["works"]) == 1


def test_without_an_account_the_way_to_one_is_named(person: People) -> None:
    nobody = person("nobody")
    nobody.draws("pictures", 222)
    told = nobody.types("register", "pictures", "--json")
    assert told.code == 4
    assert "licet account create" in told.message


def test_where_nobody_listens_is_exit_3(artist: Person) -> None:
    told = artist.types("works", "list", "--json", LICET_URL=NOBODY)
    assert told.code == 3
    assert told.document["error"]["code"] == "unreachable"
    assert f"no answer from {NOBODY}" in told.message
    assert "Errno" not in told.message
    told = artist.types("works", "list", "--json", LICET_URL="http://127.0.0.1:99999")
    assert (told.code, told.message.startswith("LICET_URL: expected an address such as http://localhost:8000")) == (
        2,
        True,
    )


def test_a_second_service_on_the_same_data_says_who_holds_it(service: Service) -> None:
    command = [str(BIN / "licet-registry"), "up", "--port", "0"]
    done = subprocess.run(command, env=service.environment, capture_output=True, text=True, timeout=240)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"held by process {service.process.pid}" in done.stderr
    assert "Traceback" not in done.stderr


# -- evidence ------------------------------------------------------------------------------------------------------


def changed(document: dict[str, Any], field: str) -> dict[str, Any]:
    """Return the statement file with one field changed as a forger would."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    envelope = copy["envelope"]
    match field:
        case "a term":
            payload = base64.b64decode(envelope["payload"])
            looser = payload.replace(b'"train-gen":{"permission":"deny"}', b'"train-gen":{"permission":"allow"}')
            assert looser != payload
            envelope["payload"] = base64.b64encode(looser).decode()
        case "the signature":
            signature = envelope["signatures"][0]
            signature["sig"] = base64.b64encode(tampered(base64.b64decode(signature["sig"]))).decode()
        case "the salt":
            copy["salt"] = base64.b64encode(tampered(base64.b64decode(copy["salt"]))).decode()
        case "the entry":
            entry = re.sub(rb"[0-9a-f]{64}", b"00" * 32, base64.b64decode(copy["entry"]), count=1)
            copy["entry"] = base64.b64encode(entry).decode()
        case "the proof":
            lines = copy["proof"].split("\n")
            place = next(number for number, line in enumerate(lines) if len(line) == 44)
            lines[place] = base64.b64encode(tampered(base64.b64decode(lines[place]))).decode()
            copy["proof"] = "\n".join(lines)
        case "the signer's keys":
            copy["keys"] = [key for key in copy["keys"] if key["envelope"]["payloadType"].count("key-register") == 0]
        case "an unknown field":
            copy["note"] = "trust me"
    assert copy != document
    return copy


FORGED = {
    "a term": 1,
    "the signature": 1,
    "the salt": 1,
    "the entry": 1,
    "the proof": 1,
    "the signer's keys": 1,
    "an unknown field": 2,
}


@pytest.fixture(scope="module")
def judged(person: People) -> dict[str, Told]:
    """What ``statement verify`` says of a statement file with one field changed, for each field."""
    someone = person("proving").joins("artist", "Proving")
    signed = someone.does("register", someone.draws("signed", 231))["statement"]
    someone.does("statement", "fetch", signed, "-o", "statement.json")
    assert someone.does("statement", "verify", "statement.json", LICET_URL=NOBODY)["verified"] is True
    honest = json.loads((someone.folder / "statement.json").read_text())

    def verified(field: str) -> Told:
        forged = someone.folder / f"{field}.json"
        forged.write_text(json.dumps(changed(honest, field)))
        return someone.types("statement", "verify", forged, "--json", LICET_URL=NOBODY)

    with ThreadPoolExecutor(3) as pool:
        return dict(zip(FORGED, pool.map(verified, FORGED), strict=True))


@pytest.mark.parametrize(("field", "code"), FORGED.items())
def test_a_statement_file_that_was_changed_is_found_out(judged: dict[str, Told], field: str, code: int) -> None:
    told = judged[field]
    assert (told.code, told.document["error"]["code"]) == (code, "verification" if code == 1 else "malformed"), told


def snapshot_of(person: Person) -> Path:
    """Return the folder of the snapshot that is here."""
    (manifest,) = (person.home / "snapshots").rglob("manifest.json")
    return manifest.parent


def test_a_snapshot_changed_on_disk_is_found_out_and_fetched_anew(typist: Person) -> None:
    typist.does("snapshot", "pull")
    folder = snapshot_of(typist)
    check = ("check", "good/201.png", *USE, "--offline", "--json")

    segment = max((folder / "segments").iterdir(), key=lambda path: path.stat().st_size)
    segment.write_bytes(tampered(segment.read_bytes()))
    for arguments in (("snapshot", "verify", "--json"), check):
        told = typist.types(*arguments)
        assert (told.code, told.document["error"]["code"]) == (1, "verification"), told
        assert segment.name in told.message
        assert "licet snapshot pull" in told.message
    assert segment.name in typist.does("snapshot", "pull")["fetched"]
    assert typist.does("snapshot", "verify")["verified"] is True

    manifest = folder / "manifest.json"
    published = json.loads(manifest.read_text())
    payload = json.loads(base64.b64decode(published["envelope"]["payload"]))
    payload["expires_at"] = "2099" + payload["expires_at"][4:]
    published["envelope"]["payload"] = base64.b64encode(json.dumps(payload, separators=(",", ":")).encode()).decode()
    manifest.write_text(json.dumps(published))
    told = typist.types(*check)
    assert (told.code, told.document["error"]["code"]) == (1, "verification"), told
    assert typist.types("check", "good/201.png", *USE).code == 0  # it asks for the newest, and that is whole


def test_a_snapshot_changed_on_the_way_never_becomes_current(service: Service, person: People) -> None:
    with line_to(service) as line:
        someone = person("on the line", line.url)
        line.hook = lambda _, path, forward: tampered(forward()) if "/segments/" in path else forward()
        told = someone.types("snapshot", "pull", "--json")
        assert (told.code, told.document["error"]["code"]) == (1, "verification"), told
        assert someone.types("snapshot", "info").code == 2
        line.hook = lambda _, path, forward: forward()
        assert someone.does("snapshot", "pull")["fetched"]


def test_an_older_snapshot_than_was_seen_is_refused(service: Service, person: People, artist: Person) -> None:
    with line_to(service) as line:
        someone = person("rolled back", line.url)
        answers: list[bytes] = []

        def keeping(_method: str, path: str, forward: Forward) -> bytes:
            data = forward()
            if path == "/snapshots/latest":
                answers.append(data)
            return data

        line.hook = keeping
        older = someone.does("snapshot", "pull")["snapshot"]["sequence"]
        index = artist.does("register", artist.draws("newer", 241))["log_index"]
        someone.does("snapshot", "pull", "--covering", str(index))
        line.hook = lambda _, path, forward: answers[0] if path == "/snapshots/latest" else forward()
        told = someone.types("check", "0" * 64, *USE, "--json")
        assert (told.code, told.document["error"]["code"]) == (1, "rollback"), told
        assert f"got {older}" in told.message
        line.hook = lambda _, path, forward: forward()
        assert someone.does("snapshot", "pull")["snapshot"]["sequence"] > older


def test_an_expired_snapshot_decides_nothing(other: Service, person: People) -> None:
    someone = person("late", other.url)
    deadline = time.monotonic() + 30
    while (pulled := someone.types("snapshot", "pull", "--json")).code:  # the newest may have run out just now
        assert pulled.document["error"]["code"] == "expired"
        assert time.monotonic() < deadline
    expires = times.from_text(pulled.document["snapshot"]["expires_at"])
    time.sleep(max(0.0, (expires - datetime.now(UTC)).total_seconds()))
    told = someone.types("check", "0" * 64, *USE, "--offline", "--json")
    assert (told.code, told.document["error"]["code"]) == (1, "expired"), told
    assert someone.types("snapshot", "info").out.split(", ")[1].startswith("expired")


def test_a_bundle_that_was_changed_or_is_anothers_is_found_out(
    service: Service, other: Service, person: People
) -> None:
    period = datetime.now(UTC).strftime("%Y-%m")
    auditors = []
    for number, each in enumerate((service, other)):
        auditor = person(f"auditor{number}", each.url)
        auditor.environment["LICET_TOKEN"] = each.office("invite", "--role", "auditor")["token"]
        auditor.does("audit", "pull", "--period", period, "-o", "evidence.zip")
        auditors.append(auditor)
    auditor, foreign = auditors[0], auditors[1].folder / "evidence.zip"
    assert auditor.does("audit", "verify", "evidence.zip", LICET_URL=NOBODY)["verified"] is True

    whole = (auditor.folder / "evidence.zip").read_bytes()
    for name, data in {"changed": tampered(whole), "cut": whole[: len(whole) // 2]}.items():
        (auditor.folder / f"{name}.zip").write_bytes(data)
        told = auditor.types("audit", "verify", f"{name}.zip", "--json")
        assert (told.code, told.document["error"]["code"]) in ((1, "verification"), (2, "malformed")), (name, told)
    told = auditor.types("audit", "verify", foreign, "--json")
    assert (told.code, told.document["error"]["code"]) == (1, "verification"), told


# -- filtering -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def priced(artist: Person, trainer: Person) -> Path:
    """A folder of the trainer's with three works that cost 0.05 USD each, which its newest snapshot knows."""
    index = artist.does("register", artist.draws("priced", 251, 252, 253), *PAID)["log_index"]
    trainer.does("snapshot", "pull", "--covering", str(index))
    return trainer.draws("wanted", 251, 252, 253)


def test_over_budget_takes_nothing(trainer: Person, priced: Path) -> None:
    told = trainer.types("filter", priced, "-o", "bought", *ACCEPT, "--budget", "0.10USD", "--json")
    assert (told.code, told.document["error"]["code"]) == (1, "over-budget"), told
    assert "--fit-budget" in told.document["error"]["message"], told
    assert "0.15 USD" in told.message
    assert trainer.does("balance")["lines"] == []
    assert trainer.does("licences", "list")["licences"] == []
    assert [name for name in left_behind(trainer.folder, "bought") if not name.endswith(".job")] == []

    done = trainer.does("filter", priced, "-o", "bought", *ACCEPT, "--budget", "0.15USD")
    assert (done["kept"], len(done["taken"])) == (3, 1)
    assert left_behind(trainer.folder, "bought.job") == []


def test_a_complete_result_is_not_replaced_unasked(trainer: Person, priced: Path) -> None:
    command = ("filter", priced, "-o", "result", *USE)
    trainer.does(*command)
    manifest = (trainer.folder / "result.manifest.json").read_bytes()
    told = trainer.types(*command, "--json")
    assert told.code == 2
    assert "--overwrite" in told.message
    assert (trainer.folder / "result.manifest.json").read_bytes() == manifest
    trainer.does(*command, "--overwrite")
    assert (trainer.folder / "result.manifest.json").read_bytes() != manifest


# -- interrupted ---------------------------------------------------------------------------------------------------


def test_of_two_filters_on_one_output_one_is_done(trainer: Person, priced: Path) -> None:
    command = ("filter", priced, "-o", "both", *USE, "--unknown", "keep")
    ended = [trainer.ended(each) for each in [trainer.starts(*command) for _ in range(2)]]
    assert sorted(told.code for told in ended) == [0, 2], ended
    refused = next(told for told in ended if told.code)
    # Which of both words it is depends on how far the other had come.
    assert "another process is at work on this output" in refused.err or "--overwrite" in refused.err
    assert trainer.types("recheck", "both").code == 0
    assert left_behind(trainer.folder, "both.job") == []


def test_a_filter_stopped_by_ctrl_c_goes_on(trainer: Person, priced: Path) -> None:
    source = trainer.folder / "many"
    source.mkdir()
    for seed in (251, 252, 253):
        shutil.copyfile(priced / f"{seed}.png", source / f"{seed}.png")
    picture = encoded(drawing(260, 600), compress_level=1)
    for number in range(90):
        (source / f"stranger-{number}.png").write_bytes(picture)
    process = trainer.starts("filter", source, "-o", "long", *USE, "--unknown", "keep", "--json")
    deadline = time.monotonic() + 60
    while not (trainer.folder / "long.job" / "job.json").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    told = trainer.ended(process)
    assert (told.code, told.document["error"]["code"]) == (130, "interrupted"), told
    assert left_behind(trainer.folder, "long") == ["long.job"]

    done = trainer.does("filter", source, "-o", "long", *USE, "--unknown", "keep")
    assert (done["rows"], done["counts"]["unknown"]) == (93, 90)
    assert done["kept"] == len(list((trainer.folder / "long").iterdir()))
    assert left_behind(trainer.folder, "long.job") == []


MOMENTS = ("before signing", "before the answer")


class Stopped(NamedTuple):
    """A registration of 12 pictures that was stopped, what the next one did, and what there is then."""

    told: Told
    done: dict[str, Any]
    works: list[dict[str, Any]]


@pytest.fixture(scope="module")
def stopped(service: Service, person: People) -> dict[str, Stopped]:
    """A registration stopped at each of the moments, by an artist of its own."""

    def played(number: int) -> Stopped:
        with line_to(service) as line:
            someone = people[number]
            someone.environment["LICET_URL"] = line.url
            someone.joins("artist", "Stopped")
            pictures = someone.draws("pictures", *range(3000 + 20 * number, 3012 + 20 * number))
            told = _stopped_at(MOMENTS[number], line, someone, pictures)
            line.hook = lambda _, path, forward: forward()
            return Stopped(told, someone.does("register", pictures), someone.does("works", "list")["works"])

    people = [person("stopped") for _ in MOMENTS]
    with ThreadPoolExecutor(len(MOMENTS)) as pool:
        return dict(zip(MOMENTS, pool.map(played, range(len(MOMENTS))), strict=True))


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_registration_stopped_by_ctrl_c_is_finished_by_the_next(stopped: dict[str, Stopped], moment: str) -> None:
    told, done, works = stopped[moment]
    assert (told.code, told.document["error"]["code"]) == (130, "interrupted"), told
    assert "run the same command again" in told.message
    assert len(works) == len({work["sha256"] for work in works}) == 12
    assert len({work["statement"] for work in works}) == 1
    if moment == "before the answer":  # it counted, though nobody was told
        assert (done["statement"], len(done["duplicates"])) == (None, 12)
    else:
        assert (done["statement"], len(done["works"])) == (works[0]["statement"], 12)
        assert done["duplicates"] == []


def _stopped_at(moment: str, line: Line, someone: Person, pictures: Path) -> Told:
    """Start a registration and press Ctrl-C at ``moment``; its answer never comes."""
    started: list[subprocess.Popen[str]] = []

    def hook(method: str, path: str, forward: Forward) -> bytes | None:
        if (method, path) != ("POST", "/v1/statements"):
            return forward()
        if moment == "before the answer":
            forward()
        os.kill(started[0].pid, signal.SIGINT)
        return None

    line.hook = hook
    started.append(someone.starts("register", pictures, "--json"))
    return someone.ended(started[0])
