"""``licet snapshot``: what decisions are made from, here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from licet.cli.output import COMMON, Common, show
from licet.counted import many
from licet.errors import InputError

if TYPE_CHECKING:
    from licet.index.store import SnapshotInfo

app = App(name="snapshot", help="Fetch and verify the signed snapshot that decisions are made from.")


def _lines(found: SnapshotInfo) -> list[str]:
    state = "expired" if found.expired else f"good until {found.expires_at}"
    return [
        f"snapshot {found.sequence}: {many(found.works, 'work')} at log size {found.log_size}, {state}",
        f"tiers here: {', '.join(found.tiers) or 'none'} ({found.bytes:,} bytes in {many(found.segments, 'segment')})",
    ]


@app.command
def pull(
    *,
    tiers: Annotated[str | None, Parameter(help="exact, or exact,near (needs an account).")] = None,
    covering: Annotated[int | None, Parameter(help="Wait for one that covers this entry of the log.")] = None,
    common: Common = COMMON,
) -> None:
    """Download what is missing; verify signature, digests, log entry, expiry and that it is no older than before."""
    named: dict[str | None, tuple[Literal["exact", "near"], ...] | None] = {
        None: None,
        "exact": ("exact",),
        "exact,near": ("exact", "near"),
    }
    if tiers not in named:
        raise InputError.field("--tiers", "exact, or exact,near", tiers)
    with common.client() as client:
        pulled = client.snapshot.pull(named[tiers])
        if covering is not None and pulled.manifest.log_size <= covering:
            pulled = client.snapshot.pull_covering(covering)
        found = client.snapshot.info()
    document = {"snapshot": found, "fetched": pulled.fetched, "received": pulled.received}
    show(
        common, document, [*_lines(found), f"{many(len(pulled.fetched), 'segment')} fetched, {pulled.received:,} bytes"]
    )


@app.command
def info(*, common: Common = COMMON) -> None:
    """Say which snapshot is here."""
    with common.client() as client:
        found = client.snapshot.info()
    show(common, {"snapshot": found}, _lines(found))


@app.command
def verify(*, common: Common = COMMON) -> None:
    """Verify what is here again: signature, log entry, expiry, and every segment's digest."""
    from licet.audit.snapshots import verify_stored

    with common.client() as client:
        checked = verify_stored(client.snapshot.store, client.working_keys())
    show(common, {"verified": True, "checks": checked}, checked)


@app.command
def pin(*, common: Common = COMMON) -> None:
    """Print what names this snapshot to workers elsewhere."""
    with common.client() as client:
        pinned = client.snapshot.pin()
    named = {"digest": pinned.digest, "url": pinned.url, "origin": pinned.origin}
    show(common, {"pin": named}, [f"{pinned.digest} {pinned.url}"])
