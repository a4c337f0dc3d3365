"""``licet-registry key``: the registry's working keys, as the log has them, and their change under the root.

With the root at hand, ``rotate``, ``retire`` and ``revoke`` do it at once; else ``request`` writes a file, ``sign``
signs it wherever the root is, and ``install`` takes it into the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from registry.errors import Invalid
from registry.running.office import DataFolder, Json, attached, show
from registry.running.sequencing import sequencing
from registry.translog.heads import head
from registry.translog.keyfiles import PURPOSES, ROOT, Purpose

if TYPE_CHECKING:
    from registry.database import Connection
    from registry.services import Services
    from registry.translog.renewal import Reason, Request, Signed

app = App(name="key", help="Show, rotate, retire and revoke working keys.", help_format="plaintext")
RootFile = Annotated[Path | None, Parameter(name="--root", help="The root's private key; default: keys/root.pem.")]
Output = Annotated[Path, Parameter(name=["-o", "--output"], help="The file to write.")]


@app.command(name="list")
def show_keys(*, data: DataFolder = None, as_json: Json = False) -> None:
    """List every working key: purpose, id, state, log indices from and until which it counts."""
    from registry.translog import renewal

    async def run() -> None:
        async with attached(data) as services, services.database.acquire() as conn:
            found = await renewal.listed(conn, services.keys)
            await services.keys.refresh(conn)
            size = (await head(conn)).size
            root = services.keys.ref.key
        lines = [f"{'root':<11} {root[:16]}  {'here' if _root(services, None).exists() else 'elsewhere'}"]
        for each in found:
            span = f"from {_place(each.index)}" + (f" until {each.ended}" if each.ended is not None else "")
            lines.append(
                f"{each.purpose:<11} {each.keyid[:16]}  {each.state}, {span}{'' if each.here else ', not here'}"
            )
        keys = [
            {
                "purpose": each.purpose,
                "key": each.keyid,
                "state": each.state,
                "from_index": each.index,
                "until_index": each.ended,
                "here": each.here,
            }
            for each in found
        ]
        why = services.keys.not_beside(size)
        if why is not None:
            lines.append(f"checkpoints are not signed with ML-DSA-44: {why}")
        show(as_json, "\n".join(lines), root=root, keys=keys, not_cosigned=why)

    asyncio.run(run())


@app.command
def rotate(purpose: Purpose, /, *, root: RootFile = None, data: DataFolder = None, as_json: Json = False) -> None:
    """Make a new key for PURPOSE, name it in the log, and sign with it from then on; the old one stays in force.

    Retire the old one once every reader has learned the new one: `licet-registry key retire`.
    """
    from registry.translog import renewal

    async def run() -> None:
        async with attached(data) as services:
            private = renewal.load_root(_root(services, root))
            _own(services, private.keyid)
            request, keyid = renewal.introduction(services.keys, purpose)
            (index,) = await _logged(services, renewal.signed_by(private, request))
        line = f"{purpose} {keyid[:16]} is in force from log index {index} on, beside the one before"
        show(as_json, line, purpose=purpose, key=keyid, log_index=index)

    asyncio.run(run())


@app.command
def retire(key: str, /, *, root: RootFile = None, data: DataFolder = None, as_json: Json = False) -> None:
    """End a key whose purpose has another by now. What it signed stands.

    Parameters
    ----------
    key
        The key's id, or how it begins: `licet-registry key list` shows both.
    """
    _end(key, "retired", root, data, as_json)


@app.command
def revoke(key: str, /, *, root: RootFile = None, data: DataFolder = None, as_json: Json = False) -> None:
    """End a key that was stolen: verifiers refuse what it signs from there on. What was before stands.

    Parameters
    ----------
    key
        The key's id, or how it begins: `licet-registry key list` shows both.
    """
    _end(key, "compromised", root, data, as_json)


@app.command
def request(
    purpose: Purpose | None = None,
    /,
    *,
    output: Output,
    retire: Annotated[str | None, Parameter(help="Ask for the end of this key instead.")] = None,
    revoke: Annotated[str | None, Parameter(help="Ask for the end of this stolen key instead.")] = None,
    data: DataFolder = None,
    as_json: Json = False,
) -> None:
    """Write what the root is to sign: a new key for PURPOSE, made here, or the end of one."""
    from registry.translog import renewal

    if sum(each is not None for each in (purpose, retire, revoke)) != 1:
        raise Invalid(f"expected one of a purpose ({', '.join(PURPOSES)}), --retire and --revoke")
    _new(output)

    async def run() -> None:
        async with attached(data) as services:
            if purpose is not None:
                made, _ = renewal.introduction(services.keys, purpose)
            else:
                async with services.database.acquire() as conn:
                    reason: Reason = "retired" if retire else "compromised"
                    made = await renewal.ending(conn, services.keys, retire or revoke or "", reason)
        output.write_bytes(renewal.encoded(made))
        line = f"{output} is for the root: `licet-registry key sign {output} --root root.pem -o {output}.signed`"
        show(as_json, line, file=str(output), root=made.registry.key)

    asyncio.run(run())


@app.command
def sign(
    file: Path,
    /,
    *,
    root: Annotated[Path, Parameter(help="The root's private key.")],
    output: Output,
    as_json: Json = False,
) -> None:
    """Sign a request with the root; needs neither database nor network."""
    from registry.translog import renewal

    _new(output)
    asked: Request = renewal.load(file, renewal.Request)
    signed = renewal.signed_by(renewal.load_root(root), asked)
    output.write_bytes(renewal.encoded(signed))
    what = [_told(renewal.read(each)) for each in asked.unsigned]
    show(as_json, "\n".join([*(f"signed: {each}" for each in what), f"{output} is for `licet-registry key install`"]),
         signed=what, file=str(output))  # fmt: skip


@app.command
def install(file: Path, /, *, data: DataFolder = None, as_json: Json = False) -> None:
    """Take what the root has signed into the log; it is in force from there on."""
    from registry.translog import renewal

    signed: Signed = renewal.load(file, renewal.Signed)

    async def run() -> None:
        async with attached(data) as services:
            indices = await _logged(services, signed)
        places = ", ".join(str(index) for index in indices)
        show(as_json, f"in force from log index {places} on", log_indices=indices)

    asyncio.run(run())


def _end(key: str, reason: Reason, root: Path | None, data: Path | None, as_json: bool) -> None:
    from registry.translog import renewal

    async def run() -> None:
        async with attached(data) as services:
            private = renewal.load_root(_root(services, root))
            _own(services, private.keyid)
            async with services.database.acquire() as conn:
                asked = await renewal.ending(conn, services.keys, key, reason)
            (index,) = await _logged(services, renewal.signed_by(private, asked))
        keyid = getattr(renewal.read(asked.unsigned[0]), "keyid", "")
        word = "retired" if reason == "retired" else "revoked"
        show(as_json, f"{keyid[:16]} is {word} from log index {index} on", key=keyid, reason=reason, log_index=index)

    asyncio.run(run())


async def _logged(services: Services, signed: Signed) -> list[int]:
    """Return the places of what ``signed`` says, once it is published: by the service that runs, else by this call."""
    from registry.translog import renewal

    async def work(conn: Connection) -> list[int]:
        return await renewal.install(conn, services.keys, signed)

    receipts = await sequenced(services, work)
    return [each.log_index for each in receipts]


async def sequenced(services: Services, work: Callable[[Connection], Awaitable[list[int]]]) -> list[Any]:
    """Return the receipts of what ``work`` submits; stands by where a service runs, else is the sequencer for it."""
    from registry import translog

    async with sequencing(services):
        async with services.database.transaction() as conn:
            pendings = await work(conn)
        return await translog.wait_all(services.database, pendings)


def _root(services: Services, given: Path | None) -> Path:
    return given or services.settings.data / "keys" / ROOT


def _own(services: Services, keyid: str) -> None:
    if keyid != services.keys.ref.key:
        raise Invalid(f"root: expected the key {services.keys.ref.key}, got {keyid}")


def _new(path: Path) -> None:
    if path.exists():
        raise Invalid(f"{path}: expected a file that is not there yet")


def _told(statement: Any) -> str:
    from licet.statements.kinds import RegistryKey
    from registry.translog.keyfiles import id_of

    if isinstance(statement, RegistryKey):
        return f"{statement.registry.origin}: a new key for {statement.purpose}, {id_of(statement.key)}"
    return f"{statement.registry.origin}: the end of key {statement.keyid}, {statement.reason}"


def _place(index: int | None) -> str:
    return "its place in the log" if index is None else str(index)
