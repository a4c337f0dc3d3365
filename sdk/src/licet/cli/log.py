"""``licet log``: the public log, from its entries up, and held to all that was ever seen of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from cyclopts import App, Parameter

from licet.canonical import from_base64, to_base64
from licet.cli.output import COMMON, Common, progress, show
from licet.counted import many
from licet.errors import InputError, LicetError, MalformedError, VerificationError
from licet.misfits import unlike

if TYPE_CHECKING:
    from licet.audit.rebuilt import Edge
    from licet.audit.seen import SeenCheckpoints
    from licet.audit.whole_log import Verified
    from licet.home import Home, Profile
    from licet.log.checkpoint import Checkpoint
    from licet.log.policy import AnyLog, Policy

app = App(name="log", help="Verify the transparency log, whole or between two moments.")
_READERS: Final = 8
_MAX_FILE: Final = 64 << 20
UNDECIDED: Final = 5  # exit: what the document shows rests on something that it cannot hold


class Verification(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last verification of this home: the log's state, and the begun tiles (base64) to go on from."""

    origin: str
    size: int
    root: str
    time: str | None = None
    tiles: list[str] | None = None


@app.command
def verify(
    *,
    url: Annotated[str | None, Parameter(help="Another address to read the log from, such as a mirror.")] = None,
    policy: Annotated[Path | None, Parameter(help="A policy (C2SP tlog-policy) that the checkpoint must meet.")] = None,
    go_on: Annotated[
        bool,
        Parameter(name="--continue", negative="", help="Read only what came since this home verified the log last."),
    ] = False,
    common: Common = COMMON,
) -> None:
    """Rebuild the whole log from its entries; compare every tile, and every checkpoint that this home ever saw."""
    from licet.audit.whole_log import examine_log
    from licet.home import write_private
    from licet.transport import Transport

    rules = read_policy(policy) if policy else None
    with common.client() as client:
        key = client.working_keys().log
        folder = client.profile.folder
        before = _kept(folder / "log.json")
        begun = _kept(folder / "log.begun.json")
        seen = seen_checkpoints(client.home, client.profile, key)
        known = seen.read(key)
        # An interrupted verification is gone on with; nothing of it counts before the signed root is met.
        start = _edge(begun) if begun is not None else _edge(before) if go_on and before is not None else None
        from licet.audit.rebuilt import START
        from licet.audit.whole_log import Seen

        if before is not None:
            known = [*known, Seen(_checkpoint(before))]
        edge = start or START
        at = edge

        def reached(now: Edge) -> None:
            nonlocal at
            at = now

        with Transport(url or client.url) as source, progress("entries", None) as advance:
            try:
                with evidence_kept(client.home):
                    verified = examine_log(
                        lambda name: source.request("GET", f"/log/{name}").body,
                        key,
                        known,
                        start=edge,
                        rules=rules,
                        readers=_READERS,
                        advance=advance,
                        reached=reached,
                    )
            except KeyboardInterrupt:
                write_private(folder / "log.begun.json", _encoded(key.name, at, b""))
                raise
            except LicetError:
                (folder / "log.begun.json").unlink(missing_ok=True)
                raise
        seen.add([verified.note], key)
        write_private(folder / "log.json", _encoded(key.name, verified.edge, verified.newest.root))
        (folder / "log.begun.json").unlink(missing_ok=True)
    _tell(common, verified, edge.size, policy)


@app.command
def consistency(
    old: str,
    new: str | None = None,
    /,
    *,
    url: Annotated[str | None, Parameter(help="Another address to read the log from, such as a mirror.")] = None,
    common: Common = COMMON,
) -> None:
    """Prove that the log at one moment is the beginning of the log at a later one.

    OLD and NEW are files with a signed checkpoint, or sizes that this home has seen; NEW is the newest by default.
    """
    from licet.audit.whole_log import CHECKPOINT
    from licet.audit.whole_log import consistency as prove
    from licet.log import checkpoint as checkpoints
    from licet.transport import Transport

    with common.client() as client:
        key = client.working_keys().log
        with Transport(url or client.url) as source:

            def read(name: str) -> bytes:
                return source.request("GET", f"/log/{name}").body

            seen = seen_checkpoints(client.home, client.profile, key)
            first = _named(old, "OLD", seen, key)
            second = checkpoints.open(read(CHECKPOINT), key) if new is None else _named(new, "NEW", seen, key)
            proof = prove(read, key, first, second)
    document = {
        "verified": True,
        "origin": key.name,
        "old": {"size": first.size, "root": to_base64(first.root)},
        "new": {"size": second.size, "root": to_base64(second.root)},
        "proof": [to_base64(value) for value in proof],
    }
    one, more = many(first.size, "entry", "entries"), many(second.size, "entry", "entries")
    show(
        common,
        document,
        [f"{key.name}: the log of {one} is the beginning of the log of {more}: {many(len(proof), 'hash', 'hashes')}."],
    )


@app.command
def misconduct(
    file: Path,
    /,
    *,
    rebuttal: Annotated[
        Path | None, Parameter(help="The statement file of an erasure that is said to explain a work left out.")
    ] = None,
    common: Common = COMMON,
) -> int:
    """Check a document that shows misconduct of the pinned registry (written by verify and monitor).

    Exit 0 if it shows it, 1 if not, or if the rebuttal explains it; 5 if it does unless the account was erased.
    """
    from licet.audit.omission import verify_misconduct
    from licet.audit.rebuttal import verify_rebuttal
    from licet.exports.reading import read_statement_file

    data, answer = _document(file), None if rebuttal is None else _document(rebuttal)
    with common.client() as client:
        shown = verify_misconduct(data, client.working_keys())
        if answer is not None:
            explained = verify_rebuttal(shown, read_statement_file(answer, "--rebuttal"), client.trust())
            document = {"misconduct": False, "result": "explained", "shows": shown.sentence, "explained": explained}
            show(common, document, [f"This shows no misconduct: {shown.sentence}, but {explained}."])
            return 1
    if shown.unless is None:
        document = {"misconduct": True, "result": "shown", "shows": shown.sentence}
        show(common, document, [f"This shows misconduct: {shown.sentence}."])
        return 0
    unless = shown.unless
    asked = (
        f"an erase statement of {unless.account}, without a deny, behind log entry {unless.after} and below entry "
        f"{unless.before}"
    )
    lines = [
        f"This shows misconduct unless the account was erased: {shown.sentence}.",
        f"Ask the registry for {asked}; --rebuttal FILE checks it.",
    ]
    open_ = {"account": unless.account, "after": unless.after, "before": unless.before}
    document = {"misconduct": None, "result": "unless-erased", "shows": shown.sentence, "unless": open_}
    show(common, document, lines)
    return UNDECIDED


# -- what other commands need too -----------------------------------------------------------------------------------


def read_policy(path: Path) -> Policy:
    """Return the policy in ``path``; raises ``InputError`` that names the file, and the line where there is one."""
    from licet.log import policy

    try:
        data = path.read_bytes() if path.stat().st_size <= policy.MAX_BYTES else b"#" * (policy.MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"--policy: {path}: cannot be read: {error.strerror}") from None
    try:
        return policy.parse(data)
    except MalformedError as error:
        raise InputError(f"--policy: {path}: {error.message}", **error.details) from None


def seen_checkpoints(home: Home, profile: Profile, key: AnyLog) -> SeenCheckpoints:
    """Return the checkpoints that this profile has seen, after those in its receipts, snapshots and licences joined."""
    from licet.audit.seen import SeenCheckpoints, proofs_in
    from licet.home import needs

    seen = SeenCheckpoints(profile.folder / "checkpoints.jsonl")
    with needs(profile.folder, "the checkpoints that were seen"):
        seen.add(proofs_in(_with_proofs(home, profile, key.name)), key)
    return seen


class evidence_kept:  # noqa: N801  (reads as a block)
    """Write out what shows misconduct, if an error inside the block carries it, and name the file in the error."""

    def __init__(self, home: Home) -> None:
        self._folder = home.folder / "misconduct"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, VerificationError) and "misconduct" in error.details:
            found = error.details.pop("misconduct")
            if found is not None:
                path = keep_evidence(self._folder, found)
                error.details["evidence"] = str(path)
                error.message = f"{error.message}; what shows it is in {path}"
                error.args = (error.message,)


def keep_evidence(folder: Path, found: Any) -> Path:
    """Return the file that holds the document ``found``, named by its content."""
    from hashlib import sha256

    from licet.audit.misconduct import encode
    from licet.home import write_private

    data = encode(found)
    path = folder / f"{found.__struct_config__.tag}-{sha256(data).hexdigest()[:16]}.json"
    write_private(path, data)
    return path


# -- plumbing ---------------------------------------------------------------------------------------------------------


def _document(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _MAX_FILE:
            raise InputError(f"{path}: expected at most {_MAX_FILE} bytes, got {size}")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _with_proofs(home: Home, profile: Profile, origin: str) -> Iterator[Path]:
    account = profile.account
    folders = [profile.folder / "statements", home.snapshots(origin)]
    if account is not None:
        folders.append(home.licences(account.account))
    for folder in folders:
        yield from sorted(folder.glob("*.json"))


def _named(given: str, field: str, seen: SeenCheckpoints, key: AnyLog) -> Checkpoint:
    from licet.log import checkpoint as checkpoints

    if given.isascii() and given.isdigit():
        for each in seen.read(key):
            if str(each.checkpoint.size) == given:
                return each.checkpoint
        raise InputError(f"{field}: expected a size that this home has seen, or a file with a checkpoint, got {given}")
    try:
        return checkpoints.open(Path(given).read_bytes()[: 1 << 20], key)
    except OSError as error:
        raise InputError(f"{field}: {given}: cannot be read: {error.strerror}") from None


def _tell(common: Common, verified: Verified, since: int, policy: Path | None) -> None:
    newest, root = verified.newest, to_base64(verified.newest.root)
    document = {
        "verified": True,
        "origin": newest.origin,
        "size": newest.size,
        "root": root,
        "read": verified.entries,
        "checkpoints": verified.held_to,
        "policy": None if policy is None else str(policy),
    }
    lines = [f"{newest.origin}: {many(newest.size, 'entry', 'entries')} give the signed root {root} and every tile."]
    if since:
        lines.append(
            f"The first {many(since, 'entry', 'entries')} were verified before; {verified.entries:,} were read now."
        )
    if verified.held_to:
        lines.append(f"All that was seen of it before, {many(verified.held_to, 'checkpoint')}, is in it unchanged.")
    if policy is not None:
        lines.append(f"The checkpoint meets {policy}.")
    show(common, document, lines)


def _kept(path: Path) -> Verification | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Verification)
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: expected the checkpoint that was verified last, got {unlike(error)}; "
            "without the file nothing is compared"
        ) from None


def _checkpoint(kept: Verification) -> Checkpoint:
    from licet.log.checkpoint import Checkpoint

    return Checkpoint(kept.origin, kept.size, from_base64(kept.root, "root"))


def _edge(kept: Verification) -> Edge | None:
    from licet.audit.rebuilt import Edge

    if kept.time is None or kept.tiles is None:
        return None
    return Edge(kept.size, kept.time, tuple(from_base64(each, "tiles") for each in kept.tiles))


def _encoded(origin: str, edge: Edge, root: bytes) -> bytes:
    tiles = [to_base64(each) for each in edge.tiles]
    return msgspec.json.encode(Verification(origin, edge.size, to_base64(root), edge.time, tiles))
