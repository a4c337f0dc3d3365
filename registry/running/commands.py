"""The commands of ``licet-registry`` that run the service, and the one that describes it."""

from __future__ import annotations

import asyncio
import shlex
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from registry.settings import Settings

DataFolder = Annotated[
    Path | None, Parameter(name="--data", help="Data folder; default: LICET_REGISTRY_DATA, else your user data folder.")
]


def up(*, host: str | None = None, port: int | None = None, data: DataFolder = None) -> None:
    """Run the whole service on this machine: database, API, worker. Prints one line when it is ready.

    Parameters
    ----------
    host
        Address to listen on; default: LICET_REGISTRY_HOST, else 127.0.0.1.
    port
        Port to listen on, 0 for any free one; default: LICET_REGISTRY_PORT, else 8000.
    """
    from registry.observing.logs import log_to_stderr
    from registry.running.listening import local_url
    from registry.running.up import up as run

    settings = _listening(Settings.load(host=host, port=port, data=data))
    log_to_stderr(settings, "up")

    def ready() -> None:
        path = Path(sys.executable).parent
        print(to_paste(settings.url, path), file=sys.stderr, flush=True)  # noqa: T201
        print(f"ready {local_url(settings)}", flush=True)  # noqa: T201

    asyncio.run(run(settings, ready))


def to_paste(url: str, programs: Path) -> str:
    """Return the line that makes a shell find the registry and its commands, wherever they lie."""
    return f"export LICET_URL={url} PATH={shlex.quote(str(programs))}:$PATH"


def serve(*, host: str | None = None, port: int | None = None, data: DataFolder = None) -> None:
    """Answer requests, and nothing else: `work` must run beside it.

    Parameters
    ----------
    host
        Address to listen on; default: LICET_REGISTRY_HOST, else 127.0.0.1.
    port
        Port to listen on; default: LICET_REGISTRY_PORT, else 8000.
    """
    from registry.running.listening import local_url
    from registry.running.part import run_part
    from registry.running.serving import serve as part

    settings = _listening(Settings.load(host=host, port=port, data=data))
    run_part("serve", part, settings, lambda: print(f"ready {local_url(settings)}", flush=True))  # noqa: T201


def work(*, data: DataFolder = None) -> None:
    """Run the loops, and nothing else: sequencer, maturing consents, snapshots, months that close, housekeeping."""
    from registry.running.part import run_part
    from registry.running.working import work as part

    run_part("work", part, Settings.load(data=data))


def openapi(*, check: bool = False) -> int:
    """Write openapi/openapi.json, the description of the HTTP interface.

    Parameters
    ----------
    check
        Change nothing; exit 1 if the file is not what this release would write.
    """
    from registry.app import create_app
    from registry.openapi import document
    from registry.packaged import packaged

    path = packaged("openapi") / "openapi.json"
    text = document(create_app(Settings(data=Path("unused"))))
    if not check:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text)
        print(f"wrote {path}")  # noqa: T201
        return 0
    if path.is_file() and path.read_bytes() == text:
        print("the description is up to date")  # noqa: T201
        return 0
    print(f"{path} is not what this release serves; run `licet-registry openapi`", file=sys.stderr)  # noqa: T201
    return 1


def _listening(settings: Settings) -> Settings:
    from registry.running.listening import claim_port

    return settings.model_copy(update={"port": claim_port(settings.host, settings.port)})
