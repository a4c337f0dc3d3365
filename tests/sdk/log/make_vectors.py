"""Write ``vectors/lies``: one file for each way to lie with checkpoints, cosignatures and proofs.

Run as ``python -m tests.sdk.log.make_vectors``. Keys and times are fixed, ML-DSA-44 signatures are randomised: a second
run writes other bytes, which are refused for the same reasons.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from licet.log import checkpoint as checkpoints
from licet.log import cosignature, merkle, note
from licet.log import proof as proofs
from licet.log.checkpoint import Checkpoint

FOLDER = Path(__file__).parent / "vectors" / "lies"
LOG = note.Signer("registry.example/log", b"\x01" * 32)
OTHER = note.Signer("other.example/log", b"\x02" * 32)
TIME = 1_700_000_000
ED25519 = cosignature.Signer("w1.example", cosignature.ED25519_COSIGNATURE, b"\x03" * 32, lambda: TIME)
MLDSA44 = cosignature.Signer("w2.example", cosignature.MLDSA44, b"\x04" * 32, lambda: TIME)
ENTRIES = [f"entry {at}".encode() for at in range(11)]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]
POLICY = f"""log {LOG.verifier.vkey}
witness a {ED25519.verifier.vkey}
witness b {MLDSA44.verifier.vkey}
group both all a b
quorum both
"""


class Vector(msgspec.Struct, frozen=True):
    """A proof (tlog-proof) for ``entry`` under ``policy``; ``refused`` is in the reason, null for the honest one."""

    policy: str
    entry: str
    proof: str
    refused: str | None


def state(size: int = 11, root: bytes | None = None, origin: str = LOG.name) -> str:
    return checkpoints.encode(Checkpoint(origin, size, merkle.root(LEAVES[:size]) if root is None else root))


def proven(checkpoint: str, index: int = 4, hashes: list[bytes] | None = None) -> str:
    path = merkle.inclusion_proof(LEAVES, index) if hashes is None else hashes
    return proofs.encode(proofs.Proof(index, tuple(path), checkpoint))


def signed(text: str, *signers: note.NoteSigner) -> str:
    return note.sign(text, *signers)


def with_line(name: str, key_id: bytes, value: bytes, *, text: str | None = None) -> str:
    """Return the honest checkpoint with one more line, and without a line by the same key."""
    shown = text or state()
    whole = [LOG.sign(shown), ED25519.sign(shown), MLDSA44.sign(shown)]
    kept = [line for line in whole if (line.name, line.key_id) != (name, key_id)]
    return note.serialise(note.Note(shown, (*kept, note.Signature(name, key_id, value))))


def vectors() -> Iterator[tuple[str, Vector]]:
    """Yield each vector under the name of its file."""
    text = state()
    honest = signed(text, LOG, ED25519, MLDSA44)
    entry = ENTRIES[4].decode()

    def lie(proof: str, refused: str, policy: str = POLICY, shown: str = entry) -> Vector:
        return Vector(policy, shown, proof, refused)

    yield "honest", Vector(POLICY, entry, proven(honest), None)
    # Who signed.
    whole = signed(state(origin=OTHER.name), OTHER, ED25519, MLDSA44)
    yield "a-whole-file-of-another-log", lie(proven(whole), "of a log of the policy")
    yield "the-origin-under-another-key", lie(proven(signed(text, OTHER, ED25519, MLDSA44)), "signature by the log")
    yield "no-log-signature", lie(proven(signed(text, ED25519, MLDSA44)), "signature by the log")
    false = LOG.sign(text).value[:-1] + bytes([LOG.sign(text).value[-1] ^ 1])
    yield (
        "a-false-log-signature",
        lie(proven(with_line(LOG.name, LOG.verifier.key_id, false)), "signature by registry.example/log does not hold"),
    )
    # Who watched.
    yield "no-cosignature", lie(proven(signed(text, LOG)), "cosigned by nobody")
    yield "one-cosignature-of-two", lie(proven(signed(text, LOG, ED25519)), "cosigned by a")
    pair = (ED25519, MLDSA44)
    for name, signer in zip(("ed25519", "mldsa44"), pair, strict=True):
        key, value = signer.verifier, signer.sign(text).value
        held = f"{key.name} does not hold"
        other = signer.sign(state(10)).value
        yield f"{name}-of-another-size", lie(proven(with_line(key.name, key.key_id, other)), held)
        forked = signer.sign(state(11, bytes(32))).value
        yield f"{name}-of-another-root", lie(proven(with_line(key.name, key.key_id, forked)), held)
        foreign = signer.sign(state(origin=OTHER.name)).value
        yield f"{name}-of-another-log", lie(proven(with_line(key.name, key.key_id, foreign)), held)
        later = (TIME + 1).to_bytes(8, "big") + value[8:]
        yield f"{name}-with-another-time", lie(proven(with_line(key.name, key.key_id, later)), held)
        beyond = (1 << 63).to_bytes(8, "big") + value[8:]
        yield (
            f"{name}-with-a-time-beyond-2-63",
            lie(proven(with_line(key.name, key.key_id, beyond)), "a time below 2^63"),
        )
        yield f"{name}-without-its-time", lie(proven(with_line(key.name, key.key_id, value[8:])), "bytes, got")
        yield f"{name}-cut-short", lie(proven(with_line(key.name, key.key_id, value[:-1])), "bytes, got")
        others = [LOG.sign(text), *(each.sign(text) for each in pair if each is not signer)]
        renamed = note.serialise(note.Note(text, (*others, note.Signature(key.name, b"abcd", value))))
        yield f"{name}-under-another-key-id", lie(proven(renamed), "is not met")
    swapped = with_line(MLDSA44.name, MLDSA44.verifier.key_id, ED25519.sign(text).value)
    yield "ed25519-for-mldsa44", lie(proven(swapped), "bytes, got 72")
    # What is in the log.
    yield "another-entry", lie(proven(honest), "does not lead to the root", shown="entry 5")
    yield "another-index", lie(proven(honest, 5, merkle.inclusion_proof(LEAVES, 4)), "does not lead to the root")
    yield (
        "a-proof-for-another-size",
        lie(proven(honest, 4, merkle.inclusion_proof(LEAVES[:9], 4)), "does not lead to the root"),
    )
    yield "an-index-beyond-the-log", lie(proven(honest, 11, []), "index")
    yield "a-hash-too-few", lie(proven(honest, 4, merkle.inclusion_proof(LEAVES, 4)[:-1]), "hashes, got")
    # What the policy is.
    yield (
        "a-policy-of-another-log",
        lie(proven(honest), "of a log of the policy", POLICY.replace(LOG.verifier.vkey, OTHER.verifier.vkey)),
    )
    plain = note.Signer("w1.example", b"\x03" * 32).verifier.vkey
    yield (
        "a-policy-with-a-plain-key-for-a-witness",
        lie(proven(honest), "policy line 2", POLICY.replace(ED25519.verifier.vkey, plain)),
    )


def main() -> None:
    """Write every file, and drop those of before."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for name, vector in vectors():
        (FOLDER / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(vector)) + b"\n")


if __name__ == "__main__":
    main()
