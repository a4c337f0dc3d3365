"""The whole story on a PostgreSQL that is none of ours, run as an operator runs it: migrate, serve and work apart."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests import forking
from tests.registry.external import ExternalPostgres
from tests.whole.conftest import People
from tests.whole.stage import BIN, SECONDS, Service, clean_environment

USE = ("--use", "train-gen", "--purpose", "commercial")


class Apart(Service):
    """``licet-registry migrate``, then ``serve`` and ``work`` as processes of their own on ``database``."""

    def __init__(self, folder: Path, database: str) -> None:
        folder.mkdir(parents=True)
        self.programs, self.data, self.log = BIN, folder / "data", folder / "apart.log"
        self.environment = {
            **clean_environment(), "HOME": str(folder), "DATABASE_URL": database,
            "LICET_REGISTRY_DATA": str(self.data), "LICET_REGISTRY_SNAPSHOT_DELAY": "1s",
        }  # fmt: skip
        self.migrated = self._command("migrate")
        self._parts: list[subprocess.Popen[str]] = []
        self.process = self._starts("serve", "--port", "0")
        self._starts("work")
        assert self.process.stdout is not None
        ready, _, self.url = self.process.stdout.readline().strip().partition(" ")
        assert ready == "ready", self.log.read_text()

    def _command(self, *arguments: str) -> str:
        program = BIN / "licet-registry"
        code, out, err = forking.run(program, *arguments, cwd=Path.cwd(), environment=self.environment, seconds=SECONDS)
        assert code == 0, err
        return out

    def _starts(self, *arguments: str) -> subprocess.Popen[str]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [BIN / "licet-registry", *arguments],
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._parts.append(process)
        return process

    def end(self) -> None:
        """Both end by SIGTERM, as a clean end, and said nothing more."""
        for part in self._parts:
            with suppress(ProcessLookupError):
                part.send_signal(signal.SIGTERM)
        for part in self._parts:
            rest, _ = part.communicate(timeout=SECONDS)
            assert (part.returncode, rest) == (0, ""), self.log.read_text()


@pytest.fixture(scope="module")
def apart(postgres16: ExternalPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    """The registry on an empty database of PostgreSQL 16."""
    name = f"licet_whole_{os.getpid()}"
    asyncio.run(postgres16.server.administer(f"CREATE DATABASE {name} TEMPLATE template0"))
    service = Apart(tmp_path_factory.mktemp("apart") / "home", postgres16.address(name))
    yield service
    service.end()
    assert not any(path.name.startswith("postgres") for path in service.data.iterdir())
    asyncio.run(postgres16.server.administer(f"DROP DATABASE {name} WITH (FORCE)"))


def test_register_check_license_report_and_audit(apart: Apart, person: People) -> None:
    assert apart.migrated.splitlines()[0].startswith("applied 0001_")
    ada = person("ada-apart", apart.url).joins("artist", "Ada")
    apart.office("attest", ada.account, "--level", "3", "--evidence", "source files")
    terms = ("--preset", "paid", "--price", "0.25", "--currency", "EUR", "--price-model", "per-work")
    registered = ada.does("register", ada.draws("pictures", 901, 902), *terms)

    trainer = person("trainer-apart", apart.url).joins("organisation", "Lantern Labs")
    trainer.does("snapshot", "pull", "--covering", str(registered["log_index"]))
    pictures = trainer.draws("scraped", 901, 902, 903)
    (answer,) = trainer.does("check", pictures / "901.png", *USE)["results"]
    assert answer["verdict"] == "license"
    kept: dict[str, Any] = trainer.does(
        "filter", pictures, "-o", "kept", *USE, "--accept", "--model", "lantern/lantern@1", "--dataset", "scraped",
        "--budget", "5EUR",
    )  # fmt: skip
    assert (kept["rows"], kept["kept"]) == (3, 2)
    trainer.does("run", "report", "--model", "lantern/lantern@1", "--dataset", "kept.manifest.json", "--run", "2")

    auditor = person("auditor-apart", apart.url)
    token = apart.office("invite", "--role", "auditor", "--name", "Ada Okafor")["token"]
    period = datetime.now(UTC).strftime("%Y-%m")
    auditor.does("audit", "pull", "--period", period, "-o", "evidence.zip", LICET_TOKEN=token)
    assert auditor.does("audit", "verify", "evidence.zip", LICET_URL="http://127.0.0.1:9")["verified"] is True
    assert apart.office("verify")["equal"] is True
