"""``licet log``: the public log, from its entries up."""

from __future__ import annotations

import base64
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from licet.cli.output import COMMON, Common, progress, show

app = App(name="log", help="Verify the transparency log.")


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The largest checkpoint that this home has verified."""

    origin: str
    size: int
    root: str


@app.command
def verify(
    *,
    url: Annotated[str | None, Parameter(help="Another address to read the log from, such as a mirror.")] = None,
    common: Common = COMMON,
) -> None:
    """Rebuild the whole log from its entries, and hold it to what was seen before."""
    from licet.audit.whole_log import verify_log
    from licet.home import write_private
    from licet.log.checkpoint import Checkpoint
    from licet.transport import Transport

    with common.client() as client:
        keys = client.working_keys()
        path = client.profile.folder / "log.json"
        known = msgspec.json.decode(path.read_bytes(), type=Seen) if path.exists() else None
        seen = Checkpoint(known.origin, known.size, base64.b64decode(known.root)) if known else None
        with Transport(url or client.url) as source, progress("entries", None) as advance:
            newest = verify_log(lambda name: source.request("GET", f"/log/{name}").body, keys.log, seen, advance)
        root = base64.b64encode(newest.root).decode()
        write_private(path, msgspec.json.encode(Seen(newest.origin, newest.size, root)))
    document = {"verified": True, "origin": newest.origin, "size": newest.size, "root": root}
    lines = [f"{newest.origin}: {newest.size} entries give the signed root {root}."]
    if seen is not None:
        lines.append(f"The {seen.size} entries that were seen before are in it, unchanged.")
    show(common, document, lines)
