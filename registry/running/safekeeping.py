"""The commands of ``licet-registry`` that copy the database, and bring it back."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from registry.errors import Invalid
from registry.running.office import DataFolder, Json, attached, show
from registry.settings import Settings


def backup(
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    overwrite: bool = False,
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """Copy the database into one file, while the service runs. It can be read with keys/archive.key alone.

    Parameters
    ----------
    output
        The file, such as backups/licet-2026-11-28.zip.
    overwrite
        Replace the file that is there, once the new one is whole.
    """
    from registry.restoring.backups import write_backup
    from registry.services import open_archive_key, owner_of

    if output.is_dir() or not output.parent.is_dir():
        raise Invalid.field("--output", "a file in a folder that exists", str(output))
    if not overwrite and (output.exists() or output.is_symlink()):
        raise Invalid.field("--output", "a file that is not there yet, or --overwrite", str(output))

    async def run() -> None:
        async with attached(data) as services:
            key = await open_archive_key(services.settings)
            made = await write_backup(services.database, key, owner_of(services), output, _progress)
        _progress("")
        size = output.stat().st_size
        show(
            as_json,
            f"{output}: {made.entries:,} log entries, {size:,} bytes\n"
            f"{key.path} opens it: keep a copy of that elsewhere",
            file=str(output),
            bytes=size,
            entries=made.entries,
            root=made.root,
            schema=made.schema,
            at=made.at,
            key=str(key.path),
        )

    asyncio.run(run())


def restore(
    file: Path | None = None,
    /,
    *,
    accept_loss: bool = False,
    replaces: bool = False,
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """Fill an empty database from a backup or from the archive, then bring it up to date. Stop the service first.

    In another data folder than the one that the log was signed in, what is restored can be looked at and verified. It
    goes on with the log, and answers, once you say that it replaces the database it is a copy of: with --replaces at
    once, or by the same command with --replaces later.

    Parameters
    ----------
    file
        A backup; default: the newest copy in the archive itself. For a database that is not empty, leave it out.
    accept_loss
        Go on although the archive does not reach what was let out: the log stays whole, and works whose last word may
        be lost deny until their accounts sign again.
    replaces
        The database that this one is a copy of is gone for good, and no service will ever run on it again. Needed in
        a copy of the data folder alone.
    """
    from registry.database import migrate, opened
    from registry.restoring.restore import restore_from
    from registry.services import place_of

    settings = Settings.load(data=data)

    async def run() -> None:
        async with opened(settings, name="licet-registry restore") as database:
            done = await restore_from(
                database, place_of(settings), file, accept_loss=accept_loss, replaces=replaces, progress=_progress
            )
            await migrate(database)
        _progress("")
        lines = [f"restored: {done.entries:,} log entries"]
        if done.loss.entries:
            lines.append(
                f"the content of {done.loss.entries:,} of them is lost; {done.loss.frozen:,} works are frozen until "
                f"their accounts sign for them again"
            )
        if done.replaces:
            lines.append("make a new backup, and run `licet-registry verify`")
        else:
            lines.append(
                "it is a copy: `licet-registry verify` looks at it, and the service does not start on it before "
                "`licet-registry restore --replaces` has said that the one it is a copy of is gone for good"
            )
        show(
            as_json,
            "\n".join(lines),
            entries=done.entries,
            lost=done.loss.entries,
            frozen=done.loss.frozen,
            replaces=done.replaces,
        )

    asyncio.run(run())


def _progress(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)  # noqa: T201
