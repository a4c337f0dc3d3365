"""img2dataset: the list of addresses before the download, the shards after it, one filter job each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from licet.client import Client
from licet.datasets.filtering.build import Advance, Filtered, Wish, filter_dataset
from licet.datasets.workers.crew import Crew
from licet.decisions import Request


def before(
    client: Client,
    addresses: str | Path,
    out: str | Path,
    request: Request,
    *,
    columns: Mapping[str, str] | None = None,
    wish: Wish | None = None,
    advance: Advance = lambda _: None,
    crew: Crew | None = None,
) -> Filtered:
    """Return once ``out`` holds the addresses that are worth downloading: what ``img2dataset --url_list`` is given.

    Addresses that nothing is known of are kept, because the file itself is looked at afterwards. ``columns`` names the
    column of addresses, as ``{"url": "URL"}``. Raises what `licet filter` raises.
    """
    chosen = msgspec.structs.replace(wish or Wish(), unknown="keep", columns=dict(columns or {}))
    return filter_dataset(client, [addresses], out, request, chosen, advance, crew)


def after(
    client: Client,
    shards: str | Path,
    out: str | Path,
    request: Request,
    first: str | Path,
    *,
    wish: Wish | None = None,
    advance: Advance = lambda _: None,
) -> Filtered:
    """Return once ``out`` holds the shards (tar, table and figures each) with what may be kept of what was downloaded.

    ``first`` is the manifest that `before` wrote: what it kept out stays out. Raises what `licet filter` raises.
    """
    chosen = msgspec.structs.replace(wish or Wish(), after=Path(first))
    return filter_dataset(client, [shards], out, request, chosen, advance)
