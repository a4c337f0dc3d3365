"""Where LICET_HOME may not be written: what needs nothing there works, the rest says which variable to set."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from licet.statements.keys import SigningKey
from tests.whole.ordinary import AS_ROOT, USER, Ground
from tests.whole.stage import SECONDS, Person, Service, Told, drawing, encoded

USE = ("--use", "train-gen")


class Place(NamedTuple):
    """Folders of a user who may write ``out`` and ``cache`` and none of three homes."""

    folder: Path
    fresh: Path  # nothing in it
    known: Path  # the registry is pinned, a snapshot is here
    signing: Path  # the same, and a key that signed a manifest before
    cache: Path
    out: Path
    picture: Path
    url: str


@pytest.fixture(scope="module")
def place(service: Service) -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="licet-closed-"))
    folder.chmod(0o755)
    known = Person(folder / "known", service.url)
    ada = Person(folder / "ada", service.url).joins("artist", "Ada")
    registered = ada.does("register", ada.draws("pictures", 9001))
    known.does("snapshot", "pull", "--covering", str(registered["log_index"]))
    signing = folder / "signing"
    shutil.copytree(known.home, signing)
    SigningKey.generate().save(signing / "local-key.pem")
    made = Place(
        folder, folder / "fresh", known.home, signing, folder / "cache", folder / "out", folder / "in", service.url
    )
    for each in (made.fresh, made.cache, made.out, made.picture):
        each.mkdir()
    (made.picture / "9001.png").write_bytes(encoded(drawing(9001)))
    for each in (made.cache, made.out):
        each.chmod(0o777)
    closed = [made.fresh, made.known, *made.known.rglob("*"), known.folder, signing, *signing.rglob("*")]
    if AS_ROOT:  # a key is its owner's alone
        os.chown(signing / "local-key.pem", USER, USER)
    for path in closed:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield made
    for path in [*closed, *made.folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture
def types(place: Place, ground: Ground) -> Callable[..., Told]:
    identity: dict[str, Any] = {"user": USER, "group": USER, "extra_groups": []} if AS_ROOT else {}

    def ask(home: Path, *arguments: str | Path, **variables: str) -> Told:
        environment = {
            "PATH": os.defpath, "HOME": str(place.fresh), "LICET_HOME": str(home), "LICET_URL": place.url,
            "PYTHONPATH": ground.path, **ground.variables, **variables,
        }  # fmt: skip
        command = [str(ground.python), "-c", "from licet.cli import main; main()", *map(str, arguments)]
        done = subprocess.run(
            command, cwd=place.out, env=environment, capture_output=True, text=True, timeout=SECONDS, **identity
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Told(done.returncode, done.stdout, done.stderr)

    return ask


@pytest.mark.parametrize("command", [["snapshot", "pull"], ["check", "0" * 64, *USE]])
def test_a_registry_that_cannot_be_pinned_is_not_believed(
    types: Callable[..., Told], place: Place, command: list[str]
) -> None:
    told = types(place.fresh, *command, "--json", LICET_CACHE=str(place.cache))
    assert told.code == 2
    assert "the registry's root key" in told.message
    assert "set LICET_HOME to a folder that you may write" in told.message


def test_a_snapshot_that_is_here_is_read_and_decided_from(types: Callable[..., Told], place: Place) -> None:
    assert types(place.known, "snapshot", "info", "--json").document["snapshot"]["works"] >= 1
    told = types(place.known, "check", place.picture / "9001.png", *USE, "--offline", "--json")
    assert [each["verdict"] for each in told.document["results"]] == ["deny"]


def test_a_newer_one_needs_a_cache_that_can_be_written(types: Callable[..., Told], place: Place) -> None:
    refused = types(place.known, "snapshot", "pull", "--json")
    assert refused.code == 2
    assert "set LICET_CACHE to a folder that you may write" in refused.message
    assert "--offline" in refused.message
    assert types(place.known, "snapshot", "pull", LICET_CACHE=str(place.cache)).code == 0
    told = types(place.known, "check", place.picture / "9001.png", *USE, "--json", LICET_CACHE=str(place.cache))
    assert [each["verdict"] for each in told.document["results"]] == ["deny"]


def test_filter_says_what_it_wants_to_keep_and_leaves_nothing(types: Callable[..., Told], place: Place) -> None:
    told = types(place.known, "filter", place.picture, "-o", "kept", *USE, "--json", LICET_CACHE=str(place.cache))
    assert told.code == 2
    assert "the key that signs manifests" in told.message
    assert "set LICET_HOME" in told.message
    assert not [path for path in place.out.iterdir() if "kept" in path.name]


def test_filter_works_where_the_key_is_there_already(types: Callable[..., Told], place: Place) -> None:
    told = types(place.signing, "filter", place.picture, "-o", "signed", *USE, "--json", LICET_CACHE=str(place.cache))
    assert told.code == 0
    assert (told.document["rows"], told.document["counts"]["deny"]) == (1, 1)
    offline = types(place.signing, "filter", place.picture, "-o", "offline", *USE, "--offline", "--json")
    assert offline.code == 0
