"""A copy of the published log on a plain static server, or in a folder, is all that verifying it takes."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from licet.statements import key_list
from licet.statements.key_list import Placed
from tests.whole.conftest import People
from tests.whole.stage import Person, Service

NOBODY = "http://127.0.0.1:9"  # the registry is not there


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the files below ``folder`` and nothing else."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def copied(service: Service, to: Path) -> Path:
    """Copy what ``service`` publishes, the checkpoint first: all else may be newer."""
    published = service.data / "public" / "log"
    (to / "log").mkdir(parents=True)
    shutil.copy(published / "checkpoint", to / "log" / "checkpoint")
    checkpoint = (to / "log" / "checkpoint").read_bytes()
    shutil.copytree(published, to / "log", dirs_exist_ok=True)
    (to / "log" / "checkpoint").write_bytes(checkpoint)
    return to


@pytest.fixture(scope="module")
def mirror(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(service, tmp_path_factory.mktemp("mirror") / "public")


@pytest.fixture(scope="module")
def auditor(person: People, mirror: Path) -> Person:
    """Somebody who has seen the registry once."""
    auditor = person("auditor")
    assert auditor.does("log", "verify")["verified"] is True
    return auditor


def test_a_mirror_alone_shows_the_log_and_the_registrys_keys(auditor: Person, person: People, mirror: Path) -> None:
    with served(mirror) as url:
        trust = auditor.home / "profiles" / "default" / "trust.json"
        fresh = person("fresh")
        found = fresh.does("log", "verify", "--url", url, "--policy", trust, LICET_URL=NOBODY)
        assert (found["verified"], found["root_pinned"], found["registry_keys"]) == (True, True, 5)
        told = fresh.types("log", "verify", "--url", mirror, "--policy", trust, "--continue", LICET_URL=NOBODY)
        assert told.code == 0, told
        assert (
            "The registry's keys are those that the log has, each at its place: 5 keys, signed by the pinned"
            in told.out
        )
        assert "0 were read now" in told.out
        assert (mirror / "log" / "checkpoint").read_text().startswith(f"{found['origin']}\n{found['size']}\n")
    by_file = fresh.does("log", "verify", "--url", f"file://{mirror}/log", "--policy", trust, LICET_URL=NOBODY)
    assert by_file["root"] == found["root"]
    assert by_file["checkpoints"] >= 1


def test_a_mirror_of_a_log_that_nothing_vouches_for_is_not_called_verified(person: People, mirror: Path) -> None:
    stranger = person("stranger")
    told = stranger.types("log", "verify", "--url", mirror, LICET_URL=NOBODY)
    assert told.code == 1
    assert "Self-consistent, not anchored" in told.out
    assert not (stranger.home / "profiles" / "default" / "log.json").exists()
    for url, message in (
        ("ftp://mirror.example", "--url: expected http://…"),
        (stranger.folder, "expected a folder with a published log"),
    ):
        assert message in stranger.does("log", "verify", "--url", url, code=2, LICET_URL=NOBODY)["error"]["message"]


@pytest.mark.parametrize("lie", ["left out", "none", "not JSON"])
def test_a_mirror_whose_list_of_keys_lies_is_found_out(auditor: Person, mirror: Path, tmp_path: Path, lie: str) -> None:
    shutil.copytree(mirror, tmp_path / "lying")
    keys = tmp_path / "lying" / "log" / "keys"
    placed = msgspec.json.decode(keys.read_bytes(), type=list[Placed])
    if lie == "left out":
        keys.write_bytes(key_list.encode(placed[:-1]))
    elif lie == "none":
        keys.unlink()
    else:
        keys.write_text(json.dumps([]) + "\n")
    code, message = {
        "left out": (
            1,
            "the log has a registry-key at index 4, which the published list of the registry's keys leaves",
        ),
        "none": (3, "log/keys: the published log has no such file"),
        "not JSON": (2, "expected canonical JSON"),
    }[lie]
    with served(tmp_path / "lying") as url:
        told = auditor.does("log", "verify", "--url", url, code=code, LICET_URL=NOBODY)
    assert message in told["error"]["message"]


def test_a_doctor_finds_nothing_wrong_with_a_fresh_home_at_the_registry_and_at_a_mirror(
    person: People, service: Service
) -> None:
    doctor = person("doctor")
    told = doctor.types("doctor")
    assert told.code == 0, told
    assert "not yet snapshot: no snapshot here yet" in told.out
    with served(service.data / "public") as url:
        found = {each["check"]: each for each in doctor.does("doctor", LICET_URL=url)["findings"]}
        assert found["service"]["says"].startswith(f"{url} is a mirror: it has what the registry publishes")
        assert found["registry"]["ok"]
