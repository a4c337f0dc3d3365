"""The disk of a registry fills up, under everything or under its database alone: nothing is acknowledged that is not
kept, both sides say why, and it goes on by itself once there is room."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.registry import clusters
from tests.whole.conftest import People
from tests.whole.stage import SECONDS, Service

pytestmark = [pytest.mark.slow, pytest.mark.fault]


@contextlib.contextmanager
def disk(place: Path, megabytes: int) -> Iterator[None]:
    """Put a disk of this size under ``place`` with all that is in it."""
    kept = place.with_name(f"{place.name}-before")
    place.rename(kept)
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a disk")
    try:
        subprocess.run(["cp", "-a", f"{kept}/.", place], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)
        shutil.rmtree(kept)


def fill(place: Path) -> Path:
    """Leave nothing free at ``place``."""
    filling = place / "filling"
    with contextlib.suppress(OSError), filling.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return filling


def unwell(service: Service) -> dict[str, Any]:
    """Return the checks that are not well."""
    try:
        with urlopen(f"{service.url}/health/ready") as answer:
            answer.read()
            return {}
    except HTTPError as error:
        checks = json.loads(error.read())["checks"]
        return {name: check for name, check in checks.items() if not check["ok"]}


def until(what: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + SECONDS
    while not wanted(found := what()):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found


@pytest.mark.parametrize("full", ["everything", "postgres"])
def test_nothing_is_acknowledged_on_a_full_disk_and_all_goes_on_when_there_is_room(
    tmp_path: Path, person: People, full: str
) -> None:
    data = clusters.plant(tmp_path / "registry" / "data")
    place = data if full == "everything" else data / full
    with disk(place, 160):
        service = Service(tmp_path / "registry", snapshot_delay="1s", ready_disk_bytes="65536")
        try:
            ada = person(f"full-{full}", service.url).joins("artist", "Ada")
            before = ada.does("register", ada.draws("before", 981))["log_index"]
            filling = fill(place)
            ada.draws("while", *range(982, 986))
            refused = ada.does("register", "while", code=3, LICET_TIMEOUT="5")["error"]
            assert refused["code"] in ("service", "unreachable"), refused
            checks = until(lambda: unwell(service), lambda checks: "files" in checks)
            assert "published files" in checks["files"]["found"] or "of the database" in checks["files"]["found"]
            checkpoint = (data / "public" / "log" / "checkpoint").read_text()

            filling.unlink()
            until(lambda: unwell(service), lambda checks: not checks)
            after = ada.does("register", "while")
            assert len(after["works"]) == 4
            assert after["log_index"] > before
            assert int((data / "public" / "log" / "checkpoint").read_text().splitlines()[1]) > int(
                checkpoint.splitlines()[1]
            )
            ada.does("log", "verify")
            assert service.office("verify")["equal"] is True
            said = service.log.read_text()
            assert "Traceback" not in said, said  # it is no mistake of ours, and is called what it is
            assert "No space left on device" in said
        finally:
            service.end()
