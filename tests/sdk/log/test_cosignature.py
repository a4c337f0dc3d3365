"""Cosignatures: those of public witnesses hold here, the messages are the specification's, and every lie is found."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet.errors import InputError, LicetError, MalformedError, VerificationError
from licet.log import checkpoint as checkpoints
from licet.log import cosignature, merkle, note
from licet.log.checkpoint import Checkpoint

COSIGNED = Path(__file__).parent / "vectors" / "cosigned"
VKEYS = {each.split("+")[0] + "+" + each.split("+")[1]: each for each in (COSIGNED / "vkeys").read_text().split()}

# The example of tlog-cosignature ("Introduction", "Ed25519 signed message").
SOFA = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
SOFA_NOTE = (
    f"{SOFA}\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo"
    "+zyWE+xeMcTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oy"
    "in1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)

ORIGIN = "registry.example/log"
LOG = note.Signer(ORIGIN, b"\x01" * 32)
TIME = 1_700_000_000
ED25519 = cosignature.Signer("witness.example/w", cosignature.ED25519_COSIGNATURE, b"\x02" * 32, lambda: TIME)
MLDSA44 = cosignature.Signer("witness.example/w", cosignature.MLDSA44, b"\x03" * 32, lambda: TIME)
STATED = Checkpoint(ORIGIN, 3, merkle.root([merkle.leaf_hash(b"x")] * 3))
SIGNED = checkpoints.sign(STATED, LOG, ED25519, MLDSA44)

both = pytest.mark.parametrize("signer", [ED25519, MLDSA44], ids=["Ed25519", "ML-DSA-44"])


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("arche2025h1", ["arche2025h1.staging.ct.transparency.dev+ba2f06c0", "remora.n621.de+da77ade7"]),
        ("arche2025h1", ["witness.stagemole.eu+67f7aea0", "witness1.smartit.nu/witness1+a48c820f"]),
        ("coachandhorses2026h1", ["witness.navigli.sunlight.geomys.org+a3e00fe2"]),
        ("coachandhorses2026h1", ["witness.navigli.sunlight.geomys.org+6bc44249"]),
    ],
)
def test_cosignatures_of_public_witnesses_hold(name: str, keys: list[str]) -> None:
    data = (COSIGNED / f"{name}.note").read_bytes()
    for key in keys:
        verifier = cosignature.log_verifier(VKEYS[key])
        assert verifier.vkey == VKEYS[key]
        assert note.verify(data, [verifier]).text.startswith(name)
        with pytest.raises(VerificationError):
            note.verify(data.replace(b"\n1", b"\n2", 1), [verifier])


def test_the_ed25519_message_is_that_of_the_specification() -> None:
    parsed = note.parse(SOFA_NOTE)
    log, witness = parsed.signatures
    assert parsed.text == SOFA
    assert (log.key_id.hex(), len(log.value)) == ("033de0ae", 64)
    assert (witness.key_id.hex(), len(witness.value), cosignature.time_of(witness)) == ("8d66cf3f", 72, 1_679_315_147)
    assert cosignature.ed25519_message(cosignature.time_of(witness), parsed.text).decode() == (
        "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


def test_the_mldsa44_message_is_the_structure_of_the_specification() -> None:
    message = cosignature.mldsa44_message("w", 7, Checkpoint("log", 5, b"\xaa" * 32))
    assert message == (
        b"subtree/v1\n\0" + b"\x01w" + (7).to_bytes(8, "big") + b"\x03log" + bytes(8) + (5).to_bytes(8, "big")
    ) + (b"\xaa" * 32)
    for name, origin in (("w" * 256, "log"), ("w", "l" * 256), ("", "log")):
        with pytest.raises(MalformedError):
            cosignature.mldsa44_message(name, 7, Checkpoint(origin, 5, bytes(32)))


@both
def test_what_is_cosigned_holds_and_says_when(signer: cosignature.Signer) -> None:
    opened = checkpoints.open(SIGNED, LOG.verifier, witnesses=(signer.verifier,))
    assert opened == STATED
    (line,) = cosignature.cosignatures(SIGNED, [signer.verifier])
    assert cosignature.time_of(line) == TIME
    assert line.name == "witness.example/w"


@both
def test_a_cosigner_key_has_one_spelling(signer: cosignature.Signer) -> None:
    verifier = signer.verifier
    again = cosignature.Verifier.from_vkey(verifier.vkey)
    assert (again.name, again.key_id, again.public_key) == (verifier.name, verifier.key_id, verifier.public_key)
    assert verifier.key_id == note.key_id(verifier.name, verifier.algorithm, verifier.public_key)
    name, key_id, material = verifier.vkey.split("+", 2)
    for lie in (
        f"{name}+{key_id}+{material}=",
        f"{name}+00000000+{material}",
        f"{name}+{key_id.upper()}+{material}",
        f"{name}x+{key_id}+{material}",
        f"{name}+{key_id}+{base64.b64encode(b'x').decode()}",
        f"{name}+{key_id}+{base64.b64encode(base64.b64decode(material)[:-1]).decode()}",
        LOG.verifier.vkey,
        "",
        "+",
    ):
        with pytest.raises(MalformedError):
            cosignature.Verifier.from_vkey(lie)


def test_the_two_algorithms_of_one_name_are_two_keys() -> None:
    assert ED25519.verifier.key_id != MLDSA44.verifier.key_id
    assert len(cosignature.cosignatures(SIGNED, [ED25519.verifier, MLDSA44.verifier])) == 2


@both
def test_a_false_cosignature_is_refused(signer: cosignature.Signer) -> None:
    text = checkpoints.encode(STATED)
    value = signer.sign(text).value
    lies = {
        "later": (TIME + 1).to_bytes(8, "big") + value[8:],
        "no time": bytes(8) + value[8:],
        "beyond 2^63": (1 << 63).to_bytes(8, "big") + value[8:],
        "little endian": TIME.to_bytes(8, "little") + value[8:],
        "shorter": value[:-1],
        "longer": value + b"\0",
        "without time": value[8:],
        "flipped": value[:-1] + bytes([value[-1] ^ 1]),
    }
    for name, lie in lies.items():
        with pytest.raises(VerificationError):
            signer.verifier.verify(text, lie)
            pytest.fail(name)
    for other in (
        checkpoints.encode(Checkpoint(ORIGIN, 4, STATED.root)),
        checkpoints.encode(Checkpoint(ORIGIN, 3, bytes(32))),
        checkpoints.encode(Checkpoint("other.example/log", 3, STATED.root)),
    ):
        with pytest.raises(VerificationError):
            signer.verifier.verify(other, value)


def test_a_plain_signature_is_no_cosignature_and_the_reverse() -> None:
    text = checkpoints.encode(STATED)
    plain = note.Signer("witness.example/w", b"\x02" * 32)
    with pytest.raises(VerificationError):
        ED25519.verifier.verify(text, bytes(8) + plain.sign(text).value)
    with pytest.raises(VerificationError):
        plain.verifier.verify(text, ED25519.sign(text).value[8:])


def test_an_mldsa44_cosignature_is_bound_to_the_name_and_an_ed25519_one_to_the_extensions() -> None:
    text = checkpoints.encode(STATED)
    renamed = cosignature.Verifier("other.example/w", cosignature.MLDSA44, MLDSA44.verifier.public_key)
    with pytest.raises(VerificationError):
        renamed.verify(text, MLDSA44.sign(text).value)
    extended = f"{text}an extension\n"
    ED25519.verifier.verify(extended, ED25519.sign(extended).value)
    with pytest.raises(VerificationError):
        ED25519.verifier.verify(text, ED25519.sign(extended).value)
    MLDSA44.verifier.verify(text, MLDSA44.sign(extended).value)  # as the specification says: not covered


@both
@pytest.mark.parametrize("text", ["", "one\n", "a\n1\n", "a\n1\nAA==\n", "a\n1\n\nb\n", "no newline"])
def test_what_is_no_checkpoint_is_neither_signed_nor_verified(signer: cosignature.Signer, text: str) -> None:
    with pytest.raises(MalformedError):
        signer.sign(text)
    with pytest.raises(MalformedError):
        signer.verifier.verify(text, signer.sign(checkpoints.encode(STATED)).value)


@pytest.mark.parametrize("moment", [0, -5, 2**63])
def test_a_clock_that_is_wrong_signs_nothing(moment: int) -> None:
    broken = cosignature.Signer("w", cosignature.ED25519_COSIGNATURE, bytes(32), lambda: moment)
    with pytest.raises(InputError, match="clock"):
        broken.sign(checkpoints.encode(STATED))


def test_unfit_keys_are_refused() -> None:
    for name, algorithm, key in (
        ("a b", 4, bytes(32)),
        ("a" * 256, 4, bytes(32)),
        ("a", 1, bytes(32)),
        ("a", 4, bytes(31)),
        ("a", 6, bytes(1311)),
    ):
        with pytest.raises(MalformedError):
            cosignature.Verifier(name, algorithm, key)
    with pytest.raises(MalformedError):
        cosignature.Signer("a", 4, bytes(31))
    with pytest.raises(MalformedError):
        cosignature.Signer("a", 1, bytes(32))
    with pytest.raises(MalformedError):
        cosignature.time_of(note.Signature("a", bytes(4), bytes(8)))


def test_nobody_known_has_cosigned_nothing() -> None:
    assert cosignature.cosignatures(SIGNED, []) == ()
    assert cosignature.cosignatures(checkpoints.sign(STATED, LOG), [ED25519.verifier]) == ()


@settings(max_examples=200)
@given(st.text(st.characters() | st.sampled_from("+=AQBG/0123456789abcdef")) | st.binary().map(lambda data: data.hex()))
def test_no_text_makes_a_key_reader_do_anything_but_refuse(text: str) -> None:
    for reader in (cosignature.log_verifier, cosignature.Verifier.from_vkey):
        try:
            reader(text)
        except LicetError:
            continue


@settings(max_examples=100)
@given(st.binary(max_size=100) | st.binary(min_size=2428, max_size=2428) | st.binary(min_size=72, max_size=72))
def test_no_bytes_pass_for_a_cosignature(value: bytes) -> None:
    for signer in (ED25519, MLDSA44):
        with pytest.raises(VerificationError):
            signer.verifier.verify(checkpoints.encode(STATED), value)
