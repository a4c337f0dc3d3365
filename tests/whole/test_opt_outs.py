"""A client that was written for somebody else's opt-out registry asks ours, unchanged."""

from __future__ import annotations

import asyncio

import pytest
from datadiligence.exceptions import SpawningAIAPIError
from datadiligence.rules import SpawningAPI

from tests.whole.conftest import People
from tests.whole.stage import Person, Service

PAGE = "https://studio.example/opt-outs"
DENIED, PAID, FREE, NEW = f"{PAGE}/金鱼.png", f"{PAGE}/2", f"{PAGE}/3", f"{PAGE}/4"


@pytest.fixture(scope="module")
def crawler(person: People) -> Person:
    """Somebody with a token that may ask, where addresses are registered under several terms."""
    artist = person("opt-outs-artist").joins("artist", "Ada")
    rows = f"url,preset,price,currency\n{DENIED},,,\n{PAID},paid,0.05,USD\n{FREE},research,,\n"
    (artist.folder / "addresses.csv").write_text(rows, "utf-8")
    assert len(artist.does("register", "--from", "addresses.csv")["works"]) == 3
    return person("opt-outs-crawler").joins("organisation", "Crawlers")


@pytest.fixture
def api(crawler: Person, service: Service, monkeypatch: pytest.MonkeyPatch) -> SpawningAPI:
    monkeypatch.setattr(SpawningAPI, "SPAWNING_AI_API_URL", f"{service.url}/api/v2/query/urls/")
    monkeypatch.setenv(SpawningAPI.API_KEY_ENV_VAR, crawler.does("token", "create", "--scope", "query")["token"])
    return SpawningAPI()


def test_whatever_is_not_free_for_the_taking_opts_out(api: SpawningAPI) -> None:
    asked = [NEW, DENIED, PAID, FREE, "no address at all", f" {NEW} "]
    expected = [True, False, False, False, False, True]
    assert api.is_allowed(urls=asked) == asyncio.run(api.is_allowed_async(urls=asked)) == expected
    kept = [url for url, allowed in zip(asked, expected, strict=True) if allowed]
    assert api.filter_allowed(urls=asked) == asyncio.run(api.filter_allowed_async(urls=asked)) == kept


def test_ten_thousand_are_asked_in_one_call_and_more_in_several(api: SpawningAPI) -> None:
    asked = [f"{PAGE}/many/{place}" for place in range(10_050)]
    asked[7] = asked[-1] = DENIED
    assert [place for place, allowed in enumerate(api.is_allowed(urls=asked)) if not allowed] == [7, 10_049]


def test_without_a_token_nothing_is_said(api: SpawningAPI) -> None:
    api.api_key = "lct_none"
    with pytest.raises(SpawningAIAPIError, match="401"):
        api.is_allowed(urls=[NEW])
