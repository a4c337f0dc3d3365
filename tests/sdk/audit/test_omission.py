"""What shows an omission: it holds for a registry that left a statement out, and for no honest one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.audit.misconduct import Fork, SplitView, encode
from licet.audit.omission import Covered, Omission, Unerased, verify_misconduct, verify_omission
from licet.audit.rebuttal import verify_rebuttal
from licet.canonical import to_base64
from licet.errors import LicetError, VerificationError
from licet.index import Published, StateLeaf, StateTree, manifest
from licet.index.state import State
from licet.log import checkpoint as checkpoints
from licet.log import merkle
from licet.log.checkpoint import Checkpoint
from licet.statements import envelope as envelopes
from licet.statements.evidence import claimed_index
from licet.statements.kinds import Consent, Erase, WorkDigest
from licet.statements.trust import RegistryKeys, verify_registry_keys
from licet.statements.works import work_proof, works_scope
from licet.times import from_text
from licet.wire.common import StatementFile
from tests.sdk.statements.world import Account, Registry, identifier

REGISTRY = Registry()
ARTIST = Account(REGISTRY, "Su Tang")
WORKS = [
    WorkDigest(identifier("wrk", at), ARTIST.id, f"{at:064x}", None, None, None, [], "upload") for at in range(1, 4)
]
CONSENT = msgspec.structs.replace(ARTIST.consent(), scope=works_scope(WORKS))
AT = REGISTRY.log.add(envelopes.seal(CONSENT, ARTIST.key))
KEYS = verify_registry_keys(REGISTRY.trust, REGISTRY.keys())
WORK = WORKS[1].work
NOW = from_text("2026-12-02T00:00:00.000Z")  # the log of these tests begins on the first


def omission(
    leaves: list[StateLeaf],
    *,
    log_size: int | None = None,
    issued_at: str = "2026-12-01T00:09:00.000Z",
    consent: Consent = CONSENT,
    at: int = AT,
) -> Omission:
    """Return the document for a snapshot over ``leaves`` that REGISTRY signed after the statement at ``at``."""
    tree = StateTree(leaves)
    root = merkle.root([merkle.leaf_hash(b"any")])
    payload = manifest(
        registry=REGISTRY.ref,
        sequence=7,
        previous="00" * 32,
        consent_version=1,
        log_size=at + 1 if log_size is None else log_size,
        log_root=root.hex(),
        segments=[],
        works=len(leaves),
        state_root=tree.root,
        issued_at=from_text(issued_at),
    )
    sealed = envelopes.seal(payload, REGISTRY.working["snapshot"])
    logged = REGISTRY.log.add(sealed)
    index, hashes = work_proof(WORKS, WORK)
    covered = Covered(WORKS[1], index, [to_base64(value) for value in hashes])
    snapshot = Published(sealed, REGISTRY.log.receipt(logged, "snapshot"))
    return Omission(REGISTRY.log.evidence(at), covered, snapshot, tree.prove(WORK))


def omitted(found: Omission, keys: RegistryKeys) -> str:
    return verify_omission(found, keys, now=NOW).sentence


def shown_by(data: bytes, keys: RegistryKeys) -> str:
    return verify_misconduct(data, keys, now=NOW).sentence


def erasure(account: Account = ARTIST, **changes: Any) -> StatementFile:
    """Return the file of the statement that ``account`` was erased, just logged."""
    stated = Erase(
        REGISTRY.ref, account.id, account.genesis, "account", 2, "ab" * 32, 0, None, "2026-12-01T00:00:00.000Z"
    )
    sealed = envelopes.seal(msgspec.structs.replace(stated, **changes), REGISTRY.working["office"])
    return REGISTRY.file(REGISTRY.log.add(sealed))


def leaf(at: int, log_index: int) -> StateLeaf:
    return StateLeaf(identifier("wrk", at), "00" * 32, State(0, []), log_index)


OTHERS = [leaf(1, AT), leaf(3, AT)]
LEFT_OUT = omission(OTHERS)


def test_a_work_that_is_left_out_is_shown() -> None:
    assert f"leaves out {WORK}, which log entry {AT} covers" in omitted(LEFT_OUT, KEYS)
    assert "leaves out" in shown_by(encode(LEFT_OUT), KEYS)


def test_a_state_from_before_is_shown() -> None:
    found = omission([leaf(1, AT), leaf(2, AT - 1), leaf(3, AT)])
    assert f"has {WORK} as of entry {AT - 1}, though entry {AT} speaks for it" in omitted(found, KEYS)


def test_a_snapshot_that_is_late_is_shown() -> None:
    # The log of these tests takes an entry a minute: the statement came at minute AT.
    late = omission(OTHERS, log_size=AT, issued_at=f"2026-12-01T00:{AT + 6:02d}:00.000Z")
    assert "promised within five minutes" in omitted(late, KEYS)
    with pytest.raises(VerificationError, match="or one issued after"):
        omitted(omission(OTHERS, log_size=AT, issued_at=f"2026-12-01T00:{AT + 5:02d}:00.000Z"), KEYS)


def test_an_account_that_was_erased_without_a_deny_shows_nothing_against_an_honest_registry() -> None:
    """The artist erased, kept statement and state proof, and makes a document of them."""
    file = erasure()
    at = claimed_index(file)
    found = omission([], log_size=at + 1)
    shown = verify_omission(found, KEYS, now=NOW)
    assert shown.unless == Unerased(ARTIST.id, ARTIST.genesis, AT, at + 1)
    said = verify_rebuttal(shown, file, REGISTRY.trust)
    assert said.startswith(f"log entry {at} of 2026-12-01T")
    assert f"erased {ARTIST.id}" in said


def test_what_an_erasure_cannot_explain_stays_shown() -> None:
    for found in (
        omission([leaf(1, AT), leaf(2, AT - 1), leaf(3, AT)]),
        omission(OTHERS, log_size=AT, issued_at=f"2026-12-01T00:{AT + 6:02d}:00.000Z"),
    ):
        shown = verify_omission(found, KEYS, now=NOW)
        assert shown.unless is None
        with pytest.raises(VerificationError, match="that an erasure could explain"):
            verify_rebuttal(shown, erasure(), REGISTRY.trust)


def test_no_other_statement_passes_for_the_erasure() -> None:
    earlier, stranger = erasure(), Account(REGISTRY, "Bo Lin")
    after = REGISTRY.log.add(envelopes.seal(msgspec.structs.replace(CONSENT, seq=3), ARTIST.key))
    forged = Erase(REGISTRY.ref, ARTIST.id, ARTIST.genesis, "account", 0, None, 0, None, "2026-12-01T00:00:00.000Z")
    refused = [
        (earlier, "expected an erasure behind log entry"),
        (erasure(stranger), f"expected the erasure of {ARTIST.id}"),
        (erasure(genesis=stranger.genesis), f"expected the erasure of {ARTIST.id}"),
        (erasure(deny=CONSENT.scope), "left no deny"),
        (REGISTRY.file(after, ARTIST.genesis_index), "expected the statement of an erasure, got a consent"),
        (REGISTRY.file(REGISTRY.log.add(envelopes.seal(forged, ARTIST.key))), "signatures: expected keys"),
    ]
    size = claimed_index(erasure()) + 1
    shown = verify_omission(omission([], log_size=size, at=after), KEYS, now=NOW)
    refused.append((erasure(), f"below entry {size}"))
    for file, told in refused:
        with pytest.raises(VerificationError, match=told):
            verify_rebuttal(shown, file, REGISTRY.trust)
    with pytest.raises(VerificationError):
        verify_rebuttal(shown, erasure(), Registry("two").trust)


@pytest.mark.parametrize("log_index", [AT, AT + 1])
def test_an_honest_snapshot_shows_nothing(log_index: int) -> None:
    with pytest.raises(VerificationError, match="expected a state from before log entry"):
        omitted(omission([leaf(1, AT), leaf(2, log_index), leaf(3, AT)]), KEYS)


def test_a_statement_that_waits_shows_nothing() -> None:
    loosening = msgspec.structs.replace(CONSENT, effect="loosen", seq=2)
    at = REGISTRY.log.add(envelopes.seal(loosening, ARTIST.key))
    with pytest.raises(VerificationError, match="that acts at once"):
        omitted(omission(OTHERS, consent=loosening, at=at), KEYS)


@pytest.mark.parametrize(
    "change",
    [
        {"state": omission([leaf(1, AT), leaf(3, AT), leaf(4, AT)]).state},  # of another snapshot
        {"state": StateTree(OTHERS).prove(identifier("wrk", 9))},  # about another work
        {"covered": msgspec.structs.replace(LEFT_OUT.covered, index=0)},
        {"covered": msgspec.structs.replace(LEFT_OUT.covered, work=WORKS[0])},
        {"covered": msgspec.structs.replace(LEFT_OUT.covered, hashes=[])},
        {"covered": msgspec.structs.replace(LEFT_OUT.covered, hashes=["AAAA"])},
        {"statement": REGISTRY.log.evidence(0)},
        {"statement": msgspec.structs.replace(LEFT_OUT.statement, proof=REGISTRY.log.proof(1))},
        {"snapshot": Published(LEFT_OUT.snapshot.envelope, REGISTRY.log.receipt(0, "x"))},
    ],
)
def test_what_does_not_hold_shows_nothing(change: dict[str, Any]) -> None:
    with pytest.raises(LicetError):
        omitted(msgspec.structs.replace(LEFT_OUT, **change), KEYS)


def test_a_document_of_another_registry_shows_nothing_about_this_one() -> None:
    other = Registry("two")
    with pytest.raises(VerificationError):
        shown_by(encode(LEFT_OUT), verify_registry_keys(other.trust, other.keys()))
    with pytest.raises(VerificationError, match="keys under a pinned root"):
        shown_by(encode(LEFT_OUT), verify_registry_keys(None, REGISTRY.keys()))


def test_documents_about_the_log_are_read_from_their_bytes() -> None:
    signer, log = REGISTRY.log.signer, REGISTRY.log.signer.verifier.vkey
    first, second = (
        checkpoints.sign(Checkpoint(REGISTRY.origin, 3, merkle.leaf_hash(data)), signer) for data in (b"a", b"b")
    )
    assert "two different trees of 3 entries" in shown_by(encode(SplitView(log, first, second)), KEYS)
    fork = Fork(log, first, second, to_base64(merkle.leaf_hash(b"b")), [])
    assert "does not begin with the 3" in shown_by(encode(fork), KEYS)
    with pytest.raises(VerificationError):
        shown_by(encode(SplitView(log, first, first)), KEYS)


@given(st.binary(max_size=100) | st.integers(0, 10**6).map(lambda at: encode(LEFT_OUT)[: at % 4000]))
def test_no_bytes_make_the_reader_do_anything_but_refuse(data: bytes) -> None:
    with pytest.raises(LicetError):
        shown_by(data, KEYS)


@given(st.data())
def test_no_byte_of_a_document_can_change_to_show_something_else(data: st.DataObject) -> None:
    whole = bytearray(msgspec.json.encode(LEFT_OUT))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    try:
        shown = shown_by(bytes(whole), KEYS)
    except LicetError:
        return
    assert shown == omitted(LEFT_OUT, KEYS)  # what is not under any signature: a receipt's name
