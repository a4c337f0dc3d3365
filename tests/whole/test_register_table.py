"""A table of works at the command line: rows with terms of their own, updates, errors to correct, and being stopped
at any point."""

from __future__ import annotations

import csv
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from licet import Client
from licet.home import Home
from tests.whole.stage import Forward, Line, Person, Service, line_to

HEADER = "Path;Title;external_id;preset;price;currency;tags;created;on_behalf_of\n"


@pytest.fixture(scope="module")
def line(service: Service) -> Iterator[Line]:
    with line_to(service) as opened:
        yield opened


def table(person: Person, name: str, *rows: str, header: str = HEADER) -> Path:
    path = person.folder / name
    path.write_text(header + "".join(f"{row}\n" for row in rows), "utf-8")
    return path


def works(person: Person, **filters: str) -> dict[str, Any]:
    options = [word for name, value in filters.items() for word in (f"--{name}", value)]
    return {work["external_id"]: work for work in person.does("works", "list", *options)["works"]}


def test_a_table_is_registered_corrected_and_updated(artist: Person) -> None:
    artist.draws("t", 301, 302, 303, 304)
    table(
        artist, "works.csv",
        f't/301.png;"江山, ""one""";t-1;;;;a|b;2019;{artist.account}',
        "t/302.png;Two;t-2;paid;0.05;USD;;;",
        "t/303.png;=SUM(A1);t-3;paid;0.05;USD;;;",
        "t/304.png;Four;t-4;paid;;;;;",
        "t/none.png;Five;t-5;;;;;;",
        "t/304.png;Six;t-6;;;;;;art_1",
    )  # fmt: skip
    planned = artist.does("register", "--from", "works.csv", "--dry-run", code=1)
    assert [len(planned[kind]) for kind in ("pictures", "updated", "unchanged", "refused")] == [3, 0, 0, 3]
    assert [each["works"] for each in planned["statements"]] == [1, 2]
    assert planned["fee_bps"] == 1000
    assert works(artist, q="江") == {}

    done = artist.does("register", "--from", "works.csv", code=1)
    assert [len(done[kind]) for kind in ("works", "statements", "refused")] == [3, 2, 3]
    assert [(each["row"], each["field"]) for each in done["refused"]] == [
        (5, "price"),
        (6, "path"),
        (7, "on_behalf_of"),
    ]
    found = works(artist, q="t-")
    assert {key: (work["title"], work["tags"]) for key, work in found.items()} == {
        "t-1": ('江山, "one"', ["a", "b"]), "t-2": ("Two", []), "t-3": ("=SUM(A1)", []),
    }  # fmt: skip
    assert found["t-2"]["statement"] == found["t-3"]["statement"] != found["t-1"]["statement"]
    assert set(works(artist, q="山")) == {"t-1"}

    errors = artist.folder / "works.errors.csv"
    assert done["errors_file"] == "works.errors.csv"
    text = errors.read_text("utf-8-sig")
    rows = list(csv.DictReader(text.splitlines(), delimiter=";"))
    assert [(row["external_id"], row["error_field"]) for row in rows] == [
        ("t-4", "price"), ("t-5", "path"), ("t-6", "on_behalf_of"),
    ]  # fmt: skip
    assert "delegation" in rows[2]["error"]
    errors.write_text(text.splitlines()[0] + "\n" + text.splitlines()[1].replace(";paid;;", ";paid;0.05;USD") + "\n")
    assert artist.does("register", "--from", errors)["statements"][0]["works"] == 1

    text = (artist.folder / "works.csv").read_text("utf-8").replace("Two", "Zwei").replace("t-1;;;;", "t-1;paid;1;USD;")
    (artist.folder / "works.csv").write_text(text, "utf-8")
    updated = artist.does("register", "--from", "works.csv", code=1)
    assert ([len(updated[kind]) for kind in ("works", "updated", "unchanged")]) == [0, 2, 1]
    assert [(each["effect"], each["works"]) for each in updated["statements"]] == [("loosen", 1)]
    found = works(artist, q="t-")
    assert (found["t-2"]["title"], found["t-1"]["state"]) == ("Zwei", "pending")

    work = found["t-1"]["work"]
    assert "unless you undo it" in artist.types("terms", "show", work).out
    assert "cancels it" in artist.types("works", "show", work).out
    assert artist.does("terms", "undo", work)["statements"][0]["works"] == 1
    assert works(artist, q="t-1")["t-1"]["state"] == "in-force"


def test_a_changed_picture_is_not_taken_for_the_old_one(artist: Person) -> None:
    artist.draws("c", 311, 312)
    table(artist, "changed.csv", "c/311.png;One;c-1;;;;;;")
    assert artist.does("register", "--from", "changed.csv")["refused"] == []
    table(artist, "changed.csv", "c/312.png;One;c-1;;;;;;", "c/311.png;One;c-2;;;;;;")
    done = artist.does("register", "--from", "changed.csv", code=2)
    reasons = [each["reason"] for each in done["refused"]]
    assert "--replace says that it is what this work is now" in reasons[0]
    assert reasons[1].startswith("external_id: expected c-1, as of wrk_")
    assert works(artist, q="c-")["c-1"]["title"] == "One"


def test_digests_without_pictures_can_only_deny_and_that_is_said(artist: Person) -> None:
    header = "sha256,title,preset,price,currency\n"
    table(artist, "digests.csv", f"{'5d' * 32},Digest,paid,1,USD", header=header)
    told = artist.types("register", "--from", "digests.csv")
    assert told.code == 0, told
    assert "can only deny" in told.out
    work = next(iter(artist.does("works", "list", "--q", "Digest")["works"]))
    assert (work["mode"], work["pixels"], work["pdq"]) == ("fingerprint-only", None, None)
    assert artist.does("register", "--from", "digests.csv")["duplicates"][0]["work"] == work["work"]


def test_a_work_is_changed_and_asked_about_before_it_is_withdrawn(artist: Person) -> None:
    artist.draws("u", 321)
    work = artist.does("register", "u")["works"][0]["work"]
    changed = artist.does("works", "update", work, "--title", "千里江山", "--tags", "a, b", "--created", "1113")
    assert (changed["work"]["title"], changed["work"]["tags"], changed["changed"]) == ("千里江山", ["a", "b"], True)
    assert artist.does("works", "update", work, "--title", "千里江山")["changed"] is False
    wrong = artist.types("works", "update", work, "--created", "1113-13", "--json")
    assert (wrong.code, "created: expected a year" in wrong.message) == (2, True)
    told = artist.types("works", "withdraw", work, "--yes")
    assert "Licences already issued run to their end" in told.out
    assert artist.does("works", "list", "--state", "withdrawn")["works"][0]["work"] == work


def test_an_export_holds_everything_and_is_read_again(person: Any) -> None:
    someone = person("exporting").joins("artist", "Exporter")
    someone.draws("e", 331, 332)
    table(someone, "e.csv", 'e/331.png;"=a, b";e-1;paid;0.05;USD;"x, y|";;', "e/332.png;Two;e-2;;;;;;")
    someone.does("register", "--from", "e.csv")
    made = someone.does("works", "export", "-o", "taken")
    assert (made["works"], made["statements"], made["terms"]) == (2, 2, 2)
    for file in [*(someone.folder / "taken" / "statements").iterdir()][:1]:
        assert someone.does("statement", "verify", file, LICET_URL="http://127.0.0.1:9")["verified"] is True
    back = someone.does("register", "--from", "taken/works.csv")
    assert ([len(back[kind]) for kind in ("works", "updated", "unchanged")], back["statements"]) == ([0, 0, 2], [])
    again = someone.types("works", "export", "-o", "taken", "--json")
    assert (again.code, "--overwrite" in again.message) == (2, True)
    assert someone.does("works", "export", "-o", "taken.zip")["works"] == 2
    assert sorted(path.name for path in someone.folder.iterdir() if path.name.startswith((".taken", "taken"))) == [
        "taken", "taken.zip",
    ]  # fmt: skip


# -- stopped at any point ------------------------------------------------------------------------------------------

STOPS = {
    "at the second picture": ("PUT", "/v1/uploads/", 2, False),
    "before works are named": ("POST", "/v1/works", 1, False),
    "when works are named and nobody heard": ("POST", "/v1/works", 1, True),
    "when the first signature is kept and nobody heard": ("POST", "/v1/statements", 1, True),
    "before the second signature is sent": ("POST", "/v1/statements", 2, False),
    "when all is signed and nobody heard": ("POST", "/v1/statements", 2, True),
}


@pytest.fixture(scope="module")
def stopped(person: Any) -> Person:
    someone: Person = person("stopped").joins("artist", "Often Stopped")
    return someone


def statements(person: Person) -> list[dict[str, Any]]:
    """Return every statement of the person, as the registry lists them."""
    with Client(person.environment["LICET_URL"], home=Home(person.home)) as client:
        return [{"statement": each.statement, "works": each.works} for each in client.statements()]


@pytest.mark.parametrize("stop", STOPS)
def test_killed_at_any_point_and_run_again_each_work_is_there_once(stopped: Person, line: Line, stop: str) -> None:
    method, place, nth, after = STOPS[stop]
    number = list(STOPS).index(stop)
    seeds = range(5000 + 10 * number, 5004 + 10 * number)
    stopped.draws("s", *seeds)
    rows = (f"s/{seed}.png;{seed};k{seed};{'paid;1;USD' if seed % 2 else 'no-ai;;'};;;" for seed in seeds)
    table(stopped, f"{number}.csv", *rows)
    before = {each["statement"] for each in statements(stopped)}
    seen = 0
    running: list[subprocess.Popen[str]] = []

    def kill(asked: str, path: str, forward: Forward) -> bytes | None:
        nonlocal seen
        hit = asked == method and (path == place or (place.endswith("/") and path.startswith(place)))
        seen += hit
        if hit and seen == nth:
            if after:
                forward()
            running[0].kill()
            return None
        return forward()

    line.hook = kill
    running.append(stopped.starts("register", "--from", f"{number}.csv", LICET_URL=line.url, **_token(stopped)))
    running[0].communicate(timeout=240)
    assert running[0].returncode == -signal.SIGKILL
    line.hook = lambda _method, _path, forward: forward()
    stopped.does("register", "--from", f"{number}.csv")
    found = [work for work in stopped.does("works", "list")["works"] if (work["external_id"] or "").startswith("k")]
    mine = [work for work in found if int(work["external_id"][1:]) in seeds]
    assert sorted(work["title"] for work in mine) == [str(seed) for seed in seeds]
    assert all(work["state"] == "in-force" for work in mine)
    for odd in (0, 1):
        assert len({work["statement"] for work in mine if int(work["title"]) % 2 == odd}) == 1
    assert len({each["statement"] for each in statements(stopped)} - before) == 2


def test_stopped_by_the_user_it_says_how_to_go_on(stopped: Person, line: Line) -> None:
    stopped.draws("i", 501, 502, 503)
    running: list[subprocess.Popen[str]] = []
    sent: list[int] = []

    def interrupt(method: str, path: str, forward: Forward) -> bytes | None:
        if method == "PUT" and not sent:
            sent.append(1)
            running[0].send_signal(signal.SIGINT)
        return forward()

    line.hook = interrupt
    running.append(stopped.starts("register", "i", LICET_URL=line.url, **_token(stopped)))
    told = stopped.ended(running[0])
    line.hook = lambda _method, _path, forward: forward()
    assert (told.code, "run the same command again to go on" in told.err) == (130, True)
    assert len(stopped.does("register", "i")["works"]) == 3


def _token(person: Person) -> dict[str, str]:
    """The token goes to the address of its registry alone, so the line is given it by name."""
    return {"LICET_TOKEN": (person.home / "profiles" / "default" / "token").read_text().strip()}
