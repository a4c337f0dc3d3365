"""The commands of the page that says how to check: typed as they stand there, by somebody with an account."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from tests import forking
from tests.whole.stage import BIN, Person, Service

SUMDB = Path(os.environ.get("GOPATH", "/usr/share/gocode")) / "src/golang.org/x/mod"


class Typed(HTMLParser):
    """The blocks of a page that are there to be typed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.blocks: list[str] = []
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "pre" and "data-run" in dict(attrs)
        if self._inside:
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.blocks[-1] += data


def proxy(folder: Path) -> str:
    """Return the address of a module proxy that has golang.org/x/mod as this machine does, and nothing else."""
    version = "v0.1.0"
    at = folder / "golang.org" / "x" / "mod" / "@v"
    at.mkdir(parents=True)
    module = "module golang.org/x/mod\n\ngo 1.17\n"
    (at / "list").write_text(f"{version}\n")
    (at / f"{version}.info").write_text(json.dumps({"Version": version, "Time": "2026-01-01T00:00:00Z"}))
    (at / f"{version}.mod").write_text(module)
    with zipfile.ZipFile(at / f"{version}.zip", "w") as packed:
        packed.writestr(f"golang.org/x/mod@{version}/go.mod", module)
        for file in sorted(SUMDB.rglob("*.go")):
            packed.write(file, f"golang.org/x/mod@{version}/{file.relative_to(SUMDB)}")
    return folder.as_uri()


@pytest.fixture(scope="module")
def blocks(service: Service) -> list[str]:
    both = [Typed(httpx.get(f"{service.url}/{language}/verify").text).blocks for language in ("en", "zh")]
    assert both[0] == both[1]
    return both[0]


def types(block: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    script = f"set -euo pipefail\n{block}"
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def reader(person: Person, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    programs = forking.programs(tmp_path_factory.mktemp("programs"))
    path = os.pathsep.join(map(str, (programs, BIN, os.environ["PATH"])))
    return {**person.environment, "PATH": path}


def test_licets_commands_work_as_they_stand(
    blocks: list[str], artist: Person, service: Service, tmp_path_factory: pytest.TempPathFactory
) -> None:

    (block,) = [each for each in blocks if "log verify" in each]
    environment = reader(artist, tmp_path_factory)
    environment.pop("LICET_URL", None)
    account = json.loads(
        types("licet account show --json", artist.folder, {**environment, "LICET_URL": service.url}).stdout
    )
    genesis = httpx.get(f"{service.url}/v1/statements/{account['account']}")
    assert genesis.status_code == 200
    (artist.folder / "statement.json").write_bytes(genesis.content)
    done = types(block, artist.folder, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "entries" in done.stdout


def test_gos_packages_check_the_log_as_the_page_says(blocks: list[str], service: Service, tmp_path: Path) -> None:
    if shutil.which("go") is None or not (SUMDB / "sumdb" / "tlog").is_dir():
        pytest.skip("Go with golang.org/x/mod in its GOPATH is not on this machine")
    (block,) = [each for each in blocks if "go run" in each]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GOPATH": str(tmp_path / "go"),
        "GOCACHE": str(tmp_path / "cache"),
        "GOPROXY": proxy(tmp_path / "proxy"),
        "GONOSUMDB": "*",
        "GONOSUMCHECK": "1",
        "GOFLAGS": "-modcacherw",
        "GOSUMDB": "off",
        "CGO_ENABLED": "0",
    }
    folder = tmp_path / "check"
    folder.mkdir()
    done = types(block, folder, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    size, root = httpx.get(f"{service.url}/log/checkpoint").text.split("\n")[1:3]
    assert re.fullmatch(r"localhost/licet signed these \d+ entries: root \S+\n", done.stdout)
    assert f"{size} entries: root {root}" in done.stdout
    # Another key than the log's, and a log that is not there, are refused.
    (last,) = [line for line in block.split("\n") if line.startswith("go run")]
    other = "localhost/licet+a2a2a2a2+AWEx"
    for wrong in (re.sub(r"'.*'", f"'{other}'", last), last.replace("/log ", "/nowhere ")):
        assert types(wrong, folder, environment).returncode != 0, wrong


def test_hledger_reads_the_books_as_the_page_says(
    blocks: list[str], artist: Person, service: Service, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if shutil.which("hledger") is None:
        pytest.skip("hledger is not on this machine")
    (block,) = [each for each in blocks if "hledger" in each]
    environment = {**reader(artist, tmp_path_factory), "LANG": "C.UTF-8"}
    done = types(block, artist.folder, environment)
    assert done.returncode == 0, done.stdout + done.stderr
