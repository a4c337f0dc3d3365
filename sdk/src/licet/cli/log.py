"""``licet log``: the public log, from its entries up, and held to all that was ever seen of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import msgspec
from cyclopts import App, Parameter

from licet.canonical import from_base64, to_base64
from licet.cli.output import COMMON, Common, progress, show
from licet.cli.trusting import believed, published
from licet.counted import many
from licet.errors import InputError, LicetError, VerificationError
from licet.log.entry import KeyEntry
from licet.misfits import unlike

if TYPE_CHECKING:
    from licet.audit.rebuilt import Edge
    from licet.audit.seen import SeenCheckpoints
    from licet.audit.whole_log import Verified
    from licet.client import Client
    from licet.home import Home, Profile
    from licet.log.checkpoint import Checkpoint
    from licet.log.policy import AnyLog, Policy
    from licet.statements.key_list import KeyList
    from licet.statements.trust import Trust

app = App(name="log", help="Verify the transparency log, whole or between two moments.")
_READERS: Final = 8
_MAX_FILE: Final = 64 << 20
UNDECIDED: Final = 5  # exit: what the document shows rests on something that it cannot hold


class Verification(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last verification of this home: the log's state, and the begun tiles (base64) and entries about the
    registry's keys to go on from. Without the latter, all is read again."""

    origin: str
    size: int
    root: str
    time: str | None = None
    tiles: list[str] | None = None
    keys: list[KeyEntry] | None = None


class _Memory(NamedTuple):
    """Where what was seen of a log is kept, and every checkpoint of it."""

    folder: Path
    seen: SeenCheckpoints


@app.command
def verify(
    *,
    url: Annotated[
        str | None, Parameter(help="Read the log from here alone: another address, such as a mirror, or a folder.")
    ] = None,
    policy: Annotated[
        Path | None, Parameter(help="A policy (C2SP tlog-policy) that the checkpoint must meet, or a trust file.")
    ] = None,
    go_on: Annotated[
        bool,
        Parameter(name="--continue", negative="", help="Read only what came since this home verified the log last."),
    ] = False,
    common: Common = COMMON,
) -> int:
    """Rebuild the whole log from its entries; compare every tile, the registry's keys, and every checkpoint ever seen.

    Exit 1 if something is wrong, or if neither a pinned root nor a policy vouches for the log.
    """
    from licet.audit.rebuilt import START
    from licet.audit.whole_log import Seen, examine_log
    from licet.home import write_private

    with common.client() as client, published(url or client.url) as mirror:
        trust, rules = _vouching(client, url, policy)
        listed = mirror.keys(trust)
        vouched = trust is not None or (rules is not None and bool(rules.logs))
        memory = _memory(client.home, client.profile, listed, vouched=vouched)
        before = begun = None
        known: list[Seen] = []
        if memory is not None:
            before, begun = _kept(memory.folder / "log.json"), _kept(memory.folder / "log.begun.json")
            known = memory.seen.read(listed.log)
        # An interrupted verification is gone on with; nothing of it counts before the signed root is met.
        start = _edge(begun) if begun is not None else _edge(before) if go_on and before is not None else None
        if before is not None:
            known = [*known, Seen(_checkpoint(before))]
        edge = start or START
        at = edge

        def reached(now: Edge) -> None:
            nonlocal at
            at = now

        try:
            with progress("entries", None) as advance, evidence_kept(client.home):
                verified = examine_log(
                    mirror.read,
                    listed.log,
                    known,
                    start=edge,
                    rules=rules,
                    listed=listed,
                    readers=_READERS,
                    advance=advance,
                    reached=reached,
                )
        except KeyboardInterrupt:
            if memory is not None:
                write_private(memory.folder / "log.begun.json", _encoded(listed.log.name, at, b""))
            raise
        except LicetError:
            if memory is not None:
                (memory.folder / "log.begun.json").unlink(missing_ok=True)
            raise
        if memory is not None:
            memory.seen.add([verified.note], listed.log)
            write_private(memory.folder / "log.json", _encoded(listed.log.name, verified.edge, verified.newest.root))
            (memory.folder / "log.begun.json").unlink(missing_ok=True)
    _tell(common, verified, edge.size, policy, anchored=trust is not None, vouched=vouched)
    return 0 if vouched else 1


@app.command
def consistency(
    old: str,
    new: str | None = None,
    /,
    *,
    url: Annotated[
        str | None, Parameter(help="Read the log from here alone: another address, such as a mirror, or a folder.")
    ] = None,
    common: Common = COMMON,
) -> None:
    """Prove that the log at one moment is the beginning of the log at a later one.

    OLD and NEW are files with a signed checkpoint, or sizes that this home has seen; NEW is the newest by default.
    """
    from licet.audit.whole_log import CHECKPOINT
    from licet.audit.whole_log import consistency as prove
    from licet.log import checkpoint as checkpoints

    with common.client() as client, published(url or client.url) as mirror:
        trust, _ = _vouching(client, url, None)
        if trust is None:
            raise InputError("no registry is pinned here, and nothing else says whose log this is: expected a profile")
        listed = mirror.keys(trust)
        key = listed.log
        memory = _memory(client.home, client.profile, listed, vouched=True)
        assert memory is not None
        first = _named(old, "OLD", memory.seen, key)
        second = checkpoints.open(mirror.read(CHECKPOINT), key) if new is None else _named(new, "NEW", memory.seen, key)
        proof = prove(mirror.read, key, first, second)
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


def _vouching(client: Client, url: str | None, policy: Path | None) -> tuple[Trust | None, Policy | None]:
    """Return the root and the rules that a log is held to: what is read from ``url`` is asked of nobody else."""
    from licet.statements.trust import Trust

    pinned, rules = believed(policy, client.profile)
    if url is None and (policy is None or rules is not None):
        return client.trust(), rules
    return Trust(pinned.origin, pinned.root) if pinned is not None else None, rules


def _memory(home: Home, profile: Profile, listed: KeyList, *, vouched: bool) -> _Memory | None:
    """Return where what was seen of this log is kept: beside the profile's own registry, apart for any other, nowhere
    for a log that nothing vouches for."""
    from hashlib import sha256

    from licet.audit.seen import SeenCheckpoints
    from licet.statements.trust import Trust

    pinned = profile.trust
    if pinned is not None:
        ref = Trust(pinned.origin, pinned.root).ref
        if (ref.origin, ref.key) == listed.ref:
            return _Memory(profile.folder, seen_checkpoints(home, profile, listed.log))
    if not vouched:
        return None
    folder = profile.folder / "logs" / sha256("\n".join(listed.ref).encode()).hexdigest()[:16]
    return _Memory(folder, SeenCheckpoints(folder / "checkpoints.jsonl"))


def _tell(
    common: Common, verified: Verified, since: int, policy: Path | None, *, anchored: bool, vouched: bool
) -> None:
    newest, root = verified.newest, to_base64(verified.newest.root)
    keys = () if verified.keys is None else verified.keys.lines
    document = {
        "verified": vouched,
        "root_pinned": anchored,
        "origin": newest.origin,
        "size": newest.size,
        "root": root,
        "read": verified.entries,
        "checkpoints": verified.held_to,
        "registry_keys": len(keys),
        "policy": None if policy is None else str(policy),
    }
    lines = [f"{newest.origin}: {many(newest.size, 'entry', 'entries')} give the signed root {root} and every tile."]
    ended = sum(each.ended is not None for each in keys)
    of_these = f", {ended} of them ended" if ended else ""
    lines.append(
        f"The registry's keys are those that the log has, each at its place: {many(len(keys), 'key')}{of_these}, "
        f"{'signed by the pinned root' if anchored else 'signed by a root that is not pinned here'}."
    )
    if since:
        lines.append(
            f"The first {many(since, 'entry', 'entries')} were verified before; {verified.entries:,} were read now."
        )
    if verified.held_to:
        lines.append(f"All that was seen of it before, {many(verified.held_to, 'checkpoint')}, is in it unchanged.")
    if policy is not None:
        lines.append(f"The checkpoint meets {policy}.")
    if not vouched:
        lines.append("Self-consistent, not anchored: no registry is pinned here (--policy names one).")
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

    if kept.time is None or kept.tiles is None or kept.keys is None:
        return None
    return Edge(kept.size, kept.time, tuple(from_base64(each, "tiles") for each in kept.tiles), tuple(kept.keys))


def _encoded(origin: str, edge: Edge, root: bytes) -> bytes:
    tiles = [to_base64(each) for each in edge.tiles]
    return msgspec.json.encode(Verification(origin, edge.size, to_base64(root), edge.time, tiles, list(edge.keys)))
