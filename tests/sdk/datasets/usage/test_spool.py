"""The spool: what is in it survives, is sent once, and has one effect."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from licet import times
from licet.client import Client
from licet.client.endpoints import usage as endpoints
from licet.datasets.usage import spool as spooling
from licet.datasets.usage.spool import Owed, Report, Spool
from licet.errors import InputError, ServiceError, UnreachableError
from licet.identifiers import new_id
from licet.statements.keys import SigningKey
from licet.statements.kinds import Event, UsageBatch
from licet.statements.licences import event_id
from licet.wire.usage_arrow import KEY, MEDIA_TYPE, Signed
from tests.sdk.datasets.registry import Answered, Registry
from tests.sdk.datasets.world import World

pytestmark = pytest.mark.fault

LICENCE = new_id("lic")


def organisation(client: Client) -> str:
    account = client.profile.account
    assert account is not None
    return account.account


def events(client: Client, count: int, run: str = "1") -> list[Owed]:
    works = [f"wrk_{number:026d}" for number in range(count)]
    at = times.to_text(times.now())
    who = organisation(client)
    numbers = {work: event_id(who, LICENCE, work, run, "train-gen", "run", 0) for work in works}
    made = [
        Event(number, LICENCE, None, work, "train-gen", run, "run", 0, 1, at, "exact")
        for work, number in numbers.items()
    ]
    return [Owed(event, "USD", 50_000) for event in made]


def report(client: Client, count: int, run: str = "1") -> Report:
    return Report(organisation(client), f"d/{run}", None, None, [], events(client, count, run))


@pytest.fixture(autouse=True)
def licensed(world: World) -> None:
    """The registry knows the licence, so that its events are not outside one."""
    world.registry.licences[LICENCE] = None  # type: ignore[assignment]  # only its name is asked


def test_what_is_spooled_is_sent_once(client: Client, world: World) -> None:
    with Spool(client.home.spool) as spool:
        assert spool.add(report(client, 5)) == 5
        assert spool.add(report(client, 5)) == 0
        assert spool.status().waiting_events == 5
        [sent] = spool.push(client).batches
        assert (sent.new, sent.known, sent.memorandum) == (5, 0, 0)
        assert spool.push(client).batches == []
        status = spool.status()
        assert (status.waiting_events, status.sent_events, status.sent_batches) == (0, 5, 1)
    assert len(world.registry.events) == 5


def test_batches_are_bounded_and_say_what_they_owe(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooling, "MAX_EVENTS", 4)
    seen: list[UsageBatch] = []
    honest = Registry.usage

    def usage(registry: Registry, who: str, data: Any) -> Any:
        from licet.statements.envelope import read_as

        seen.append(read_as(UsageBatch, data.envelope))
        return honest(registry, who, data)

    monkeypatch.setattr(Registry, "usage", usage)
    with Spool(client.home.spool) as spool:
        spool.add(report(client, 10))
        spool.push(client)
    assert sorted(batch.count for batch in seen) == [2, 4, 4]
    assert sum(total.amount for batch in seen for total in batch.totals) == 500_000


def test_a_batch_once_cut_is_sent_the_same_until_it_is_acknowledged(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, str]] = []
    honest = Client.submit_usage

    def lossy(self: Client, envelope: Any, *rest: Any) -> Any:
        sent.append((envelope.payload, rest[1]))
        answer = honest(self, envelope, *rest)
        if len(sent) < 3:
            raise UnreachableError("the answer was lost")
        return answer

    monkeypatch.setattr(Client, "submit_usage", lossy)
    for _ in range(2):
        with Spool(client.home.spool) as spool:
            spool.add(report(client, 3))
            with pytest.raises(UnreachableError):
                spool.push(client)
    with Spool(client.home.spool) as spool:
        spool.add(report(client, 5))  # two more: they come in a batch of their own
        pushed = spool.push(client)
    assert len(set(sent[:3])) == 1
    assert [(batch.new, batch.known) for batch in pushed.batches] == [(3, 0), (2, 0)]
    assert len(world.registry.events) == 5


@pytest.mark.parametrize("knows", [True, False])
def test_many_events_go_as_arrow_to_a_service_that_takes_it(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch, knows: bool
) -> None:
    monkeypatch.setattr(endpoints, "MANY_EVENTS", 3)
    sent: list[str] = []
    honest = client.transport.do

    def do(call: Any) -> Any:
        if call.operation == "submitUsage":
            sent.append(call.body.content_type)
            if sent[-1] == MEDIA_TYPE:
                if not knows:
                    raise InputError("expected a body of application/json", status=415)
                with pa.ipc.open_stream(call.body.content) as reader:
                    found = msgspec.convert(reader.read_all().to_pylist(), list[Event])
                    signed = msgspec.json.decode(reader.schema.metadata[KEY], type=Signed)
                return honest(endpoints.submit_usage(signed.envelope, found, signed.secret))
        return honest(call)

    monkeypatch.setattr(client.transport, "do", do)
    with Spool(client.home.spool) as spool:
        spool.add(report(client, 2))
        spool.push(client)
        spool.add(report(client, 3, "2"))
        assert [each.new for each in spool.push(client).batches] == [3]
    assert sent == ["application/json", MEDIA_TYPE, *([] if knows else ["application/json"])]
    assert len(world.registry.events) == 5


def test_nothing_has_a_second_effect_when_two_processes_push(client: Client, world: World) -> None:
    with Spool(client.home.spool) as one, Spool(client.home.spool) as two:
        one.add(report(client, 3))
        two.add(report(client, 3))
        one.push(client)
        assert two.push(client).batches == []
    assert len(world.registry.batches) == 1


KILLED = """
import os, signal, sys
from licet.client import Client
from licet.datasets.usage import spool as spooling
from licet.home import Home
sys.path.insert(0, sys.argv[5])
from tests.sdk.datasets.usage import test_spool

url, home, token, where, _, licence = sys.argv[1:]
test_spool.LICENCE = licence
client = Client(url, token, home=Home(home), profile="default")
spool = spooling.Spool(client.home.spool)
if where == "added":
    spool.add(test_spool.report(client, 7))
    os.kill(os.getpid(), signal.SIGKILL)
if where == "within":
    with spool._transaction() as db:
        db.execute("delete from events")
        os.kill(os.getpid(), signal.SIGKILL)
if where.startswith("statement "):
    left = int(where.partition(" ")[2])
    def count(text):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
    spool._db.set_trace_callback(count)
    spool.add(test_spool.report(client, 7))
    spool.push(client)
    sys.exit(0)
honest = Client.submit_usage
def submit(self, *given):
    honest(self, *given)
    os.kill(os.getpid(), signal.SIGKILL)
Client.submit_usage = submit
spool.push(client)
"""


def kill(client: Client, world: World, where: str) -> None:
    root = Path(__file__).resolve().parents[4]
    given = [world.registry.url, client.home.folder, organisation(client), where, root, LICENCE]
    command = [sys.executable, "-c", KILLED, *map(str, given)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    if where.startswith("statement ") and done.returncode == 0:  # it had fewer statements than that
        return
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def test_a_kill_at_any_moment_loses_nothing_and_doubles_nothing(client: Client, world: World) -> None:
    kill(client, world, "added")
    with Spool(client.home.spool) as spool:
        assert spool.status().waiting_events == 7
    kill(client, world, "within")
    with Spool(client.home.spool) as spool:
        assert spool.status().waiting_events == 7
    kill(client, world, "acknowledging")
    assert len(world.registry.events) == 7
    with Spool(client.home.spool) as spool:
        assert spool.status().waiting_batches == 1
        [sent] = spool.push(client).batches
        assert (sent.new, sent.known) == (7, 0)  # the first answer, once more
        assert spool.status().waiting_events == 0
    assert len(world.registry.events) == 7
    assert len(world.registry.batches) == 1


@pytest.mark.parametrize(
    "number",
    [3, 11, *(pytest.param(number, marks=pytest.mark.slow) for number in range(1, 40) if number not in {3, 11})],
)
def test_a_kill_at_any_statement_loses_nothing_that_was_added(client: Client, world: World, number: int) -> None:
    kill(client, world, f"statement {number}")
    with Spool(client.home.spool) as spool:
        kept = spool.status().waiting_events + spool.status().sent_events
        assert kept in {0, 7}  # all or nothing
        spool.add(report(client, 7))
        spool.push(client)
        assert (spool.status().waiting_events, spool.status().sent_events) == (0, 7)
    assert len(world.registry.events) == 7
    assert len(world.registry.batches) == 1


def test_a_refused_batch_is_marked_and_holds_up_nobody(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Registry.usage
    refusing = True

    def usage(registry: Registry, who: str, data: Any) -> Any:
        if refusing and data.events[0].run == "bad":
            raise Answered(422, "invalid-events", "that cannot be")
        return honest(registry, who, data)

    monkeypatch.setattr(Registry, "usage", usage)
    with Spool(client.home.spool) as spool:
        spool.add(report(client, 2, "bad"))
        spool.add(report(client, 3, "good"))
        with pytest.raises(InputError, match="that cannot be"):
            spool.push(client)
        status = spool.status()
        assert (status.waiting_events, status.sent_events) == (2, 3)
        assert [each["kind"] for each in status.refused] == ["batch"]
        refusing = False
        spool.push(client)
        assert spool.status().refused == []


def test_an_outage_leaves_everything_waiting(client: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def usage(*_: Any) -> Any:
        raise Answered(500, "internal")

    monkeypatch.setattr(Registry, "usage", usage)
    with Spool(client.home.spool) as spool:
        spool.add(report(client, 2))
        with pytest.raises(ServiceError):
            spool.push(client)
        assert spool.status().waiting_events == 2


def test_events_of_another_organisation_wait_for_it(client: Client, world: World) -> None:
    with world.client("other") as other, Spool(client.home.spool) as spool:
        spool.add(report(other, 2))
        assert spool.push(client).batches == []
        assert spool.status().waiting_events == 2
        key = SigningKey.load(other.profile.key_path)
        assert spool.cut(organisation(other), "genesis", other.registry_ref(), key) == 1


def test_a_file_that_is_no_spool_is_told(tmp_path: Path) -> None:
    (tmp_path / "spool.sqlite").write_bytes(b"something else entirely" * 100)
    with pytest.raises(InputError, match="usage spool"):
        Spool(tmp_path / "spool.sqlite")


def test_only_the_owner_reads_the_spool(client: Client) -> None:
    with Spool(client.home.spool):
        assert client.home.spool.stat().st_mode & 0o077 == 0
