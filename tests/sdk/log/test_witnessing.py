"""What a log asks of witnesses: the bytes of add-checkpoint, and answers of which none is believed unchecked."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet.errors import InputError, LicetError, MalformedError, ServiceError, VerificationError
from licet.log import checkpoint as checkpoints
from licet.log import cosignature, merkle, note, witnessing
from licet.log.checkpoint import Checkpoint

ORIGIN = "registry.example/log"
LOG = note.Signer(ORIGIN, b"\x01" * 32)
LEAVES = [merkle.leaf_hash(f"entry {at}".encode()) for at in range(50)]
ED25519 = cosignature.Signer("witness.example/w", 4, b"\x02" * 32, lambda: 1_700_000_000)
MLDSA44 = cosignature.Signer("witness.example/w", 6, b"\x03" * 32, lambda: 1_700_000_000)
KEYS = [ED25519.verifier, MLDSA44.verifier]

# The example body of tlog-witness ("add-checkpoint").
EXAMPLE = (
    "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
    "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n"
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xe"
    "McTOAYQ8=\n— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUX"
    "TS5Rovnzv++qbSzm9Q=\n"
)


def at_size(size: int, *signers: note.NoteSigner) -> str:
    return checkpoints.sign(Checkpoint(ORIGIN, size, merkle.root(LEAVES[:size])), LOG, *signers)


def lines(text: str, *signers: note.NoteSigner) -> bytes:
    return note.sign(note.parse(text).text, *signers).rpartition("\n\n")[2].encode()


def test_the_example_of_the_specification_reads_and_writes_back() -> None:
    asked = witnessing.parse_request(EXAMPLE.encode())
    assert (asked.old, len(asked.proof), asked.stated.size) == (20_852_014, 4, 20_852_163)
    assert witnessing.request_body(asked.old, asked.proof, asked.checkpoint) == EXAMPLE.encode()


@given(st.integers(0, 50), st.integers(0, 50))
def test_what_is_asked_is_what_is_read(first: int, second: int) -> None:
    old, size = sorted((first, second))
    proof = merkle.consistency_proof(LEAVES, old, size) if old else []
    asked = witnessing.parse_request(witnessing.request_body(old, proof, at_size(size)))
    assert (asked.old, list(asked.proof), asked.checkpoint) == (old, proof, at_size(size))
    if old:
        merkle.verify_consistency(old, size, merkle.root(LEAVES[:old]), asked.stated.root, asked.proof)


@pytest.mark.parametrize(
    ("old", "proof"), [(-1, []), (11, []), (0, [bytes(32)]), (10, [bytes(32)]), (5, [bytes(31)]), (5, [bytes(32)] * 64)]
)
def test_a_request_that_no_witness_may_take_is_not_made(old: int, proof: list[bytes]) -> None:
    with pytest.raises(InputError):
        witnessing.request_body(old, proof, at_size(10))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old 0\n\n",
        EXAMPLE.encode()[:-1],
        EXAMPLE.replace("old ", "Old ").encode(),
        EXAMPLE.replace("old 2", "old 02").encode(),
        EXAMPLE.replace("old 20852014", "old").encode(),
        EXAMPLE.replace("old 20852014", "old -1").encode(),
        EXAMPLE.replace("old 20852014\n", "").encode(),
        EXAMPLE.replace("Plk", "Pl").replace("kaw=", "kaw").encode(),
        EXAMPLE.replace("PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=", "AAAA").encode(),
        EXAMPLE.replace("\n\nexample", "\nexample").encode(),
        EXAMPLE.replace("\n", "\r\n").encode(),
        EXAMPLE.replace("20852163", "2085216x").encode(),
        EXAMPLE.replace("/6WV", "\n/6WV").encode(),
        b"old 1\n" + b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 64 + EXAMPLE.partition("\n\n")[2].encode(),
        b"old 0\n\n\xff\xfe\n",
        b"o" * 1_000_001,
    ],
)
def test_what_is_no_request_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        witnessing.parse_request(body)


def test_cosignatures_of_both_algorithms_are_taken_and_strangers_passed_over() -> None:
    text = at_size(10)
    stranger = cosignature.Signer("stranger.example", 4, b"\x09" * 32)
    answer = witnessing.read_answer(200, "text/plain", lines(text, ED25519, stranger, MLDSA44), KEYS, text)
    assert isinstance(answer, witnessing.Cosigned)
    assert [line.key_id for line in answer.lines] == [each.key_id for each in KEYS]
    published = witnessing.with_cosignatures(text, answer.lines)
    assert checkpoints.open(published, LOG.verifier, witnesses=tuple(KEYS), closed=True).size == 10
    assert note.parse(published).signatures[0].name == ORIGIN


def test_collecting_again_keeps_one_line_a_key_and_the_logs_own_first() -> None:
    text = at_size(10)
    once = witnessing.with_cosignatures(text, [ED25519.sign(note.parse(text).text)])
    later = cosignature.Signer("witness.example/w", 4, b"\x02" * 32, lambda: 1_700_000_009)
    forged = note.Signature(ORIGIN, LOG.verifier.key_id, bytes(64))
    twice = witnessing.with_cosignatures(once, [later.sign(note.parse(text).text), forged])
    own, cosigned = note.parse(twice).signatures
    assert own == note.parse(text).signatures[0]
    assert cosignature.time_of(cosigned) == 1_700_000_009
    assert witnessing.with_cosignatures(twice, []) == twice


def test_another_size_is_where_to_prove_from() -> None:
    for kind in ("text/x.tlog.size", "text/x.tlog.size; charset=utf-8", "Text/X.tlog.size"):
        answer = witnessing.read_answer(409, kind, b"20852014\n", KEYS, at_size(10))
        assert answer == witnessing.OtherSize(20_852_014)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", b"7\n"),
        (None, b"7\n"),
        ("text/x.tlog.size", b"7"),
        ("text/x.tlog.size", b"07\n"),
        ("text/x.tlog.size", b"seven\n"),
        ("text/x.tlog.size", b"-1\n"),
        ("text/x.tlog.size", b"\xff\n"),
        ("text/x.tlog.size", b"7\n" + b"0" * 70_000),
    ],
)
def test_a_conflict_without_a_size_is_malformed(kind: str | None, body: bytes) -> None:
    with pytest.raises(MalformedError):
        witnessing.read_answer(409, kind, body, KEYS, at_size(10))


def test_lines_that_do_not_hold_are_refused() -> None:
    text, other = at_size(10), at_size(11)
    for body in (
        lines(other, ED25519),  # of another checkpoint
        lines(text, ED25519)[:-8] + b"AAAAAAA\n",
        lines(text, cosignature.Signer("witness.example/w", 6, b"\x04" * 32)),  # of a key that is not its own
        lines(text, LOG),
    ):
        with pytest.raises((VerificationError, MalformedError)):
            witnessing.read_answer(200, "text/plain", body, KEYS, text)


def test_a_cosignature_without_a_time_is_refused() -> None:
    text = note.parse(at_size(10)).text
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

    timeless = MLDSA44PrivateKey.from_seed_bytes(b"\x03" * 32).sign(
        cosignature.mldsa44_message("witness.example/w", 0, checkpoints.parse(text))
    )
    line = note.Signature("witness.example/w", MLDSA44.verifier.key_id, bytes(8) + timeless)
    body = note.serialise(note.Note(text, (line,))).rpartition("\n\n")[2].encode()
    with pytest.raises(VerificationError, match="with its time"):
        witnessing.read_answer(200, None, body, KEYS, at_size(10))


@pytest.mark.parametrize(
    "body", [b"", b"\n", b"text\n", b"\xe2\x80\x94 a QUFBQUE=", b"text\n\n\xe2\x80\x94 a QUFBQUE=\n", b"\xff"]
)
def test_what_is_no_signature_line_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        witnessing.read_answer(200, "text/plain", body, KEYS, at_size(10))


@pytest.mark.parametrize("status", [400, 403, 404, 422, 500, 302])
def test_a_refusal_says_what_the_witness_said(status: int) -> None:
    with pytest.raises(ServiceError, match=f"refused the checkpoint: {status} no such log"):
        witnessing.read_answer(status, "text/plain", b"no such\tlog\n\x1b[31m", KEYS, at_size(10))


@settings(max_examples=200)
@given(st.sampled_from([200, 409, 403]), st.sampled_from(["text/x.tlog.size", None]), st.binary(max_size=80))
def test_no_answer_makes_the_reader_do_anything_but_refuse(status: int, kind: str | None, body: bytes) -> None:
    for prefix in (b"", b"\xe2\x80\x94 witness.example/w "):
        try:
            witnessing.read_answer(status, kind, prefix + body, KEYS, at_size(10))
        except LicetError:
            continue


@settings(max_examples=200)
@given(st.binary(max_size=80), st.integers(0, len(EXAMPLE.encode())))
def test_no_body_makes_the_reader_do_anything_but_refuse(noise: bytes, at: int) -> None:
    data = EXAMPLE.encode()
    for body in (noise, data[:at] + noise + data[at:]):
        try:
            witnessing.parse_request(body)
        except LicetError:
            continue


def test_the_address_is_below_the_submission_prefix() -> None:
    assert witnessing.submission_url("https://w.example/x/") == "https://w.example/x/add-checkpoint"
    assert witnessing.submission_url("https://w.example") == "https://w.example/add-checkpoint"
