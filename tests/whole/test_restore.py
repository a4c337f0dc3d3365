"""The drill: the database is lost; backup and archive bring back every acknowledged statement, and people go on."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import forking
from tests.whole.conftest import People
from tests.whole.stage import BIN, SECONDS, Service

pytestmark = pytest.mark.fault

USE = ("--use", "train-gen", "--purpose", "commercial")
PAID = ("--preset", "paid", "--price", "0.25", "--currency", "EUR", "--price-model", "per-work")


class Fragile:
    """A service that loses its database and comes back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.service = Service(folder, snapshot_delay="1s")

    @property
    def data(self) -> Path:
        return self.service.data

    def loses(self, *names: str) -> None:
        """Everything is killed at once, and these folders are gone."""
        postgres = int((self.data / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        self.service.process.kill()
        os.kill(postgres, signal.SIGKILL)
        self.service.process.communicate()
        for name in names:
            shutil.rmtree(self.data / name)

    def returns(self) -> None:
        self.service = Service(self.folder, port=self.service.port, snapshot_delay="1s")

    def office(self, *arguments: str | Path) -> dict[str, Any]:
        return self.service.office(*arguments)

    def refuses(self, *arguments: str | Path) -> str:
        """Return what an operator is told who may not do this."""
        return refused(self.service.environment, *arguments)


def typed(environment: dict[str, str], *arguments: str | Path) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr of ``licet-registry …``."""
    words = map(str, arguments)
    return forking.run(BIN / "licet-registry", *words, cwd=Path.cwd(), environment=environment, seconds=SECONDS)


def done(environment: dict[str, str], *arguments: str | Path) -> dict[str, Any]:
    """Return the document of ``licet-registry …``, which does what it is asked."""
    code, out, err = typed(environment, *arguments, "--json")
    assert code == 0, err + out
    document: dict[str, Any] = json.loads(out)
    return document


def refused(environment: dict[str, str], *arguments: str | Path) -> str:
    """Return the last line of ``licet-registry …``, which ends with 2 and prints nothing else for programs."""
    code, out, err = typed(environment, *arguments)
    assert (code, out) == (2, ""), err + out
    assert "Traceback" not in err
    return err.splitlines()[-1]


@pytest.fixture
def fragile(tmp_path: Path) -> Iterator[Fragile]:
    made = Fragile(tmp_path / "registry")
    yield made
    if made.service.process.poll() is None:
        made.service.end()


def test_every_acknowledged_statement_is_in_force_after_the_database_was_lost(fragile: Fragile, person: People) -> None:
    url = fragile.service.url
    ada = person("ada-drill", url).joins("artist", "Ada")
    fragile.office("attest", ada.account, "--level", "3", "--evidence", "source files")
    first = ada.does("register", ada.draws("one", 951, 952), *PAID)
    backup = fragile.office("backup", "-o", fragile.folder / "backup.zip")
    assert Path(backup["file"]).stat().st_mode & 0o777 == 0o600
    assert "or --overwrite, got" in fragile.refuses("backup", "-o", backup["file"])
    assert b"PRIVATE KEY" not in Path(backup["file"]).read_bytes()

    # After the backup: works, a restriction, a licence, a run.
    second = ada.does("register", ada.draws("two", 953), *PAID)
    closed = first["works"][0]["work"]
    tighter = ada.does("terms", "set", closed, "--preset", "no-ai")
    trainer = person("trainer-drill", url).joins("organisation", "Lantern Labs")
    trainer.does("snapshot", "pull", "--covering", str(tighter["log_index"]))
    pictures = trainer.draws("scraped", 951, 952, 953)
    accept = ("--accept", "--model", "lantern/lantern@1", "--dataset", "scraped", "--budget", "5EUR")
    assert trainer.does("filter", pictures, "-o", "kept", *USE, *accept)["kept"] == 2
    trainer.does("run", "report", "--model", "lantern/lantern@1", "--dataset", "kept.manifest.json", "--run", "2")
    held = trainer.does("licences", "list")["licences"]
    for place, statement in enumerate((first["statement"], second["statement"], tighter["statement"])):
        ada.does("statement", "fetch", statement, "-o", f"{place}.json")

    fragile.loses("postgres")
    came = fragile.office("restore", fragile.folder / "backup.zip")
    assert came["lost"] == came["frozen"] == 0
    assert came["replaces"] is True
    fragile.returns()

    for place in range(3):
        assert ada.does("statement", "verify", f"{place}.json")["verified"] is True
    shown = {each["work"]: each["statement"] for each in ada.does("works", "list")["works"]}
    assert shown[closed] == tighter["statement"]
    assert len(shown) == 3
    (answer,) = trainer.does("check", pictures / "951.png", *USE)["results"]
    assert answer["verdict"] == "deny"
    assert trainer.does("licences", "list")["licences"] == held
    assert fragile.office("verify")["equal"] is True
    assert ada.does("register", ada.draws("three", 954), *PAID)["log_index"] > tighter["log_index"]
    ada.does("log", "verify")
    assert "starting logical decoding" not in (fragile.data / "postgres.log").read_text()  # once a batch, for nothing

    # Without a backup, and without a word: the archive alone fills an empty database where the log was signed.
    fragile.loses("postgres")
    fragile.returns()
    assert len(ada.does("works", "list")["works"]) == 4
    assert fragile.office("verify")["equal"] is True


def test_a_copy_beside_the_original_never_goes_on_with_the_log_unless_its_operator_says_that_it_replaces_it(
    fragile: Fragile, person: People
) -> None:
    ada = person("ada-copied", fragile.service.url).joins("artist", "Ada")
    registered = ada.does("register", ada.draws("one", 971), *PAID)
    ada.does("snapshot", "pull", "--covering", str(registered["log_index"]))  # then nothing more is published
    backup = fragile.office("backup", "-o", fragile.folder / "backup.zip")["file"]
    copy = fragile.folder / "copy"
    copy.mkdir()
    for name in ("keys", "public", "segments", "archive"):
        shutil.copytree(fragile.data / name, copy / name)
    shutil.copy(fragile.data / "guard.json", copy)

    # While the original lives, a rehearsal: what is restored can be verified, and signs nothing.
    elsewhere = {**fragile.service.environment, "LICET_REGISTRY_DATA": str(copy)}
    assert "if the database is gone for good, `licet-registry restore --replaces`" in refused(elsewhere, "up")
    before = (copy / "public" / "log" / "checkpoint").read_bytes()
    assert done(elsewhere, "restore", backup)["replaces"] is False
    assert done(elsewhere, "verify")["equal"] is True
    for words in (["up", "--port", "0"], ["work"], ["serve"], ["key", "rotate", "snapshot"]):
        assert "this database was restored, and nobody has said yet that it replaces" in refused(elsewhere, *words)
    assert (copy / "public" / "log" / "checkpoint").read_bytes() == before
    assert "restored already (then leave the file out)" in refused(elsewhere, "restore", "--replaces", backup)

    # The original is gone: by the same command, the copy takes its place.
    fragile.service.end()
    assert done(elsewhere, "restore", "--replaces")["replaces"] is True
    fragile.service = Service(fragile.folder, port=fragile.service.port, data=str(copy), snapshot_delay="1s")
    ada.does("register", ada.draws("two", 972), *PAID)
    ada.does("log", "verify")

    # From now on that folder is where the log is signed.
    fragile.service.end()
    shutil.rmtree(copy / "postgres")
    assert done(elsewhere, "restore")["replaces"] is True


def test_what_was_lost_with_the_archive_is_refused_and_once_accepted_frozen(fragile: Fragile, person: People) -> None:
    ada = person("ada-lost", fragile.service.url).joins("artist", "Ada")
    first = ada.does("register", ada.draws("one", 961, 962), *PAID)
    fragile.office("backup", "-o", fragile.folder / "backup.zip")
    closed, other = (each["work"] for each in first["works"])
    tighter = ada.does("terms", "set", closed, "--preset", "no-ai")
    fragile.loses("postgres", "archive")

    told = fragile.refuses("restore", fragile.folder / "backup.zip")
    assert re.search(
        r"backup.zip and .*archive end at \d+ log entries, and \d+ were let out, so nothing was changed", told
    )
    assert fragile.refuses("restore", fragile.folder / "backup.zip") == told  # nothing was
    came = fragile.office("restore", "--accept-loss", fragile.folder / "backup.zip")
    assert came["lost"] >= 1
    assert came["frozen"] == 2
    fragile.returns()
    later = ada.does("register", ada.draws("later", 963), *PAID)
    stranger = person("stranger-lost", fragile.service.url)
    stranger.does("snapshot", "pull", "--covering", str(later["log_index"]))  # the one from before knows of no freezing
    for seed in (961, 962):
        (answer,) = stranger.does("check", stranger.draws("seen", seed) / f"{seed}.png", *USE)["results"]
        assert answer["verdict"] == "deny"
    told = ada.types("account", "show").out
    assert "Frozen: 2 works" in told
    assert "works list --state frozen" in told
    again = ada.does("terms", "set", other, *PAID)
    assert ada.does("account", "show")["frozen"] == 1
    assert again["log_index"] > tighter["log_index"]
    states = {each["work"]: each["state"] for each in ada.does("works", "list")["works"]}
    assert states == {closed: "frozen", other: "in-force", later["works"][0]["work"]: "in-force"}
    assert fragile.office("verify")["equal"] is True
    ada.does("log", "verify")
