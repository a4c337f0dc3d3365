"""Derivatives as people meet them: an artist is told what is not covered, a trainer's crops of works are left out."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw, ImageOps

from licet import Client, Request
from licet.home import Home
from tests.whole.conftest import People
from tests.whole.stage import Line, Person, Service, line_to

PICTURES = Path(__file__).parents[2] / "demo" / "pictures"
ASKED = ("--use", "train-gen", "--purpose", "commercial")
PATIENCE = 60


def shown(name: str) -> Image.Image:
    """A picture that no other test has: a negative of the demo's."""
    return ImageOps.invert(Image.open(next(PICTURES.glob(f"*/{name}.*"))).convert("RGB"))


def cropped(name: str) -> Image.Image:
    whole = shown(name)
    width, height = whole.size
    return whole.crop((width // 8, height // 8, width - width // 8, height - height // 8))


def beside(name: str, other: str) -> Image.Image:
    """Two pictures side by side: hashes of the whole find neither."""
    right = shown(name)
    left = shown(other).resize(right.size)
    sheet = Image.new("RGB", (2 * right.width, right.height))
    sheet.paste(left, (0, 0))
    sheet.paste(right, (right.width, 0))
    return sheet


class World(NamedTuple):
    artist: Person
    trainer: Person
    works: dict[str, str]
    registered: Any
    pictures: Path


@pytest.fixture(scope="module")
def world(service: Service, person: People) -> World:
    """Two works with parts, one without; a trainer's folder of what shows parts of them, and of what does not."""
    artist = person("ines").joins("artist", "Inês Duarte")
    mine = artist.folder / "mine"
    mine.mkdir()
    for name in ("owl-at-dusk", "goldfish"):
        shown(name).save(mine / f"{name}.png")
    line = Image.new("RGB", (500, 400), "white")
    ImageDraw.Draw(line).line((60, 200, 440, 210), "navy", 2)
    line.save(mine / "line.png")
    registered = artist.does("register", mine, "--preset", "paid", "--price", "0.05", "--currency", "USD")
    works = {Path(each["path"]).stem: each["work"] for each in registered["works"]}
    trainer = person("lab").joins("organisation", "Lantern Labs")
    pictures = trainer.folder / "pictures"
    pictures.mkdir()
    cropped("owl-at-dusk").save(pictures / "a-crop.png")
    beside("goldfish", "dandelion-clocks").save(pictures / "b-beside.jpg", quality=85)
    shown("tabby-cat").save(pictures / "c-cat.png")
    shown("owl-at-dusk").save(pictures / "d-copy.jpg", quality=90)
    (pictures / "e-broken.png").write_bytes(b"no picture")
    trainer.does("snapshot", "pull", "--covering", str(registered["log_index"]))
    deadline = time.monotonic() + PATIENCE
    while True:  # its place in the index comes soon after
        found = trainer.does("check", pictures / "a-crop.png", *ASKED, "--match", "derivative")
        if found["results"][0]["verdict"] == "review" or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    return World(artist, trainer, works, registered, pictures)


def test_the_artist_is_told_what_is_only_found_whole(world: World) -> None:
    (whole,) = world.registered["whole"]
    assert (Path(whole["path"]).stem, whole["parts"]) == ("line", "too-plain")
    shown = world.artist.types("works", "show", world.works["line"]).out
    assert "only found whole: too plain" in shown
    assert "it finds no copies with other pixels" in shown
    assert "are looked for, too" in world.artist.types("works", "show", world.works["goldfish"]).out
    listed = {each["work"]: each["parts"] for each in world.artist.does("works", "list")["works"]}
    assert listed == {
        world.works["owl-at-dusk"]: "found",
        world.works["goldfish"]: "found",
        world.works["line"]: "too-plain",
    }
    told = world.artist.types("works", "list").out
    assert [line.split("  ")[-1].strip() for line in told.splitlines() if "line" in line] == ["too plain"]
    assert sum(line.rstrip().endswith("covered") for line in told.splitlines()) == 2


def test_check_finds_a_crop_only_where_the_service_is_asked(world: World) -> None:
    crop, cat = world.pictures / "a-crop.png", world.pictures / "c-cat.png"
    here = world.trainer.does("check", crop, *ASKED)["results"][0]
    assert (here["verdict"], here["reason"]) == ("unknown", "no-match")
    found = world.trainer.does("check", crop, cat, *ASKED, "--match", "derivative")
    first, second = found["results"]
    assert (first["verdict"], first["reason"], first["match"]) == ("review", "derivative", "derivative")
    assert (first["work"], first["matches"][0]["key"]) == (world.works["owl-at-dusk"], "parts")
    assert (second["verdict"], second["matches"]) == ("unknown", [])
    assert any(note.startswith("features of 2 pictures were sent to the service") for note in found["notes"])
    told = world.trainer.types("explain", crop, *ASKED, "--match", "derivative")
    assert f"derivative match by parts, {first['distance']} places that lie as in it" in told.out
    with Client(home=Home(world.trainer.home)) as client:
        request = Request(uses=["train-gen"], purpose="commercial")
        (asked,) = client.check([crop], request, match="derivative").results
        assert (asked.verdict, asked.work) == ("review", world.works["owl-at-dusk"])
        table: list[dict[str, Any]] = [{"path": str(crop)}]
        (row,) = client.annotate(table, request, match="derivative")
        assert (row["verdict"], row["kept"]) == ("review", False)
        assert "parts" in row["examined"].split(",")


def test_filter_leaves_out_what_shows_parts_of_works_and_says_why(world: World) -> None:
    trainer = world.trainer
    asked = ("filter", world.pictures, *ASKED, "--unknown", "keep")
    plain = trainer.does(*asked, "-o", "plain")
    assert plain["counts"]["review"] == 1
    done = trainer.does(*asked, "-o", "kept", "--match", "derivative")
    assert (done["counts"]["review"], done["counts"]["license"], done["kept"]) == (3, 1, 1)
    assert any("features of 4 pictures were sent" in note for note in done["notes"])
    rows = {row["path"]: row for row in pq.read_table(trainer.folder / "kept.decisions.parquet").to_pylist()}
    assert {path: (row["verdict"], row["reason"], row["match"]) for path, row in rows.items()} == {
        "a-crop.png": ("review", "derivative", "derivative"),
        "b-beside.jpg": ("review", "derivative", "derivative"),
        "c-cat.png": ("unknown", "no-match", None),
        "d-copy.jpg": ("license", "offer", "near"),
        "e-broken.png": ("review", "malformed", None),
    }
    assert rows["b-beside.jpg"]["work"] == world.works["goldfish"]
    assert rows["b-beside.jpg"]["distance"] >= 5
    manifest = json.loads((trainer.folder / "kept.manifest.json").read_bytes())["manifest"]
    assert manifest["match"] == "derivative"
    assert manifest["asked"]["pictures"] == 4
    assert 0 < manifest["asked"]["least_log_size"] <= manifest["asked"]["most_log_size"]
    again = trainer.does(*asked, "-o", "again", "--match", "derivative")
    second = json.loads((trainer.folder / "again.manifest.json").read_bytes())["manifest"]
    assert again["kept"] == done["kept"]
    assert second["decisions_root"] == manifest["decisions_root"]
    told = trainer.types("explain", "kept:0")
    assert "derivative match by parts" in told.out
    found = trainer.does("recheck", "kept.decisions.parquet")
    assert found["drop"] == []
    assert any("new derivatives were not looked for" in note for note in found["notes"])


def test_without_the_service_nothing_is_passed_off_as_looked_for(world: World) -> None:
    crop = world.pictures / "a-crop.png"
    says = "--match: expected exact or near with --offline: the service alone finds derivatives, got 'derivative'"
    for command in (("check", crop), ("filter", world.pictures, "-o", "offline"), ("explain", crop)):
        told = world.trainer.does(*command, *ASKED, "--match", "derivative", "--offline", code=2)
        assert told["error"]["message"] == says
    told = world.trainer.does("check", crop, *ASKED, "--match", "derivative", "--private", code=2)
    assert told["error"]["message"].startswith("--match: expected exact with --private")
    assert not (world.trainer.folder / "offline.job").exists()


@pytest.fixture
def line(service: Service) -> Iterator[Line]:
    with line_to(service) as line:
        yield line


def test_a_filter_that_is_cut_off_goes_on_and_asks_nothing_twice(world: World, line: Line) -> None:
    asked: list[str] = []

    def hook(method: str, path: str, forward: Any) -> bytes | None:
        if path.startswith("/v1/licensing/parts"):
            asked.append(path)
            if len(asked) <= 9:  # more often than is tried again
                return None
        answer: bytes = forward()
        return answer

    line.hook = hook
    command = ("filter", world.pictures, *ASKED, "--unknown", "keep", "-o", "cut", "--match", "derivative")
    told = world.trainer.does(*command, code=3, LICET_URL=line.url)
    assert "--match derivative asks the service" in told["error"]["message"]
    asked.extend(["over"] * 9)
    done = world.trainer.does(*command, LICET_URL=line.url)
    assert (done["counts"]["review"], done["kept"]) == (3, 1)
