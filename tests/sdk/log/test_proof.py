"""Proof files: one entry, one log, offline; one negative case per way such a file can lie."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import LicetError, MalformedError, VerificationError
from licet.log import checkpoint as checkpoints
from licet.log import merkle, note
from licet.log import proof as proofs
from licet.log.checkpoint import Checkpoint
from licet.log.proof import Proof

ENTRIES = [f"entry {number}".encode() for number in range(21)]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]
LOG = note.Signer("log.example/main", b"\x01" * 32)
WITNESS = note.Signer("witness.example", b"\x02" * 32)


@dataclass(frozen=True)
class Log:
    """A log of the first ``size`` entries."""

    size: int
    signer: note.Signer = LOG
    origin: str = "log.example/main"

    def head(self) -> str:
        head = Checkpoint(self.origin, self.size, merkle.root(LEAVES[: self.size]))
        return checkpoints.sign(head, self.signer)

    def prove(self, index: int) -> Proof:
        return Proof(index, tuple(merkle.inclusion_proof(LEAVES[: self.size], index)), self.head())


TRUE = Log(21).prove(10)
TEXT = proofs.encode(TRUE)


@given(st.data())
def test_every_entry_of_every_size_is_proved(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(ENTRIES)))
    index = data.draw(st.integers(0, size - 1))
    text = proofs.encode(Log(size).prove(index))
    head = proofs.verify(proofs.parse(text.encode()), ENTRIES[index], LOG.verifier, closed=True)
    assert (head.origin, head.size) == ("log.example/main", size)


def test_the_file_is_laid_out_as_specified() -> None:
    header, index, *rest = TEXT.split("\n")
    assert header == "c2sp.org/tlog-proof@v1"
    assert index == "index 10"
    assert [base64.b64decode(line) for line in rest[: len(TRUE.hashes)]] == list(TRUE.hashes)
    assert TEXT.endswith("\n\n" + TRUE.checkpoint)
    single = proofs.encode(Log(1).prove(0))
    assert single.startswith("c2sp.org/tlog-proof@v1\nindex 0\n\nlog.example/main\n1\n")
    assert proofs.parse(single).hashes == ()


def test_extra_data_is_carried_and_binds_nothing() -> None:
    extra = msgspec.structs.replace(TRUE, extra=b"\x00\xff")
    text = proofs.encode(extra)
    assert text.startswith("c2sp.org/tlog-proof@v1\nextra AP8=\nindex 10\n")
    assert proofs.parse(text) == extra
    assert proofs.verify(extra, ENTRIES[10], LOG.verifier).size == 21


def flip(value: bytes) -> bytes:
    return bytes([value[0] ^ 0x80]) + value[1:]


def lie(**fields: object) -> Proof:
    return msgspec.structs.replace(TRUE, **fields)


@pytest.mark.parametrize(
    "false",
    [
        pytest.param(lie(index=11), id="other index"),
        pytest.param(lie(index=21), id="index at the size"),
        pytest.param(lie(index=2**62), id="index far away"),
        pytest.param(lie(checkpoint=Log(20).head()), id="other size"),
        pytest.param(lie(checkpoint=TRUE.checkpoint.replace("\n21\n", "\n20\n")), id="size edited"),
        pytest.param(
            lie(checkpoint=checkpoints.sign(Checkpoint("log.example/main", 21, bytes(32)), LOG)), id="other root"
        ),
        pytest.param(lie(hashes=TRUE.hashes[:-1]), id="truncated"),
        pytest.param(lie(hashes=TRUE.hashes[1:]), id="beheaded"),
        pytest.param(lie(hashes=()), id="no hashes"),
        pytest.param(lie(hashes=(*TRUE.hashes, TRUE.hashes[0])), id="extra hash"),
        pytest.param(lie(hashes=(TRUE.hashes[0], *TRUE.hashes)), id="extra hash in front"),
        pytest.param(lie(hashes=TRUE.hashes[::-1]), id="reversed"),
        pytest.param(lie(hashes=(flip(TRUE.hashes[0]), *TRUE.hashes[1:])), id="flipped bit"),
        pytest.param(lie(checkpoint=Log(21, note.Signer("log.example/main", b"\x09" * 32)).head()), id="wrong key"),
        pytest.param(lie(checkpoint=Log(21, origin="log.example/fork").head()), id="wrong origin"),
        pytest.param(lie(checkpoint=Log(21, WITNESS).head()), id="no signature by the log"),
        pytest.param(Log(21).prove(9), id="true proof of another entry"),
    ],
)
def test_false_proofs_are_refused(false: Proof) -> None:
    with pytest.raises(VerificationError):
        proofs.verify(proofs.parse(proofs.encode(false)), ENTRIES[10], LOG.verifier)


def test_the_proof_is_of_the_entry_and_not_of_its_hash() -> None:
    proofs.verify(TRUE, ENTRIES[10], LOG.verifier)
    for entry in (ENTRIES[10] + b"\x00", LEAVES[10], b"", LEAVES[10] + TRUE.hashes[0]):
        with pytest.raises(VerificationError):
            proofs.verify(TRUE, entry, LOG.verifier)


def test_a_foreign_signature_line_is_refused_where_the_reader_says_closed() -> None:
    head = Checkpoint("log.example/main", 21, merkle.root(LEAVES))
    witnessed = lie(checkpoint=checkpoints.sign(head, LOG, WITNESS))
    assert proofs.verify(witnessed, ENTRIES[10], LOG.verifier) == head
    with pytest.raises(VerificationError):
        proofs.verify(witnessed, ENTRIES[10], LOG.verifier, closed=True)
    known = (WITNESS.verifier,)
    assert proofs.verify(witnessed, ENTRIES[10], LOG.verifier, witnesses=known, closed=True) == head


HASH_LINE = base64.b64encode(TRUE.hashes[0]).decode() + "\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(TEXT.replace("@v1", "@v2"), id="another version"),
        pytest.param("\n" + TEXT, id="blank line in front"),
        pytest.param(TEXT.replace("\n", "\r\n"), id="carriage returns"),
        pytest.param(TEXT.replace("index 10\n", ""), id="no index"),
        pytest.param(TEXT.replace("index 10", "index 010"), id="leading zero"),
        pytest.param(TEXT.replace("index 10", "index -10"), id="negative index"),
        pytest.param(TEXT.replace("index 10", "index  10"), id="two spaces"),
        pytest.param(TEXT.replace("index 10", "index 9223372036854775808"), id="index of 64 bits"),
        pytest.param(TEXT.replace("index 10\n", "index 10\nindex 10\n"), id="index twice"),
        pytest.param(TEXT.replace("index 10\n", "index 10\nextra AA==\n"), id="extra after the index"),
        pytest.param(TEXT.replace("index", "extra \nindex"), id="empty extra"),
        pytest.param(TEXT.replace("index", "extra AA\nindex"), id="unpadded extra"),
        pytest.param(TEXT.replace("index", "extra AA==\nextra AA==\nindex"), id="extra twice"),
        pytest.param(TEXT.replace("index", f"extra {'A' * 100_000}\nindex"), id="huge extra"),
        pytest.param(TEXT.replace(HASH_LINE, HASH_LINE[:-2] + "\n"), id="unpadded hash"),
        pytest.param(TEXT.replace(HASH_LINE, "AAAA\n"), id="short hash"),
        pytest.param(TEXT.replace(HASH_LINE, HASH_LINE * 64), id="64 hashes"),
        pytest.param(TEXT.replace("\n\n", "\n", 1), id="no blank line"),
        pytest.param(TEXT.replace("\n\n", "\n\n\n", 1), id="two blank lines"),
        pytest.param(TEXT.partition("\n\n")[0] + "\n\n", id="no checkpoint"),
        pytest.param(TEXT[:-1], id="no final newline"),
        pytest.param(TEXT + "\n", id="trailing newline"),
        pytest.param(TEXT.replace("\n21\n", "\n021\n"), id="unfit checkpoint"),
        pytest.param(TEXT.replace("index", "\ud800index"), id="surrogate"),
        pytest.param("c2sp.org/tlog-proof@v1\n" + "A" * 2_000_000, id="too large"),
    ],
)
def test_a_proof_file_has_one_spelling(text: str) -> None:
    with pytest.raises(MalformedError):
        proofs.parse(text)


@pytest.mark.parametrize(
    "unfit", [lie(index=-1), lie(hashes=(b"short",)), lie(checkpoint="no note"), lie(hashes=TRUE.hashes * 20)]
)
def test_an_unfit_proof_is_not_written(unfit: Proof) -> None:
    with pytest.raises(MalformedError):
        proofs.encode(unfit)


@given(st.data())
def test_any_edit_of_the_file_raises_only_our_errors_or_changes_nothing(data: st.DataObject) -> None:
    raw = bytearray(TEXT.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    try:
        parsed = proofs.parse(bytes(raw))
        head = proofs.verify(parsed, ENTRIES[10], LOG.verifier)
    except LicetError:
        return
    assert proofs.encode(parsed).encode() == bytes(raw)
    assert (head.size, parsed.index, parsed.hashes) == (21, 10, TRUE.hashes)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_foreign_text_raises_only_malformed(data: bytes | str) -> None:
    for parse in (proofs.parse, note.parse):
        with pytest.raises(MalformedError):
            parse(data)
    with pytest.raises(MalformedError):
        note.Verifier.from_vkey(data if isinstance(data, str) else data.decode("latin-1"))
    with pytest.raises(MalformedError):
        checkpoints.parse(data if isinstance(data, str) else data.decode("latin-1"))
