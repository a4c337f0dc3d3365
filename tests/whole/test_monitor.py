"""An artist's monitor at the command line: quiet while all is as signed, loud at the first thing that is not."""

from __future__ import annotations

import json
import shutil
import time

import pytest

from tests.whole.conftest import People
from tests.whole.stage import Line, Person, Service, line_to


@pytest.fixture(scope="module")
def painter(person: People) -> Person:
    """An artist with two works, in a snapshot."""
    made = person("painter").joins("artist", "Su Tang")
    index = made.does("register", made.draws("pictures", 701, 702))["log_index"]
    until_covered(made, index)
    return made


def through(who: Person, line: Line) -> dict[str, str]:
    """Return what sends a command through the proxy, which gets the token only because it is told so."""
    token = (who.home / "profiles" / "default" / "token").read_text().strip()
    return {"LICET_URL": line.url, "LICET_TOKEN": token}


def until_covered(who: Person, index: int) -> None:
    for _ in range(120):
        if who.does("snapshot", "pull")["snapshot"]["log_size"] > index:
            return
        time.sleep(0.5)
    pytest.fail(f"no snapshot covers log entry {index}")


def test_all_is_as_it_was_signed(painter: Person) -> None:
    looked = painter.does("monitor", "--once")
    assert (looked["works"], looked["statements"], looked["findings"]) == (2, 1, [])
    told = painter.types("monitor", "--once")
    assert told.code == 0
    assert told.out.rstrip().endswith("Everything is as it was signed.")


def test_a_tightened_work_is_followed_into_the_next_snapshot(painter: Person) -> None:
    work = painter.does("works", "list")["works"][0]["work"]
    until_covered(painter, painter.does("works", "withdraw", work, "--yes")["log_index"])
    looked = painter.does("monitor", "--once")
    assert looked["findings"] == []
    assert any(work in each and "withdrawn" in each for each in looked["notes"])


def test_a_log_that_grows_while_the_monitor_looks_is_no_other_log(
    painter: Person, person: People, service: Service
) -> None:
    grower, grown = person("grower").joins("artist", "Grower"), list[int]()
    grower.draws("grown", 709)
    with line_to(service) as line:

        def growing(method: str, path: str, forward):
            if path.startswith("/snapshots/latest/states") and not grown:
                grown.append(grower.does("register", "grown")["log_index"])
                until_covered(grower, grown[0])
            return forward()

        line.hook = growing
        looked = painter.does("monitor", "--once", code=0, **through(painter, line))
    assert looked["findings"] == []
    assert looked["log_size"] > grown[0]


def test_what_the_same_key_signed_elsewhere_is_known_but_not_a_strangers_key(
    painter: Person, person: People, service: Service
) -> None:
    copy = person("copy")
    shutil.copytree(painter.home, copy.home)
    for kept in (copy.home / "profiles" / "default" / "statements").glob("stm_*"):
        kept.unlink()
    assert copy.does("monitor", "--once")["findings"] == []

    with line_to(service) as line:

        def another_key(method: str, path: str, forward):
            data = forward()
            if path.startswith("/v1/keys"):
                page = json.loads(data)
                page["items"].append({**page["items"][0], "keyid": "ab" * 32, "log_index": 9})
                return json.dumps(page).encode()
            return data

        line.hook = another_key
        wrong = copy.does("monitor", "--once", code=1, **through(painter, line))
        assert [each["kind"] for each in wrong["findings"]] == ["unknown-key"]
        assert copy.does("monitor", "--once", "--know", "ab" * 32, code=0, **through(painter, line))["findings"] == []


def test_a_state_that_does_not_prove_itself_and_a_snapshot_from_before_are_refused(
    painter: Person, service: Service
) -> None:
    with line_to(service) as line:
        old: list[bytes] = []

        def lying(method: str, path: str, forward):
            data = forward()
            if path.startswith("/snapshots/latest/states"):
                old.append(data)
                answer = json.loads(data)
                for state in answer["states"]:
                    if state["member"]:
                        state["member"]["leaf"]["state"]["flags"] = []
                return json.dumps(answer).encode()
            return data

        line.hook = lying
        refused = painter.types("monitor", "--once", "--json", **through(painter, line))
        assert refused.code == 1
        assert refused.document["error"]["code"] == "verification"

        until_covered(painter, painter.does("register", painter.draws("more", 703))["log_index"])
        assert painter.does("monitor", "--once")["findings"] == []
        line.hook = lambda _method, path, forward: old[0] if path.startswith("/snapshots/latest/states") else forward()
        before = painter.types("monitor", "--once", "--json", **through(painter, line))
        assert before.code in (1, 3)  # older than what was seen, or not about all works
        assert before.document["error"]["code"] in ("rollback", "service")


def test_all_that_was_seen_in_receipts_and_snapshots_is_held_against_the_log(painter: Person) -> None:
    seen = painter.home / "profiles" / "default" / "checkpoints.jsonl"
    kept = len(seen.read_text().splitlines())
    assert kept >= 3  # of the registration, of a withdrawal, of a snapshot
    assert painter.does("log", "verify")["checkpoints"] >= kept


def test_what_cannot_be_asked_is_said(painter: Person, person: People) -> None:
    assert person("nobody").types("monitor", "--once", "--json").code == 4
    assert painter.types("monitor", "--every", "soon", "--json").code == 2
    away = painter.types("monitor", "--once", "--json", LICET_URL="http://127.0.0.1:9", LICET_TIMEOUT="2")
    assert away.code == 3
    (painter.folder / "policy").write_text("quorum w\n")
    told = painter.types("monitor", "--once", "--policy", "policy", "--json")
    assert told.code == 2
    assert "policy line 1" in told.message
