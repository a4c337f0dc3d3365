"""The whole trip of a list of addresses: ``datadiligence`` asking us over HTTP, beside our own client's three ways."""

from __future__ import annotations

import asyncio
import os
from typing import Final

import pyarrow as pa

from bench.measuring import BUILD, in_turn, record
from bench.service import running
from licet import Client
from licet.catalogue.items import Item
from licet.catalogue.register import register_items
from licet.decisions import Request
from licet.terms import preset
from licet.wire.licensing import RowKeys

URLS: Final = 10_000
DENIED: Final = 50


def main() -> None:
    """Measure them on the same addresses, of which fifty are denied."""
    with running(BUILD / "opt_outs") as service:
        artist, trainer = service.client("artist", "mei"), service.client("organisation", "lantern")
        urls = [f"https://studio.example/works/{place}.png" for place in range(URLS)]
        items = [Item(shown=url, urls=[url], fingerprint_only=True) for url in urls[:: URLS // DENIED]]
        done = register_items(artist, items, preset("no-ai"))
        if done.first is None or done.refused:
            raise RuntimeError(f"not registered: {done.refused[:1]}")
        trainer.snapshot.pull_covering(done.first.log_index)
        token = trainer.create_token(["query"]).token
        with Client(service.url, home=trainer.home, profile="lantern") as client:
            measured(client, token, urls)


def measured(client: Client, token: str, urls: list[str]) -> None:
    """Run them in turn and record them."""
    os.environ["SPAWNING_OPTS_KEY"] = token
    from datadiligence.rules import SpawningAPI

    SpawningAPI.SPAWNING_AI_API_URL = f"{client.url}/api/v2/query/urls/"
    api = SpawningAPI()
    request = Request.make(uses=["train-gen"])
    rows = [RowKeys(url=url) for url in urls]
    batch, pin = pa.record_batch({"url": urls}), client.snapshot.pin()

    def theirs() -> None:
        assert sum(not each for each in api.is_allowed(urls=urls)) == DENIED

    def theirs_async() -> None:
        assert sum(not each for each in asyncio.run(api.is_allowed_async(urls=urls))) == DENIED

    def query() -> None:
        answers = client.query(request.to_json(), rows, "exact")
        assert sum(each.verdict == "deny" for each in answers.results) == DENIED

    def annotate() -> None:
        verdicts = pin.annotate(batch, request, match="exact").column("verdict").to_pylist()
        assert verdicts.count("deny") == DENIED

    figures = in_turn(
        {
            "datadiligence, threads": theirs,
            "datadiligence, asyncio": theirs_async,
            "client.query, with reasons": query,
            "annotate, from the snapshot here": annotate,
        },
        len(urls),
    )
    record("opt_outs", "addresses", figures, urls=len(urls), denied=DENIED)


if __name__ == "__main__":
    BUILD.mkdir(parents=True, exist_ok=True)
    main()
