"""What a notebook shows of a result: small, escaped, without scripts, and the same as text."""

from __future__ import annotations

import asyncio
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from licet import Request, Wish
from licet.datasets.filtering.build import filter_dataset
from licet.datasets.results.difference import compare
from licet.datasets.session import Client
from tests.sdk.datasets.world import NO_AI, OPEN, PAID, World, encoded, picture

REQUEST = Request(uses=["train-gen"])
HOSTILE = "<img src=x onerror=alert(1)>\"'&\x1b[31m\u202e.png"
TAGS = {"table", "caption", "thead", "tbody", "tr", "th", "td", "div"}


class Seen(HTMLParser):
    """The tags, attributes and text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def results(world: World, tmp_path: Path) -> dict[str, Any]:
    """One result of each kind, about a picture with a hostile name and works of somebody with another."""
    tomas = world.work(encoded(picture(1)), "tomas", OPEN)
    world.work(encoded(picture(3)), "mei", PAID)
    world.registry.publish()
    (tmp_path / "in").mkdir()
    for number in range(25):
        (tmp_path / "in" / f"{number:02d}{HOSTILE}").write_bytes(encoded(picture(1)))
    (tmp_path / "in" / "paid.png").write_bytes(encoded(picture(3)))
    base = world.client()
    base.close()
    with Client(base.url, base.transport.token, home=base.home, profile="default") as client:
        wish = Wish(name="hostile")
        filtered = filter_dataset(client, [tmp_path / "in"], tmp_path / "<b>out", REQUEST, wish)
        checked = client.check([str(tmp_path / "in" / f"00{HOSTILE}")], REQUEST)
        world.registry.change(tomas, terms=NO_AI.encoded)
        again = filter_dataset(client, [tmp_path / "in"], tmp_path / "again", REQUEST, wish)
        return {
            "filtered": filtered,
            "quote": filtered.quote,
            "checked": checked,
            "rechecked": client.recheck(filtered.manifest),
            "difference": compare(filtered.out, again.out),
        }


def test_everything_is_escaped_small_and_without_colours(results: dict[str, Any]) -> None:
    for name, result in results.items():
        html = result._repr_html_()
        seen = Seen(html)
        assert seen.tags <= TAGS, name
        assert seen.attributes <= {"style", "colspan"}, name
        assert "color" not in html, name
        assert "background" not in html, name
        assert len(html) < 16_000, name
        assert "\x1b" not in html, name
        assert "\u202e" not in html, name
    assert HOSTILE[:28] in Seen(results["rechecked"]._repr_html_()).text
    assert "5 more" in Seen(results["rechecked"]._repr_html_()).text


def test_the_text_says_the_same_and_stays_short(results: dict[str, Any]) -> None:
    texts = {name: repr(result) for name, result in results.items()}
    assert texts["filtered"].startswith("<Filtered: kept 25 of 26 rows (25 allow, 1 license); ")
    assert texts["quote"] == "<QuoteSummary: licences: 0.05 USD for 1 work of 1 artist in 1 row>"
    assert texts["rechecked"].startswith("<Rechecked: 25 of 25 kept rows must go; dst_")
    assert texts["difference"].startswith("<Difference: 26 rows before, 26 after: 25 verdict")
    assert "allow (allowed)" in texts["checked"]
    assert all(len(text) < 1000 and "\n" not in text for text in texts.values())
    for name in ("rechecked", "difference"):
        headline = texts[name].partition(": ")[2].partition(";")[0].rstrip(">")
        assert headline in Seen(results[name]._repr_html_()).text


def test_results_can_be_shown_from_inside_a_running_loop(results: dict[str, Any]) -> None:
    async def cell() -> list[str]:
        return [result._repr_html_() for result in results.values()]

    assert len(asyncio.run(cell())) == 5
