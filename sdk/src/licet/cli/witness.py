"""``licet witness``: watch logs grow, and cosign what extends all that was cosigned before."""

from __future__ import annotations

import secrets
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from cyclopts import App, Parameter

from licet.cli.output import COMMON, Common, emit, note, show
from licet.counted import many
from licet.errors import InputError, MalformedError

if TYPE_CHECKING:
    from licet.log.cosignature import Signer
    from licet.log.policy import LogKey

app = App(name="witness", help="Cosign the checkpoints of logs that only ever grow (C2SP tlog-witness).")
PORT: Final = 7380
_MAX_FILE: Final = 1 << 20


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The witness of this home: its name and the private keys of both algorithms, hex."""

    name: str
    ed25519: str
    mldsa44: str


@app.command
def key(
    *,
    name: Annotated[
        str | None, Parameter(help="What signature lines call it, such as witness.example.org; fixed once it is made.")
    ] = None,
    common: Common = COMMON,
) -> None:
    """Print the verifier keys of this home's witness, made now if there are none: what policies list."""
    signers = _signers(_folder(), name)
    keys = [signer.verifier.vkey for signer in signers]
    document = {"name": signers[0].name, "ed25519": keys[0], "mldsa44": keys[1]}
    show(common, document, keys)


@app.command
def serve(
    *,
    log: Annotated[
        list[str] | None, Parameter(consume_multiple=True, negative="", help="Verifier key of a log to watch.")
    ] = None,
    logs: Annotated[Path | None, Parameter(help="A file of such keys, one a line; # begins a comment.")] = None,
    host: Annotated[str, Parameter(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port to listen on; 0 takes a free one.")] = PORT,
    name: Annotated[str | None, Parameter(help="Its name, if its keys are made now.")] = None,
    common: Common = COMMON,
) -> None:
    """Answer add-checkpoint until SIGTERM or Ctrl-C; prints one line once it serves."""
    from licet.log.witness import Store, Witness
    from licet.log.witness_server import WitnessServer

    if not 0 <= port <= 65_535:
        raise InputError.field("--port", "a port from 0 to 65535", port)
    watched = _watched(log or [], logs)
    signers = _signers(_folder(), name)
    store = Store(_folder() / "cosigned")
    try:
        witness = Witness(signers, watched, store)
        server = WitnessServer(host, port, witness, [signer.verifier.vkey for signer in signers], note)

        def end(_number: int, _frame: Any) -> None:
            server.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        if common.json:
            emit({"ready": server.url, "name": signers[0].name, "logs": witness.origins})
        else:
            print(f"ready {server.url}")
        sys.stdout.flush()
        note(f"{signers[0].name} watches {many(len(witness.origins), 'log')}: {', '.join(witness.origins)}")
        server.run()
    finally:
        store.close()


def _folder() -> Path:
    from licet.home import Home

    return Home().folder / "witness"


def _signers(folder: Path, name: str | None) -> list[Signer]:
    """Return a signer of each algorithm, of the kept keys; made and kept first, under ``name``, if there are none."""
    from licet.home import needs, write_private
    from licet.log import cosignature

    path = folder / "key.json"
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=KeyFile)
        if name is not None and name != kept.name:
            raise InputError(
                f"--name: expected {kept.name}, whose keys are in {path}, got {name}; another witness needs another "
                f"LICET_HOME"
            )
        made = False
    except FileNotFoundError:
        if name is None:
            raise InputError(
                "no witness in this home: `licet witness key --name witness.example.org` makes one", field="--name"
            ) from None
        kept, made = KeyFile(name, secrets.token_hex(32), secrets.token_hex(32)), True
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(f"{path}: expected the witness's keys, got {error}") from None
    try:
        signers = [
            cosignature.Signer(kept.name, algorithm, bytes.fromhex(seed))
            for algorithm, seed in (
                (cosignature.ED25519_COSIGNATURE, kept.ed25519),
                (cosignature.MLDSA44, kept.mldsa44),
            )
        ]
    except (MalformedError, ValueError) as error:
        what = "--name" if made else str(path)
        raise InputError(f"{what}: {getattr(error, 'message', error)}") from None
    if made:
        with needs(folder, "the witness's keys"):
            write_private(path, msgspec.json.format(msgspec.json.encode(kept)))
    return signers


def _watched(given: list[str], file: Path | None) -> list[LogKey]:
    from licet.log import cosignature

    lines = [("--log", each) for each in given]
    if file is not None:
        try:
            data = file.read_bytes()[: _MAX_FILE + 1]
            text = data.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"--logs: {file}: cannot be read: {error}") from None
        if len(data) > _MAX_FILE:
            raise InputError(f"--logs: {file}: expected at most {_MAX_FILE} bytes, got more")
        stripped = ((number, line.strip()) for number, line in enumerate(text.split("\n"), 1))
        lines += [(f"{file}, line {number}", line) for number, line in stripped if line and not line.startswith("#")]
    if not lines:
        raise InputError("expected the verifier key of a log to watch, as GET /log/vkey shows it: --log or --logs")
    keys: dict[str, LogKey] = {}
    for place, text in lines:
        try:
            found = cosignature.log_verifier(text)
        except MalformedError as error:
            raise InputError(f"{place}: {error.message}") from None
        keys[found.vkey] = found
    return list(keys.values())
