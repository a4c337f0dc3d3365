"""Checkpoints: the example of tlog-checkpoint, one spelling, and every way one can lie."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import MalformedError, VerificationError
from licet.log import checkpoint as checkpoints
from licet.log import note
from licet.log.checkpoint import Checkpoint

EXAMPLE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa"
    " Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
LOG = note.Signer("log.example/main", b"\x01" * 32)
WITNESS = note.Signer("witness.example", b"\x02" * 32)
HEAD = Checkpoint("log.example/main", 42, bytes(range(32)))
BODY = checkpoints.encode(HEAD)
SIGNED = checkpoints.sign(HEAD, LOG)


def test_the_example_of_the_specification_parses() -> None:
    head = checkpoints.parse(note.parse(EXAMPLE).text)
    assert (head.origin, head.size) == ("example.com/behind-the-sofa", 20852163)
    assert EXAMPLE.startswith(checkpoints.encode(head))


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_a_signed_checkpoint_opens_to_itself(size: int, root: bytes) -> None:
    head = Checkpoint("log.example/main", size, root)
    assert checkpoints.parse(checkpoints.encode(head)) == head
    assert checkpoints.open(checkpoints.sign(head, LOG), LOG.verifier, closed=True) == head


def test_witnesses_may_add_lines_and_known_ones_must_hold() -> None:
    both = checkpoints.sign(HEAD, LOG, WITNESS)
    assert checkpoints.open(both, LOG.verifier) == HEAD
    assert checkpoints.open(both, LOG.verifier, witnesses=(WITNESS.verifier,), closed=True) == HEAD
    assert checkpoints.open(SIGNED, LOG.verifier, witnesses=(WITNESS.verifier,)) == HEAD
    with pytest.raises(VerificationError):
        checkpoints.open(both, LOG.verifier, closed=True)
    false = note.Signature(WITNESS.name, WITNESS.verifier.key_id, b"\x00" * 64)
    broken = note.serialise(note.Note(BODY, (LOG.sign(BODY), false)))
    with pytest.raises(VerificationError):
        checkpoints.open(broken, LOG.verifier, witnesses=(WITNESS.verifier,))


OTHER_ORIGIN = Checkpoint("log.example/other", 42, bytes(32))


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(SIGNED.replace("\n42\n", "\n43\n"), id="another size"),
        pytest.param(SIGNED.replace("AAEC", "AAED", 1), id="another root"),
        pytest.param(checkpoints.sign(OTHER_ORIGIN, LOG), id="true signature on another origin"),
        pytest.param(SIGNED.replace("log.example/main\n42", "log.example/mair\n42"), id="changed origin"),
        pytest.param(
            checkpoints.sign(HEAD, note.Signer("log.example/main", b"\x03" * 32)), id="another key of the name"
        ),
        pytest.param(checkpoints.sign(HEAD, WITNESS), id="signed by a witness only"),
    ],
)
def test_false_checkpoints_are_refused(lie: str) -> None:
    with pytest.raises(VerificationError):
        checkpoints.open(lie, LOG.verifier)
    with pytest.raises(VerificationError):
        checkpoints.open(lie, LOG.verifier, witnesses=(WITNESS.verifier,))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\n\n\n",
        BODY[:-1],
        BODY + "extension\n",
        BODY + "\n",
        BODY.replace("\n42\n", "\n042\n"),
        BODY.replace("\n42\n", "\n+42\n"),
        BODY.replace("\n42\n", "\n-1\n"),
        BODY.replace("\n42\n", "\n 42\n"),
        BODY.replace("\n42\n", "\n٤٢\n"),
        BODY.replace("\n42\n", "\n4_2\n"),
        BODY.replace("\n42\n", "\n\n"),
        BODY.replace("\n42\n", "\n9223372036854775808\n"),
        BODY.replace("\n42\n", f"\n{'9' * 100_000}\n"),
        BODY.replace("=", ""),
        BODY.replace("=", "=="),
        BODY.replace("AAEC", ""),
        BODY.replace("log.example/main", ""),
        BODY.replace("log.example/main", "log example"),
        BODY.replace("log.example/main", "l" * 256),
    ],
)
def test_a_checkpoint_has_one_spelling(body: str) -> None:
    with pytest.raises(MalformedError):
        checkpoints.parse(body)
    if body.endswith("\n"):
        with pytest.raises(MalformedError):
            checkpoints.open(note.sign(body, LOG), LOG.verifier)


@pytest.mark.parametrize(
    "head",
    [
        Checkpoint("a b", 1, bytes(32)),
        Checkpoint("a", -1, bytes(32)),
        Checkpoint("a", 2**63, bytes(32)),
        Checkpoint("a", 1, bytes(31)),
    ],
)
def test_a_checkpoint_that_cannot_be_is_not_signed(head: Checkpoint) -> None:
    with pytest.raises(MalformedError):
        checkpoints.sign(head, LOG)
