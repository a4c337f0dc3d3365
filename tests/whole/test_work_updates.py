"""Pictures that change, at the command line: noticed, signed for as what the work is now, and never for a lie."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import product
from typing import Any

import msgspec
import pytest

from licet.catalogue.forms import digest_form
from licet.catalogue.held import held
from licet.client import Client
from licet.errors import VerificationError
from licet.home import Home
from licet.statements.works import work_digest
from licet.wire.works import Work
from tests.whole.conftest import People
from tests.whole.stage import Person, Service, line_to

PAID = ("--preset", "paid", "--price", "0.05", "--currency", "USD")


@pytest.fixture(scope="module")
def mei(person: People) -> Person:
    """An artist with two works for a price, and the pictures of both."""
    made = person("changing").joins("artist", "Mei Lin")
    index = made.does("register", made.draws("pictures", 3601, 3602), *PAID)["log_index"]
    made.does("snapshot", "pull", "--covering", str(index))
    return made


def through(who: Person, url: str) -> dict[str, str]:
    token = (who.home / "profiles" / "default" / "token").read_text().strip()
    return {"LICET_URL": url, "LICET_TOKEN": token}


def test_a_picture_that_changed_in_its_place_is_noticed_and_made_the_works_own(mei: Person) -> None:
    pictures = sorted((mei.folder / "pictures").iterdir())
    old = mei.folder / "old.png"
    shutil.copy(pictures[0], old)
    work = mei.does("check", old, "--use", "train-gen")["results"][0]["work"]
    shutil.copy(next(mei.draws("others", 3603).iterdir()), pictures[0])

    noticed = mei.types("register", mei.folder / "pictures")
    assert noticed.code == 1
    assert f"registered from there as {work}, got another one: --replace says" in noticed.out
    planned = mei.does("register", mei.folder / "pictures", "--replace", "--dry-run")
    assert [each["work"] for each in planned["replaced"]] == [work]
    told = mei.types("register", mei.folder / "pictures", "--replace")
    assert told.code == 0, told
    assert "1 work changed under stm_" in told.out
    found = mei.does("works", "show", work)["work"]
    assert len(found["files"]) == 1
    mei.does("snapshot", "pull", "--covering", str(found["changed_index"]))
    for picture in (old, pictures[0]):
        (result,) = mei.does("check", picture, "--use", "train-gen")["results"]
        assert (result["work"], result["verdict"]) == (work, "license")
    again = mei.does("register", mei.folder / "pictures", "--replace")
    assert (again["replaced"], len(again["duplicates"])) == ([], 2)
    assert mei.does("terms", "set", work, "--preset", "no-ai")["effect"] == "tighten"

    shutil.copy(next(mei.draws("more", 3604).iterdir()), pictures[0])
    separate = mei.does("register", mei.folder / "pictures", "--separate")
    assert (len(separate["works"]), separate["replaced"]) == (1, [])


def test_a_row_with_another_picture_under_the_same_external_id_replaces_it(mei: Person) -> None:
    first, second = sorted(mei.draws("table", 3605, 3606).iterdir())
    sheet = mei.folder / "works.csv"
    sheet.write_text(f"path,external_id,preset\n{first},A-1,no-ai\n")
    (made,) = mei.does("register", "--from", sheet)["works"]
    sheet.write_text(f"path,external_id,title,preset\n{second},A-1,Anew,research\n")
    refused = mei.does("register", "--from", sheet, code=2)["refused"]
    assert "--replace says that it is what this work is now" in refused[0]["reason"]
    done = mei.does("register", "--from", sheet, "--replace")
    assert [each["work"] for each in done["replaced"]] == [made["work"]]
    assert [each["effect"] for each in done["statements"]] == ["update", "loosen"]
    found = mei.does("works", "show", made["work"])["work"]
    assert (found["title"], len(found["files"]), found["waiting"] is not None) == ("Anew", 1, True)


def test_an_address_and_a_further_copy_are_signed_for_one_work(mei: Person) -> None:
    picture = mei.folder / "pictures" / "3602.png"
    work = mei.does("check", picture, "--use", "train-gen")["results"][0]["work"]
    (copy,) = mei.draws("copies", 3607).iterdir()
    done = mei.does("works", "update", work, "--file", copy, "--url", "https://mei.example/a", "--title", "Two")
    assert (done["changed"], done["work"]["urls"], done["work"]["title"]) == (True, ["https://mei.example/a"], "Two")
    mei.does("statement", "fetch", done["statement"], "-o", "update.licet")
    assert mei.does("statement", "verify", "update.licet", LICET_URL="http://127.0.0.1:9")["kind"] == "work-update"
    same = mei.does("works", "update", work, "--url", "https://mei.example/a", code=2)
    assert "an address that the work does not have yet" in same["error"]["message"]
    assert mei.does("monitor", "--once")["findings"] == []


LIES: dict[str, Any] = {
    "pdq": "ab" * 32,
    "pixels": "ab" * 32,
    "sha256": "ab" * 32,
    "urls": ["https://eve.example/a"],
    "mode": "fingerprint-only",
    "files": [{"sha256": "ab" * 32, "pixels": None, "pdq": None, "quality": None}],
}


def test_nothing_is_signed_over_a_field_that_the_registry_alters(painter: Person, service: Service) -> None:
    """Whether the digest that it shows was altered along with the field or not."""
    lie = ("pdq", True)  # which field, and whether the digest goes along

    def lying(method: str, path: str, forward: Callable[[], bytes]) -> bytes:
        data = forward()
        if method != "GET" or not path.startswith("/v1/works/"):
            return data
        field, along = lie
        found = {**json.loads(data), field: LIES[field]}
        if along:
            form = digest_form(msgspec.convert(found, Work), painter.account)
            found["digest"] = work_digest(form).hex()
        return json.dumps(found).encode()

    work = painter.does("works", "list")["works"][0]["work"]
    statements = painter.home / "profiles" / "default" / "statements"
    before = sorted(statements.iterdir())
    with line_to(service) as line:
        line.hook = lying
        way = through(painter, line.url)
        with Client(line.url, way["LICET_TOKEN"], home=Home(painter.home)) as client:
            for lie in product(LIES, (True, False)):  # noqa: B007 - what the line tells
                with pytest.raises(VerificationError, match=work):
                    held(client, [client.work(work)])
        lie = ("pdq", True)
        for command in (
            ("terms", "set", work, "--preset", "no-ai"),
            ("works", "withdraw", work, "--yes"),
            ("works", "update", work, "--url", "https://mei.example/b"),
        ):
            refused = painter.does(*command, code=1, **way)["error"]
            assert refused["code"] == "verification"
            assert "to be what this home signed for, got another digest" in refused["message"]
    assert sorted(statements.iterdir()) == before


@pytest.fixture(scope="module")
def painter(person: People) -> Person:
    """An artist with one work."""
    made = person("lied-to").joins("artist", "Su Tang")
    made.does("register", made.draws("pictures", 3610), *PAID)
    return made


def test_a_home_without_what_was_signed_proves_it_from_the_log_or_takes_a_word_for_it(
    painter: Person, person: People
) -> None:
    copy = person("copy-of-a-home")
    shutil.copytree(painter.home, copy.home)
    for kept in (copy.home / "profiles" / "default" / "statements").glob("stm_*"):
        kept.unlink()
    work = copy.does("works", "list")["works"][0]["work"]
    assert copy.does("terms", "set", work, *PAID)["effect"] == "tighten"
    copy.does("works", "update", work, "--url", "https://su.example/c")
    # The home that it was copied from signed for the work as it was, and has to be told.
    refused = painter.does("terms", "set", work, *PAID, code=1)["error"]["message"]
    assert "to be what this home signed for, got another digest" in refused
    assert painter.does("terms", "set", work, *PAID, "--as-registered")["effect"] == "tighten"
