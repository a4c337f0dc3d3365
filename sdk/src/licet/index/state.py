"""The state root: one hash over the state of every work, with proofs that a work is in it, or that it is not.

RFC 6962 tree whose leaves are the canonical JSON of `StateLeaf`, sorted by work id (a work once). An artist's monitor
checks her own leaf against the root that a signed manifest names. That a work is absent is shown by its two neighbours:
leaves next to each other, one below it and one above.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from licet import canonical
from licet.decisions.roots import RUN, RootBuilder, RootPiece
from licet.errors import MalformedError, VerificationError
from licet.identifiers import to_uuid
from licet.index.ids import ID_CHARACTERS, id_bytes, work_texts
from licet.index.records import FLAGS, WorkRecord
from licet.index.works import Bytes, Numbers, Works
from licet.log.merkle import EMPTY_ROOT, HASH_SIZE, Tree, leaf_hash, verify_inclusion
from licet.log.merkle import root as merkle_root

if TYPE_CHECKING:
    from licet.index.snapshot import Snapshot

# As canonical.encode for these Structs (ASCII, small integers), but without a walk over every leaf; a test compares.
_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_CHUNK: Final = 10_000  # leaves that exist at a time


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Claim level 0–4 and the state bits that are set, named as in ``records.FLAGS`` and in that order."""

    level: int
    flags: list[str]


class StateLeaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What decisions about one work rest on: ``terms_hash`` is null where nobody stated terms."""

    work: str
    terms_hash: str | None
    state: State
    log_index: int


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A leaf, where it stands, and the sibling hashes up to the root, hex."""

    index: int
    leaf: StateLeaf
    hashes: list[str]


class StateProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That ``work`` is in the tree (``member``), or that it is not (its neighbours; null where it has none)."""

    work: str
    member: Member | None
    before: Member | None
    after: Member | None


class StateTree:
    """The leaves of all works with their tree: the root, and any number of proofs."""

    def __init__(self, leaves: Iterable[StateLeaf]) -> None:
        """Take leaves in rising order of work id, as `of_works` and `of_records` make them."""
        self._leaves: Final = list(leaves)
        self._tree: Final = Tree(leaf_hash(_ENCODER.encode(leaf)) for leaf in self._leaves)

    @classmethod
    def of_works(cls, works: Works) -> StateTree:
        """Return the tree over the works of an index or a snapshot."""
        return cls(_leaves_at(works, works.numbers()))

    @classmethod
    def of_records(cls, records: Iterable[WorkRecord]) -> StateTree:
        """Return the tree over ``records``, each work once, in any order."""
        return cls(_leaves_of(sorted(records, key=lambda record: record.work)))

    def __len__(self) -> int:
        return len(self._leaves)

    @property
    def root(self) -> str:
        """The root, hex: what a manifest calls ``state_root``."""
        return self._tree.root.hex()

    def prove(self, work: str) -> StateProof:
        """Return the proof that ``work`` (``wrk_…``) is in the tree, or that it is not."""
        return _proof(work, len(self), self._leaves.__getitem__, self._member)

    def _member(self, index: int) -> Member:
        hashes = [value.hex() for value in self._tree.inclusion_proof(index)]
        return Member(index, self._leaves[index], hashes)


class StateProver:
    """Proofs over the works of a snapshot, of any number: 40 bytes a work, leaves are made anew when asked for."""

    def __init__(self, works: Works) -> None:
        """Hash the leaves of all ``works``."""
        self._works: Final = works
        self._numbers: Final = works.numbers()
        self._tree: Final = Tree(_leaf_hashes(works, self._numbers))

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def root(self) -> str:
        """The root, hex: what a manifest calls ``state_root``."""
        return self._tree.root.hex()

    def prove(self, work: str) -> StateProof:
        """Return the proof that ``work`` (``wrk_…``) is in the tree, or that it is not; ``InputError`` for no id."""
        return _proof(work, len(self), self._leaf, self._member)

    def _leaf(self, index: int) -> StateLeaf:
        return next(iter(_leaves_at(self._works, self._numbers[index : index + 1])))

    def _member(self, index: int) -> Member:
        return Member(index, self._leaf(index), [value.hex() for value in self._tree.inclusion_proof(index)])


class StateRoots:
    """State roots of one snapshot after another; each costs what changed since the one before.

    A leaf rests on its own segment alone, so the leaf hashes of a segment are kept by its digest, 32 bytes a work, as
    long as snapshots have it. Of 65,536 leaves in a row that come again only one digest is taken instead of their tree.
    What is kept is this process's own work: `StateTree` is the whole computation, and is what verifies.
    """

    def __init__(self) -> None:
        self._lock: Final = threading.Lock()
        self._leaves: dict[str, Bytes] = {}  # by digest of an exact segment: n × 32 bytes, in the order of its rows
        self._runs: dict[bytes, bytes] = {}  # by SHA-256 of the leaves of a run: its root

    def root(self, snapshot: Snapshot) -> str:
        """Return what ``StateTree.of_works(snapshot.works).root`` is, hex."""
        names = [ref.digest for ref in snapshot.manifest.segments if ref.tier == "exact"]
        with self._lock:
            known, self._leaves = self._leaves, {}
            for name, layer in zip(names, snapshot.layers, strict=True):
                hashes = known.get(name)
                if hashes is None:
                    rows = np.arange(layer.first_work, layer.end_work, dtype=np.int64)
                    hashes = np.frombuffer(_leaf_hashes(snapshot.works, rows), np.uint8).reshape(-1, HASH_SIZE)
                self._leaves[name] = hashes
            return self._root(snapshot, [self._leaves[name] for name in names])

    def _root(self, snapshot: Snapshot, leaves: list[Bytes]) -> str:
        numbers = snapshot.works.numbers()
        runs, nodes, tail = dict[bytes, bytes](), bytearray(), b""
        for at in range(0, len(numbers), RUN):
            some = numbers[at : at + RUN]
            run = np.empty((len(some), HASH_SIZE), np.uint8)
            for layer, hashes in zip(snapshot.layers, leaves, strict=True):
                place = np.flatnonzero((some >= layer.first_work) & (some < layer.end_work))
                run[place] = hashes[some[place] - layer.first_work]
            if len(run) < RUN:
                tail = run.tobytes()
                break
            key = sha256(run.data).digest()
            runs[key] = self._runs.get(key) or merkle_root(run.tobytes())
            nodes += runs[key]
        self._runs = runs
        builder = RootBuilder()
        builder.append(RootPiece(0, len(numbers) - len(tail) // HASH_SIZE, bytes(nodes)))
        builder.add(tail)
        return builder.root


def _leaf_hashes(works: Works, numbers: Numbers) -> bytes:
    """Return the leaf hashes of these works, 32 bytes each: those of `_leaves_at`, put together without objects."""
    middles: dict[tuple[int, int, int], bytes] = {}
    hashes = bytearray()
    for at in range(0, len(numbers), _CHUNK):
        got = works.take(numbers[at : at + _CHUNK])
        texts = id_bytes("wrk", got.work).tobytes()
        states = zip(got.terms.tolist(), got.level.tolist(), got.flags.tolist(), got.log_index.tolist(), strict=True)
        for place, (terms, level, flags, log) in enumerate(states):
            middle = middles.get((terms, level, flags))
            if middle is None:
                middle = middles[terms, level, flags] = _middle(works, terms, level, flags)
            text = texts[place * ID_CHARACTERS : (place + 1) * ID_CHARACTERS]
            hashes += sha256(b'\0{"log_index":%d%b%b"}' % (log, middle, text)).digest()
    return bytes(hashes)


def _middle(works: Works, terms: int, level: int, flags: int) -> bytes:
    """Return what works with one state share of their leaves: all between the log index and the id."""
    named = works.terms_hash(terms) if terms >= 0 else None
    return b',"state":%b,"terms_hash":%b,"work":"' % (_ENCODER.encode(_state(level, flags)), _ENCODER.encode(named))


def _leaves_at(works: Works, numbers: Numbers) -> Iterator[StateLeaf]:
    got = works.take(numbers)
    hashes = {int(terms): works.terms_hash(int(terms)) for terms in np.unique(got.terms) if terms >= 0}
    rows = zip(
        work_texts(got.work),
        got.terms.tolist(),
        got.level.tolist(),
        got.flags.tolist(),
        got.log_index.tolist(),
        strict=True,
    )
    for text, terms, level, flags, log in rows:
        yield StateLeaf(text, hashes.get(terms), _state(level, flags), log)


def _proof(work: str, count: int, leaf: Callable[[int], StateLeaf], member: Callable[[int], Member]) -> StateProof:
    to_uuid(work, "wrk", field="work")
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if leaf(middle).work < work else (low, middle)
    if low < count and leaf(low).work == work:
        return StateProof(work, member(low), None, None)
    return StateProof(work, None, member(low - 1) if low else None, member(low) if low < count else None)


def state_leaves(records: Sequence[WorkRecord]) -> list[bytes]:
    """Return the hashes of the leaves of ``records``, in their order: for a tree that is not held in memory."""
    return [leaf_hash(_ENCODER.encode(leaf)) for leaf in _leaves_of(records)]


def _leaves_of(records: Sequence[WorkRecord]) -> Iterator[StateLeaf]:
    texts = work_texts(np.frombuffer(b"".join(record.work for record in records), np.uint8).reshape(-1, 16))
    for text, record in zip(texts, records, strict=True):
        yield StateLeaf(
            text,
            sha256(record.terms).hexdigest() if record.terms else None,
            _state(record.level, record.flags),
            record.log_index,
        )


def state_root(records: Iterable[WorkRecord]) -> str:
    """Return the hex state root over ``records``, each work once, in any order."""
    return StateTree.of_records(records).root


def verify_state(proof: StateProof, root: str, works: int) -> StateLeaf | None:
    """Return the leaf of ``proof.work`` under ``root``, a tree over ``works`` works, or None: it provably has none.

    Raises ``VerificationError`` where the proof does not show one of both, ``MalformedError`` for hashes that are none.
    """
    to_uuid(proof.work, "wrk", field="work")
    if proof.member is not None:
        if proof.before is not None or proof.after is not None or proof.member.leaf.work != proof.work:
            raise VerificationError(f"expected a proof about {proof.work} alone, got one with other works")
        _verify_member(proof.member, root, works)
        return proof.member.leaf
    for neighbour in (proof.before, proof.after):
        if neighbour is not None:
            _verify_member(neighbour, root, works)
    before = proof.before.index if proof.before else -1
    after = proof.after.index if proof.after else works
    below = proof.before is None or proof.before.leaf.work < proof.work
    above = proof.after is None or proof.work < proof.after.leaf.work
    if after != before + 1 or not below or not above or (works == 0 and root != EMPTY_ROOT.hex()):
        raise VerificationError(f"expected the two neighbours of {proof.work}, got others: its absence is not shown")
    return None


def _state(level: int, flags: int) -> State:
    return State(level, [name for bit, name in enumerate(FLAGS) if flags >> bit & 1])


def _verify_member(member: Member, root: str, works: int) -> None:
    try:
        hashes = [bytes.fromhex(value) for value in (*member.hashes, root)]
    except ValueError:
        raise MalformedError("expected hashes in hex, got other text") from None
    verify_inclusion(leaf_hash(canonical.encode(member.leaf)), member.index, works, hashes[:-1], hashes[-1])
