"""``licet audit``: what it prints, where it leaves files, and the codes it ends with."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from licet.cli import main
from licet.home import Home, TrustFile
from licet.wire.accounts import RegistryInfo
from licet.wire.common import Problem
from tests.sdk.audit.stage import PERIOD, Stage, identifier

Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``licet … --json`` in a home of its own and return exit code and document."""
    monkeypatch.setenv("LICET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LICET_TOKEN", "lct_test")

    def command(*arguments: str | Path) -> tuple[int, Any]:
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments), "--json"])
        return int(str(ended.value.code)), json.loads(capsys.readouterr().out)

    return command


def pin(stage: Stage, tmp_path: Path) -> None:
    trust = TrustFile("http://127.0.0.1:9", stage.origin, stage.root.public.hex(), "2026-11-22T00:00:00.000Z")
    Home(tmp_path / "home").profile().trust = trust


def test_verify_says_which_checks_held(stage: Stage, bundle: Path, tmp_path: Path, run: Run) -> None:
    pin(stage, tmp_path)
    code, document = run("audit", "verify", bundle)
    assert code == 0
    assert document["verified"] is True
    assert document["checks"][:4] == ["bundle-form", "registry-keys", "manifest-signature", "member-digests"]
    assert document["checks"] == [check["name"] for check in document["details"]]
    assert document["log"] == {"size": stage.closing, "root": stage.log.tree(stage.closing).root.hex()}
    assert {total["currency"]: total["amount"] for total in document["accrued"]} == {"EUR": "2.674", "USD": "0.58075"}


def test_verify_in_words(stage: Stage, bundle: Path, tmp_path: Path, run: Run, capsys: Any) -> None:
    pin(stage, tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["audit", "verify", str(bundle)])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert f"{stage.origin}, {PERIOD} (open): verified" in printed
    back = stage.records()
    assert " accrued for " in printed
    assert "before reversals: " in printed, back
    assert "  log-coverage: every statement of these kinds that the log took in the period is here" in printed


def test_verify_without_a_pinned_registry_is_not_enough(bundle: Path, run: Run) -> None:
    code, document = run("audit", "verify", bundle)
    assert (code, document["verified"]) == (1, False)


def test_verify_by_a_trust_file(stage: Stage, bundle: Path, tmp_path: Path, run: Run) -> None:
    policy = tmp_path / "trust.json"
    policy.write_bytes(msgspec.json.encode(TrustFile("", stage.origin, stage.root.public.hex(), "")))
    assert run("audit", "verify", bundle, "--policy", policy)[0] == 0
    policy.write_bytes(msgspec.json.encode(TrustFile("", stage.origin, Stage("two").root.public.hex(), "")))
    code, document = run("audit", "verify", bundle, "--policy", policy)
    assert (code, document["error"]["check"]) == (1, "registry-keys")
    policy.write_bytes(b"{}")
    assert run("audit", "verify", bundle, "--policy", policy)[0] == 2
    assert run("audit", "verify", bundle, "--policy", tmp_path / "none")[0] == 2


def test_verify_names_the_check_and_the_member_that_failed(
    stage: Stage, bundle: Path, tmp_path: Path, run: Run
) -> None:
    pin(stage, tmp_path)
    wrong = tmp_path / "wrong.zip"
    wrong.write_bytes(bundle.read_bytes().replace(b"Licet ledger", b"Licet ledges"))
    code, document = run("audit", "verify", wrong)
    assert code == 1
    assert (document["error"]["check"], document["error"]["member"]) == ("bundle-form", "ledger.journal")
    assert run("audit", "verify", tmp_path / "missing.zip")[0] == 2


class Service:
    """Answers for a registry: who it is, and one bundle."""

    def __init__(self, stage: Stage, body: bytes) -> None:
        self.body, self.status, self.cut = body, 200, False
        self.asked: list[str] = []
        keys = [stage.log.evidence(index, stage.closing) for index in stage.key_indices]
        info = RegistryInfo(stage.origin, stage.root.keyid, stage.root.public.hex(), "", keys, 1234, 1, "0")
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.asked.append(self.path)
                status, body = 200, msgspec.json.encode(info)
                if self.path.startswith("/v1/audit/"):
                    status, body = service.status, service.body
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if service.cut and "/audit/" in self.path else body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def service(stage: Stage, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A registry that hands out the bundle."""
    answering = Service(stage, bundle.read_bytes())
    thread = threading.Thread(target=answering.server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("LICET_URL", answering.url)
    yield answering
    answering.server.shutdown()
    answering.server.server_close()
    thread.join()


def test_pull_takes_a_bundle_home_and_pins_the_registry(
    service: Service, bundle: Path, tmp_path: Path, run: Run
) -> None:
    target = tmp_path / "evidence.zip"
    code, document = run("audit", "pull", "--period", PERIOD, "-o", target)
    assert code == 0
    assert document["members"] == 33
    assert target.read_bytes() == bundle.read_bytes()
    assert service.asked[-1] == f"/v1/audit/bundle?period={PERIOD}"
    assert run("audit", "verify", target)[0] == 0


def test_pull_asks_for_one_organisation(service: Service, tmp_path: Path, run: Run) -> None:
    organisation = identifier("org", "Lantern Labs")
    run("audit", "pull", "--period", PERIOD, "--organisation", organisation, "-o", tmp_path / "part.zip")
    assert service.asked[-1] == f"/v1/audit/bundle?period={PERIOD}&organisation={organisation}"


@pytest.mark.parametrize("arguments", [["--period", "november"], ["--period", PERIOD, "--organisation", "lantern"]])
def test_pull_refuses_what_cannot_be_asked(service: Service, tmp_path: Path, run: Run, arguments: list[str]) -> None:
    assert run("audit", "pull", *arguments, "-o", tmp_path / "evidence.zip")[0] == 2
    assert run("audit", "pull", "--period", PERIOD, "-o", tmp_path / "nowhere" / "evidence.zip")[0] == 2
    assert not [path for path in service.asked if "audit" in path]


@pytest.mark.parametrize(("status", "code"), [(403, 4), (404, 2), (500, 3)])
def test_pull_leaves_nothing_behind_when_it_is_refused(
    service: Service, tmp_path: Path, run: Run, status: int, code: int
) -> None:
    service.status, service.body = status, msgspec.json.encode(Problem("x", "Refused", status))
    assert run("audit", "pull", "--period", PERIOD, "-o", tmp_path / "evidence.zip")[0] == code
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_pull_keeps_nothing_that_is_not_a_bundle(service: Service, tmp_path: Path, run: Run) -> None:
    service.body = b"<html>a proxy's page</html>"
    code, document = run("audit", "pull", "--period", PERIOD, "-o", tmp_path / "evidence.zip")
    assert (code, document["error"]["check"]) == (1, "bundle-form")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_pull_leaves_what_was_there_when_the_download_is_cut(service: Service, tmp_path: Path, run: Run) -> None:
    target = tmp_path / "evidence.zip"
    target.write_bytes(b"before")
    service.cut = True
    assert run("audit", "pull", "--period", PERIOD, "-o", target, "--overwrite")[0] == 3
    assert target.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evidence.zip", "home"]


def test_pull_replaces_no_file_unasked(service: Service, bundle: Path, tmp_path: Path, run: Run) -> None:
    target = tmp_path / "evidence.zip"
    target.write_bytes(b"before")
    code, document = run("audit", "pull", "--period", PERIOD, "-o", target)
    assert (code, document["error"]["field"]) == (2, "-o")
    assert "--overwrite" in document["error"]["message"]
    assert target.read_bytes() == b"before"
    assert not service.asked
    assert run("audit", "pull", "--period", PERIOD, "-o", tmp_path)[0] == 2
    assert run("audit", "pull", "--period", PERIOD, "-o", target, "--overwrite")[0] == 0
    assert target.read_bytes() == bundle.read_bytes()
