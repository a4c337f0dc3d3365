"""Signed notes: the examples of signed-note, and every way a note can lie."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError, MalformedError, VerificationError
from licet.log import note

FOO_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
FOO_NOTE = (
    "This is an example message.\n\n— example.com/foo"
    " Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
QUASIMODO_NOTE = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore"
    " NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)

ALICE = note.Signer("example.com/alice", b"\x01" * 32)
BOB = note.Signer("example.com/bob", b"\x02" * 32)
TEXT = "one\n\ntwo\n"
SIGNED = note.sign(TEXT, ALICE, BOB)


def line(name: str, payload: bytes) -> str:
    return f"— {name} {base64.b64encode(payload).decode()}\n"


def test_the_example_of_the_specification_verifies() -> None:
    verifier = note.Verifier.from_vkey(FOO_KEY)
    opened = note.verify(FOO_NOTE, [verifier])
    assert opened.text == "This is an example message.\n"
    assert [signature.name for signature in opened.signatures] == ["example.com/foo"]
    assert verifier.vkey == FOO_KEY
    with pytest.raises(VerificationError):
        note.verify(FOO_NOTE.replace("example m", "example  m"), [verifier])


def test_text_may_hold_blank_lines_and_any_script() -> None:
    parsed = note.parse(QUASIMODO_NOTE.encode())
    assert parsed.text.endswith("\n\ned è subito sera.\n")
    assert parsed.signatures[0].name == "quasimodo.example/salvatore"
    assert parsed.signatures[0].key_id.hex() == "367ba04b"
    assert note.serialise(parsed) == QUASIMODO_NOTE


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n")).map(lambda text: text + "\n"))
def test_what_is_signed_is_what_is_opened(text: str) -> None:
    signed = note.sign(text, ALICE, BOB)
    assert note.parse(signed).text == text
    assert note.serialise(note.parse(signed)) == signed
    assert note.verify(signed.encode(), [BOB.verifier]).text == text
    assert len(note.verify(signed, [ALICE.verifier, BOB.verifier], closed=True).signatures) == 2


def test_lines_of_unknown_keys_are_passed_over_unless_closed() -> None:
    opened = note.verify(SIGNED, [ALICE.verifier])
    assert [signature.name for signature in opened.signatures] == ["example.com/alice"]
    with pytest.raises(VerificationError, match="unknown key"):
        note.verify(SIGNED, [ALICE.verifier], closed=True)
    unknown_algorithm = SIGNED + line("example.com/alice", b"\x06" * 2432)
    assert note.verify(unknown_algorithm, [ALICE.verifier]).text == TEXT


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(SIGNED.replace("two", "tvo"), id="changed text"),
        pytest.param(SIGNED.replace("one\n\n", "one\n\n\n"), id="added blank line"),
        pytest.param(TEXT + "\n" + line(ALICE.name, ALICE.verifier.key_id + b"\x00" * 64), id="zero signature"),
        pytest.param(
            TEXT + "\n" + line(ALICE.name, ALICE.verifier.key_id + BOB.sign(TEXT).value), id="other's signature"
        ),
        pytest.param(
            TEXT + "\n" + line(ALICE.name, ALICE.verifier.key_id + ALICE.sign(TEXT).value[:-1]), id="truncated"
        ),
        pytest.param(
            TEXT + "\n" + line(ALICE.name, ALICE.verifier.key_id + ALICE.sign(TEXT).value + b"\x00"), id="longer"
        ),
        pytest.param(SIGNED + line(ALICE.name, ALICE.verifier.key_id + b"\x01" * 64), id="true and then false"),
        pytest.param(TEXT + "\n" + line(ALICE.name, BOB.verifier.key_id + ALICE.sign(TEXT).value), id="another key id"),
        pytest.param(TEXT + "\n" + line(BOB.name, ALICE.verifier.key_id + ALICE.sign(TEXT).value), id="another name"),
        pytest.param(note.sign(TEXT, BOB), id="signed by somebody else only"),
    ],
)
def test_false_notes_are_refused(lie: str) -> None:
    with pytest.raises(VerificationError):
        note.verify(lie, [ALICE.verifier])


def test_nobody_trusted_means_nothing_verified() -> None:
    with pytest.raises(VerificationError, match="expected a signature by nobody"):
        note.verify(SIGNED, [])


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"text\n", id="no signatures"),
        pytest.param(b"text\n\n", id="no signature lines"),
        pytest.param(SIGNED.encode()[:-1], id="no final newline"),
        pytest.param(SIGNED.encode() + b"\n", id="blank line at the end"),
        pytest.param(SIGNED.encode() + b"more\n", id="other line at the end"),
        pytest.param(SIGNED.encode().replace(b"\n", b"\r\n"), id="carriage returns"),
        pytest.param(SIGNED.encode().replace(b"two", b"t\tw"), id="tab"),
        pytest.param(SIGNED.encode().replace(b"two", b"t\x00w"), id="null"),
        pytest.param(SIGNED.encode().replace(b"two", b"t\xffw"), id="not UTF-8"),
        pytest.param(SIGNED.encode().replace(b"two", b"\xed\xa0\x80"), id="surrogate"),
        pytest.param(SIGNED.replace("— ", "- ").encode(), id="hyphen for the dash"),
        pytest.param(SIGNED.replace("— ", "—").encode(), id="no space after the dash"),
        pytest.param(SIGNED.replace("alice ", "alice  ").encode(), id="two spaces"),
        pytest.param(SIGNED.replace("alice", "al+ice").encode(), id="plus in the name"),
        pytest.param(SIGNED.replace("alice", "al\u00a0ice").encode(), id="unicode space in the name"),
        pytest.param(SIGNED.replace("example.com/alice", "").encode(), id="empty name"),
        pytest.param(SIGNED.replace("=\n", "\n").encode(), id="unpadded base64"),
        pytest.param((TEXT + "\n— a QQAAAA==\n").encode(), id="no signature after the key id"),
        pytest.param((TEXT + "\n— a \n").encode(), id="no base64"),
        pytest.param((TEXT + "\n" + line("a", b"12345") * 101).encode(), id="too many signatures"),
        pytest.param(b"x" * 1_000_000 + b"\n\n" + line("a", b"12345").encode(), id="too large"),
    ],
)
def test_what_is_not_a_note_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        note.parse(data)


def test_a_hundred_signatures_fit() -> None:
    assert len(note.parse(TEXT + "\n" + line("a", b"12345") * 100).signatures) == 100


@pytest.mark.parametrize(
    "key",
    [
        "",
        "example.com/foo",
        FOO_KEY.replace("530d903a", "530d903b"),
        FOO_KEY.replace("530d903a", "530D903A"),
        FOO_KEY.replace("530d903a", ""),
        FOO_KEY.replace("foo", "fo o"),
        FOO_KEY.replace("foo", "bar"),
        FOO_KEY.replace("+Ae", "+Be"),
        FOO_KEY[:-4],
        FOO_KEY + "=",
        "é+" + FOO_KEY,
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ],
)
def test_a_verifier_key_has_one_spelling(key: str) -> None:
    with pytest.raises(MalformedError):
        note.Verifier.from_vkey(key)


@given(st.binary(min_size=32, max_size=32), st.text("az09./é-", min_size=1, max_size=20))
def test_verifier_keys_survive_a_round_trip(seed: bytes, name: str) -> None:
    verifier = note.Signer(name, seed).verifier
    again = note.Verifier.from_vkey(verifier.vkey)
    assert (again.name, again.key_id, again.public_key) == (name, verifier.key_id, verifier.public_key)
    assert verifier.key_id == note.key_id(name, 1, verifier.public_key)


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "\ud800\n"])
def test_text_that_no_note_can_carry_is_not_signed(text: str) -> None:
    with pytest.raises(InputError):
        note.sign(text, ALICE)


def test_unfit_keys_and_empty_notes_are_refused() -> None:
    with pytest.raises(MalformedError):
        note.Signer("a", b"short")
    with pytest.raises(MalformedError):
        note.Signer("a b", b"\x00" * 32)
    with pytest.raises(MalformedError):
        note.Verifier("a", b"\x00" * 31)
    with pytest.raises(InputError):
        note.sign(TEXT)
