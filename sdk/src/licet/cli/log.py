"""``licet log``: the public log, from its entries up."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import App, Parameter

from licet.cli.output import COMMON, Common, many, progress, show
from licet.errors import InputError
from licet.misfits import unlike

if TYPE_CHECKING:
    from licet.log.checkpoint import Checkpoint

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
    from licet.transport import Transport

    with common.client() as client:
        keys = client.working_keys()
        path = client.profile.folder / "log.json"
        seen = _seen(path)
        with Transport(url or client.url) as source, progress("entries", None) as advance:
            newest = verify_log(lambda name: source.request("GET", f"/log/{name}").body, keys.log, seen, advance)
        root = base64.b64encode(newest.root).decode()
        write_private(path, msgspec.json.encode(Seen(newest.origin, newest.size, root)))
    document = {"verified": True, "origin": newest.origin, "size": newest.size, "root": root}
    lines = [f"{newest.origin}: {many(newest.size, 'entry', 'entries')} give the signed root {root}."]
    if seen is not None:
        lines.append(f"The {many(seen.size, 'entry', 'entries')} seen before are in it, unchanged.")
    show(common, document, lines)


def _seen(path: Path) -> Checkpoint | None:
    from licet.log.checkpoint import Checkpoint

    try:
        known = msgspec.json.decode(path.read_bytes(), type=Seen)
        return Checkpoint(known.origin, known.size, base64.b64decode(known.root, validate=True))
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise InputError(
            f"{path}: expected the checkpoint that was verified last, got {unlike(error)}; "
            "without the file nothing is compared"
        ) from None
