"""A witness over HTTP: as a process of its own that is killed at any step, and against what strangers send."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from licet.errors import InputError
from licet.log import checkpoint as checkpoints
from licet.log import cosignature, merkle, witness_server, witnessing
from licet.log.witness import MAX_BODY, Store, Witness, origin_hash
from licet.log.witness_server import WitnessServer
from tests.sdk.log.witnessed import LENGTH, WatchedLog, post

LOG = WatchedLog("registry.example/log", 1)
SIGNERS = [
    cosignature.Signer("witness.example", cosignature.ED25519_COSIGNATURE, b"\x08" * 32),
    cosignature.Signer("witness.example", cosignature.MLDSA44, b"\x09" * 32),
]
KEYS = [each.verifier for each in SIGNERS]
LICET = Path(sys.executable).with_name("licet")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WitnessServer]:
    store = Store(tmp_path / "cosigned")
    made = WitnessServer("127.0.0.1", 0, Witness(SIGNERS, [LOG.signer.verifier], store), [key.vkey for key in KEYS])
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.stop()
    thread.join()
    store.close()


def test_it_answers_as_the_protocol_says(server: WitnessServer) -> None:
    status, kind, body = post(server.url, LOG.request(0, 7))
    read = witnessing.read_answer(status, kind, body, KEYS, LOG.checkpoint(7))
    assert isinstance(read, witnessing.Cosigned)
    assert post(server.url, LOG.request(0, 8)) == (409, "text/x.tlog.size", b"7\n")
    assert post(server.url, b"nonsense")[0] == 400
    assert post(server.url, LOG.request(7, 8), "/elsewhere")[0] == 404


def test_it_shows_its_keys_and_what_it_cosigned(server: WitnessServer) -> None:
    post(server.url, LOG.request(0, 7))
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    seen = {}
    paths = ("/", f"/{origin_hash(LOG.origin)}/checkpoint", f"/{'0' * 64}/checkpoint", "/add-checkpoint", "/x")
    for path in paths:  # on one connection: it is kept alive
        connection.request("GET", path)
        answer = connection.getresponse()
        seen[path] = (answer.status, answer.read())
        connection.request("HEAD", path)
        head = connection.getresponse()
        assert (head.status, head.read(), head.headers["Content-Length"]) == (
            answer.status,
            b"",
            str(len(seen[path][1])),
        )
    connection.close()
    assert seen["/"][1].decode().split() == [key.vkey for key in KEYS]
    opened = checkpoints.open(seen[paths[1]][1], LOG.signer.verifier, witnesses=tuple(KEYS), closed=True)
    assert opened.size == 7
    assert [seen[path][0] for path in paths] == [200, 200, 404, 405, 404]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n\r\n", 411),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: -1\r\n\r\n", 411),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n", 411),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), 413),
        (b"POST /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"A%d: b\r\n" % at for at in range(200)) + b"\r\n", 431),
        (b"PUT / HTTP/1.1\r\n\r\n", 501),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
    ],
)
def test_what_strangers_send_is_answered_and_the_next_one_too(server: WitnessServer, sent: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=30) as connection:
        connection.sendall(sent)
        answer = connection.makefile("rb").read()
    assert answer.split(b" ", 2)[1] == str(status).encode() or (status == 400 and b"400" in answer)
    assert post(server.url, LOG.request(0, 7))[0] == 200


def test_a_body_that_ends_early_is_not_taken_for_whole(server: WitnessServer) -> None:
    body = LOG.request(0, 7)
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=30) as connection:
        connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (len(body) + 1) + body)
        connection.shutdown(socket.SHUT_WR)
        assert b" 400 " in connection.makefile("rb").readline()
    assert post(server.url, LOG.request(0, 7))[0] == 200


def test_whoever_says_nothing_does_not_hold_a_connection(
    server: WitnessServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witness_server, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(witness_server, "MAX_CONNECTIONS", 4)
    address = ("127.0.0.1", server.server_address[1])
    silent = [socket.create_connection(address, timeout=30) for _ in range(4)]
    try:
        for each in silent:
            each.sendall(b"POST /add-checkpoint HTTP/1.1\r\n")  # and then nothing more
        for each in silent:
            while each.recv(1024):
                pass  # ended by the witness
    finally:
        for each in silent:
            each.close()
    assert post(server.url, LOG.request(0, 7))[0] == 200


def test_one_connection_too_many_is_not_served(server: WitnessServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness_server, "MAX_CONNECTIONS", 1)
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=30) as first:
        first.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert b"200" in first.recv(100)
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            post(server.url, LOG.request(0, 7))


def test_a_disk_that_refuses_is_said_and_nothing_is_cosigned(
    server: WitnessServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Store, origin: str, text: str) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "keep", full)
        status, _, body = post(server.url, LOG.request(0, 7))
    assert (status, "—".encode() in body) == (503, False)
    assert post(server.url, LOG.request(0, 5))[0] == 200


def test_an_address_that_cannot_be_listened_on_is_named(server: WitnessServer) -> None:
    with pytest.raises(InputError, match="expected an address to listen on"):
        WitnessServer("127.0.0.1", server.server_address[1], server.witness, [])
    with pytest.raises(InputError, match="expected an address to listen on"):
        WitnessServer("no.such.host.invalid", 0, server.witness, [])


# -- as a process of its own --------------------------------------------------------------------------------------


def command(home: Path, *arguments: str) -> tuple[list[str], dict[str, str]]:
    return [str(LICET), "witness", *arguments], {**os.environ, "LICET_HOME": str(home)}


def started(home: Path, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    words, environment = command(home, "serve", "--port", "0", *arguments)
    process = subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if "--json" in arguments:
        return process, line + process.stdout.readline()
    assert line.startswith("ready http://127.0.0.1:"), line
    return process, line.split()[1]


def ended(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    process.stdout.close()
    return process.wait(30)


def keys_of(home: Path) -> list[cosignature.Verifier]:
    words, environment = command(home, "key", "--name", "witness.example")
    shown = subprocess.run(words, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return [cosignature.Verifier.from_vkey(line) for line in shown.stdout.split()]


def test_the_command_serves_until_it_is_ended_and_goes_on_where_it_was(tmp_path: Path) -> None:
    keys = keys_of(tmp_path)
    assert keys_of(tmp_path)[0].vkey == keys[0].vkey  # made once
    logs = tmp_path / "logs"
    logs.write_text(f"# watched\n\n{LOG.signer.verifier.vkey}\n")
    process, url = started(tmp_path, "--logs", str(logs))
    status, kind, body = post(url, LOG.request(0, 7))
    assert isinstance(witnessing.read_answer(status, kind, body, keys, LOG.checkpoint(7)), witnessing.Cosigned)
    process.send_signal(signal.SIGTERM)
    assert ended(process) == 0
    process, url = started(tmp_path, "--log", LOG.signer.verifier.vkey)
    assert post(url, LOG.request(0, 8))[2] == b"7\n"
    process.send_signal(signal.SIGINT)
    assert ended(process) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve"], "expected the verifier key of a log"),
        (["serve", "--log", "nonsense"], "--log: verifier key"),
        (["serve", "--logs", "/no/such/file"], "cannot be read"),
        (["serve", "--log", LOG.signer.verifier.vkey], "no witness in this home"),
        (["serve", "--log", LOG.signer.verifier.vkey, "--port", "70000"], "a port from 0 to 65535"),
        (["key", "--name", "a b"], "--name: expected a key name"),
        (["key"], "no witness in this home"),
    ],
)
def test_a_witness_that_cannot_be_says_why(tmp_path: Path, arguments: list[str], said: str) -> None:
    words, environment = command(tmp_path, *arguments, "--json")
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert said in json.loads(done.stdout)["error"]["message"]
    assert not (tmp_path / "witness" / "key.json").exists()


KILLED_AT = """
import os, signal, sys
from pathlib import Path
from licet.log import cosignature
from licet.log.note import Verifier
from licet.log.witness import Store, Witness
from licet.log.witness_server import WitnessServer

folder, vkey, step, after = sys.argv[1:]
left = int(after)

def reach(name):
    global left
    if name == step:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

signers = [cosignature.Signer("witness.example", kind, bytes([seed]) * 32) for kind, seed in ((4, 8), (6, 9))]
server = WitnessServer(
    "127.0.0.1", 0, Witness(signers, [Verifier.from_vkey(vkey)], Store(Path(folder)), reach=reach), []
)
print(server.url, flush=True)
server.run()
"""


def test_killed_between_keeping_and_answering_it_never_cosigns_another_tree(tmp_path: Path) -> None:
    """The log asks again after each kill, as the protocol has it; a forked log asks too, from every size it knows."""
    let_out: list[tuple[int, bytes]] = []
    size = 0
    for step in ("cosigned", "kept", "kept", "cosigned", "kept"):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED_AT, str(tmp_path), LOG.signer.verifier.vkey, step, "2"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        asked = size
        for step_size in (1, 2):
            asked = new = max(asked, size) + step_size
            try:
                status, kind, body = post(url, LOG.request(size, new))
                if status == 409:
                    size = int(body)
                    asked = new = size + step_size
                    status, kind, body = post(url, LOG.request(size, new))
            except (ConnectionError, http.client.HTTPException):
                break
            assert isinstance(
                witnessing.read_answer(status, kind, body, KEYS, LOG.checkpoint(new)), witnessing.Cosigned
            )
            let_out.append((new, LOG.root(new)))
            size = new
        else:
            pytest.fail("the witness was to be killed")
        assert ended(process) == -signal.SIGKILL
        process, url = restarted(tmp_path)
        try:
            known = int(post(url, LOG.request(LENGTH, LENGTH))[2])
            assert known == (asked if step == "kept" else size)
            for old in range(LENGTH):  # the other tree gets nothing, wherever it begins
                if LOG.root(old, 1) != LOG.root(old):
                    assert post(url, LOG.request(old, LENGTH, 1))[0] in (409, 422)
        finally:
            process.kill()
            ended(process)
    assert [each for each, _ in let_out] == sorted(each for each, _ in let_out)
    assert all(root == merkle.root(LOG.trees[0][:at]) for at, root in let_out)


def restarted(folder: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED_AT, str(folder), LOG.signer.verifier.vkey, "never", "1"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_requests_under_way_at_the_end_are_answered(tmp_path: Path) -> None:
    keys = keys_of(tmp_path)
    process, url = started(tmp_path, "--log", LOG.signer.verifier.vkey)
    answers: list[int] = []

    def ask(first: int) -> None:
        with contextlib.suppress(ConnectionError, http.client.HTTPException):
            answers.extend(post(url, LOG.request(0, size))[0] for size in range(first, LENGTH, 4))

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(1, 5)]
    for thread in threads:
        thread.start()
    while not answers:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert ended(process) == 0
    for thread in threads:
        thread.join()
    assert answers.count(200) == 1
    assert set(answers) <= {200, 409}
    assert len(keys) == 2
