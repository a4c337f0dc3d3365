"""What is said of a request, in the order of the log: each thing that could not be said any more is found."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from licet.audit.checks.asked import Talk
from licet.audit.checks.signed import Signed
from licet.errors import VerificationError
from licet.statements import kinds
from tests.sdk.audit.stage import identifier
from tests.sdk.audit.test_agreed import ADA, LAB, T, answer, reply, request

FIRST, SECOND = "1" * 64, "2" * 64
MEI = identifier("art", "Mei")


def offer(index: int, document: str = FIRST) -> Signed:
    return answer(document, index)


def bare(index: int, said: str) -> Signed:
    """Return an answer without a price."""
    return answer(f"{said} {index}", index, answer=said, price=None, offered_until=None)


def talked(*said: Signed) -> Talk:
    talk = Talk(request())
    for each in said:
        talk.take(each)
    return talk


@pytest.mark.parametrize(
    ("said", "ended"),
    [
        ([], 0),
        ([offer(20), offer(30, SECOND)], 0),
        ([offer(20), bare(30, "refuse"), offer(40, SECOND)], 0),
        ([offer(20), bare(30, "withdraw"), offer(40, SECOND), bare(50, "withdraw")], 2),
        ([offer(20), reply(30, FIRST), offer(40, SECOND), reply(50, SECOND)], 2),
        ([offer(20), reply(30, FIRST), bare(40, "refuse"), reply(50, None)], 2),
        ([reply(30, None)], 1),
    ],
)
def test_what_could_be_said_holds(said: list[Signed], ended: int):
    assert talked(*said).ended == ended


LIES: dict[str, tuple[list[Signed], str]] = {
    "an answer to what was taken back": ([reply(30, None), offer(40)], "which entry 30 took back, got entry 40"),
    "a refusal of what was taken back": ([reply(30, None), bare(40, "refuse")], "took back"),
    "a request that is taken back twice": ([reply(30, None), reply(40, None)], "took back"),
    "an offer that was never made is taken back": ([bare(30, "withdraw")], "got none before it"),
    "an offer that is taken back twice": ([offer(20), bare(30, "withdraw"), bare(40, "withdraw")], "got none before"),
    "one that was declined is taken back": ([offer(20), reply(30, FIRST), bare(40, "withdraw")], "got none before"),
    "an offer that was never made is declined": ([reply(30, FIRST)], "to decline the last offer"),
    "an offer before the last is declined": ([offer(20), offer(30, SECOND), reply(40, FIRST)], "the last offer"),
    "an offer that is declined twice": ([offer(20), reply(30, FIRST), reply(40, FIRST)], "the last offer"),
    "a refusal that is declined": ([bare(20, "refuse"), reply(30, FIRST)], "the last offer"),
    "the answer of somebody else": ([answer(FIRST, 20, account=MEI)], f"expected an answer of {ADA}"),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_could_not_be_said_any_more_is_found(lie: str):
    said, words = LIES[lie]
    with pytest.raises(VerificationError, match=words):
        talked(*said)


REPLY: dict[str, Any] = {
    "registry": {"origin": "registry.example/one", "key": "00" * 32}, "request": identifier("ask", "1"), "v": 1,
    "document": FIRST, "organisation": LAB, "genesis": "g", "reply": "decline", "offer": SECOND, "message": "",
    "issued_at": T[3], "nonce": "n", "type": "licence-reply",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"offer": None}, "offer: expected the SHA-256"),
        ({"offer": "x"}, "offer: expected the SHA-256"),
        ({"reply": "withdraw"}, "offer: expected null"),
        ({"reply": "accept"}, "Invalid enum value"),
        ({"message": "x" * 2001}, "message: expected at most 2000"),
        ({"message": "\x07"}, "message: expected printable"),
        ({"price": None}, "unknown field"),
    ],
)
def test_a_reply_says_what_it_ends_and_nothing_else(changes: dict[str, Any], words: str):
    assert msgspec.convert(REPLY, kinds.LicenceReply).offer == SECOND
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(REPLY | changes, kinds.LicenceReply)
