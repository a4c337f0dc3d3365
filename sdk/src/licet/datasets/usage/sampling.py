"""`licet audit sample`: some rows of a dataset, drawn so that nobody chooses them, opened and decided again."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from licet import identifiers, times
from licet.client import Client
from licet.datasets.examining.basis import Basis, open_published, pull_newest
from licet.datasets.licensing.held import HeldLicence, LicenceStore, verify_granted
from licet.datasets.results.decisions_file import DecisionsFile
from licet.datasets.results.manifest import ReadManifest, beside, read_manifest_file, row_secret, signer
from licet.datasets.usage.opened import MOST, Opened, Seed, hold, open_rows, read_opened, seed_of
from licet.datasets.usage.redeciding import Redecided, question_of, redecide
from licet.errors import ExpiredError, InputError, InterruptedJobError, LicetError, VerificationError
from licet.index.store import SnapshotStore
from licet.log import checkpoint as checkpoints
from licet.statements.keys import key_id, public_key
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import RegistryKeys, Trust
from licet.wire.common import StatementFile
from licet.wire.licensing import LicenceGranted

Advance = Callable[[int], None]
Licences = Mapping[str, HeldLicence]
_WORD: Final = 256


class Public(msgspec.Struct, frozen=True):
    """The public half of the key that signed a manifest."""

    keyid: str
    public: bytes


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """How rows are drawn: ``count`` of them, from ``seed`` (64 hexadecimal digits), else from a checkpoint of the log
    and the auditor's ``nonce`` (None: a new one)."""

    count: int
    seed: str | None = None
    nonce: str | None = None


class Sampled(msgspec.Struct, frozen=True, kw_only=True):
    """What a sample came to. ``proven`` says what the rows were proven under: ``row_root`` with their fingerprints,
    ``decisions_root`` their verdicts alone. ``rows`` are those that do not hold, and those left open."""

    dataset: str
    organisation: str | None
    manifest: str
    log_index: int | None
    seed: Seed
    size: int
    sampled: int
    proven: str
    held: int
    failed: int
    open: int
    rows: list[Redecided]
    snapshot: str
    decided_at: str
    notes: list[str]

    @property
    def holds(self) -> bool:
        """Whether every row that was drawn holds."""
        return self.held == self.sampled


def sample(
    client: Client,
    given: Path,
    draw: Draw,
    *,
    evidence: Licences | None = None,
    snapshots: Sequence[Path] = (),
    offline: bool = False,
    advance: Advance = lambda _: None,
) -> tuple[Sampled, Opened]:
    """Return what rows of ``given`` come to, and the rows, opened: ``given`` is decisions with their manifest, or rows
    that somebody else has opened, whose own seed counts.

    The manifest's snapshot is looked for in the home, then in ``snapshots`` (folders as ``LICET_CACHE`` has them, of
    anybody: what is in them is held to what the registry signed). ``evidence`` are licences that were verified before.
    Raises ``InputError``, ``MalformedError``, and ``VerificationError`` where a signature or a proof does not hold.
    """
    notes: list[str] = []
    if not 1 <= draw.count <= MOST:
        raise InputError.field("-k", f"1 to {MOST:,} rows", draw.count)
    try:
        if given.name.endswith(".json") and not given.name.endswith(".manifest.json"):
            opened = read_opened(given)
            if draw.seed is not None and draw.seed != opened.seed.value:
                raise InputError.field("--seed", f"{opened.seed.value}, which these rows were drawn by", draw.seed)
            if draw.nonce is not None and draw.nonce != opened.seed.nonce:
                raise InputError.field("--nonce", f"{opened.seed.nonce}, which these rows were drawn by", draw.nonce)
        else:
            opened = _open(client, DecisionsFile.find(given.expanduser()), draw, notes, advance, offline=offline)
        manifest = hold(opened)
        if given.name.endswith(".json") and len(opened.rows) < min(draw.count, manifest.payload.rows):
            raise InputError.field("-k", f"{len(opened.rows)}, which is what is opened here", draw.count)
        index = _logged(client, manifest, notes, offline=offline)
        keys = _keys(client, offline=offline)
        _dated(keys, opened.seed, index, notes)
        basis = _basis(client, keys, manifest, snapshots, offline=offline)
        licences = {**_shown(opened, basis.keys, notes), **(evidence or {})}
        rows = redecide(opened, manifest.payload, basis, licences)
    except KeyboardInterrupt:
        raise InterruptedJobError("interrupted; nothing is kept, the same seed draws the same rows") from None
    states = [row.state for row in rows]
    if not opened.salted:
        notes.append("what rows look like is taken from the file: only the organisation can open its fingerprints")
    return Sampled(
        dataset=manifest.payload.dataset,
        organisation=manifest.payload.organisation,
        manifest=manifest.digest,
        log_index=index,
        seed=opened.seed,
        size=manifest.payload.rows,
        sampled=len(rows),
        proven="row_root" if opened.salted else "decisions_root",
        held=states.count("holds"),
        failed=states.count("fails"),
        open=states.count("open"),
        rows=[row for row in rows if row.state != "holds"],
        snapshot=basis.digest,
        decided_at=manifest.payload.decided_at,
        notes=notes,
    ), opened


def _open(
    client: Client, file: DecisionsFile, draw: Draw, notes: list[str], advance: Advance, *, offline: bool
) -> Opened:
    path = beside(file.path.with_name(file.path.name.removesuffix(".decisions.parquet")), "manifest.json")
    if file.manifest is None:
        raise InputError(f"{file.path}: expected its manifest beside it ({path.name}), got none")
    if draw.seed is not None:
        if len(draw.seed) != 64 or draw.seed.strip("0123456789abcdef"):
            raise InputError.field("--seed", "64 lower-case hexadecimal digits", draw.seed)
        seed = Seed(draw.seed)
    else:
        seed = _fresh(client, file.manifest, draw.nonce, notes, offline=offline)
    who = signer(client)
    mine = key_id(who.key.public) == file.manifest.key
    secret = row_secret(who.key, file.manifest.payload.nonce) if mine else None
    return open_rows(file, read_manifest_file(path), seed, draw.count, secret, _granted(client), advance)


def _fresh(client: Client, manifest: ReadManifest, nonce: str | None, notes: list[str], *, offline: bool) -> Seed:
    """Return a seed of the newest checkpoint and the auditor's word."""
    word = secrets.token_hex(16) if nonce is None else nonce
    if not 0 < len(word) <= _WORD or not word.isprintable():
        raise InputError.field("--nonce", f"1 to {_WORD} printable characters", word)
    if offline:
        raise InputError("expected --seed with --offline: a new seed takes the newest checkpoint of the log")
    return seed_of(manifest.digest, client.checkpoint(), word)


def _granted(client: Client) -> Callable[[Collection[str]], list[LicenceGranted]]:
    """Return what gives the licences that this profile holds, of those that are named."""

    def of(named: Collection[str]) -> list[LicenceGranted]:
        account = client.profile.account
        if account is None:
            return []
        store = LicenceStore(client.home.licences(account.account))
        for each in named:
            identifiers.to_uuid(each, "lic", field="licence")
        return [granted for each in sorted(named) if (granted := store.granted(each)) is not None]

    return of


def _logged(client: Client, manifest: ReadManifest, notes: list[str], *, offline: bool) -> int | None:
    """Return where the log has this very manifest; None where that is not looked up, or nobody put it there."""
    if manifest.payload.organisation is None:
        notes.append(
            "the manifest is signed with a key of nobody's, and in no log: whoever holds the key may sign another"
        )
        return None
    if offline:
        notes.append(
            "whether the manifest is in the log, and the key the organisation's, was not looked up (--offline)"
        )
        return None
    try:
        data = client.statement_file(manifest.payload.dataset)
    except LicetError as error:
        if error.exit_code == 3:
            raise
        notes.append(f"the registry does not show its copy of the manifest here ({error.message})")
        return None
    trust = client.trust()
    file = msgspec.json.decode(data, type=StatementFile)
    verified = verify_statement_file(file, Trust(trust.origin, trust.root))
    if file.envelope.payload_digest != manifest.digest:
        raise VerificationError(
            f"{manifest.payload.dataset}: the log has another manifest of this dataset: {file.envelope.payload_digest}"
        )
    return verified.log_index


def _keys(client: Client, *, offline: bool) -> RegistryKeys:
    try:
        return client.snapshot.keys()
    except InputError:
        if offline:
            raise
        return client.working_keys()


def _dated(keys: RegistryKeys, seed: Seed, index: int | None, notes: list[str]) -> None:
    """Hold the seed's checkpoint to the log's key, and to come after the manifest."""
    if seed.checkpoint is None:
        notes.append("the seed was given: nothing says that it was not chosen to fit")
        return
    signed = checkpoints.open(seed.checkpoint, keys.log)
    if index is not None and signed.size <= index:
        raise VerificationError(
            f"seed: expected a checkpoint behind log entry {index}, the manifest's, got one of {signed.size} entries"
        )


def _basis(
    client: Client, keys: RegistryKeys, manifest: ReadManifest, folders: Sequence[Path], *, offline: bool
) -> Basis:
    """Return the snapshot that the manifest names, verified; raises ``InputError`` that says where to get it."""
    payload = manifest.payload
    stores = [client.snapshot.store, *(store for each in folders for store in _stores(each))]
    if not offline and all(store.former(payload.snapshot) is None for store in stores):
        pull_newest(client)
    now = times.from_text(payload.decided_at, "decided_at")
    wrong: LicetError | None = None
    for store in stores:
        published = store.former(payload.snapshot)
        if published is None:
            continue
        for near in (True, False) if question_of(payload).tiers == "near" else (False,):
            try:
                return open_published(store, published, keys, now=now, near=near)
            except ExpiredError:
                raise VerificationError(
                    f"{payload.dataset}: decided at {payload.decided_at}, when its snapshot had expired"
                ) from None
            except InputError as error:
                wrong = error
    told = f": {wrong.message}" if wrong is not None else ""
    raise InputError(
        f"the snapshot {payload.snapshot} of the decision is not here{told}; ask the organisation for a copy of its "
        f"folder of snapshots and name it with --snapshots"
    )


def _stores(folder: Path) -> list[SnapshotStore]:
    """Return the stores in ``folder``: itself, or those a level or two below, as a home and a cache have them."""
    if not folder.is_dir():
        raise InputError.field("--snapshots", "a folder", str(folder))
    found = [path.parent for pattern in ("manifests", "*/manifests", "*/*/manifests") for path in folder.glob(pattern)]
    if not found:
        raise InputError.field("--snapshots", "a folder with snapshots that were pulled", str(folder))
    return [SnapshotStore(path) for path in sorted(found)]


def _shown(opened: Opened, keys: RegistryKeys, notes: list[str]) -> dict[str, HeldLicence]:
    """Return the licences beside the rows that hold: granted to whoever signed the manifest, in the log."""
    public = public_key(opened.manifest.key, "key")
    found = {}
    for granted in opened.licences:
        try:
            licence = verify_granted(granted, Public(key_id(public), public), keys)
        except LicetError as error:
            notes.append(f"{granted.licence} does not count: {error.message}")
            continue
        found[licence.id] = licence
    return found
