"""Cosignatures by witnesses (C2SP tlog-witness): who has to have seen a checkpoint before everybody does.

The operator's policy (C2SP tlog-policy) names the witnesses, where they are asked, and the quorum. All are asked at
once; each remembers the size it cosigned last and takes a consistency proof from there, so nothing is kept here. A
witness that cosigned more than the database holds is how a database from the past is noticed on a new machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import httpx
import msgspec
import structlog

from licet.errors import LicetError
from licet.log import checkpoint as checkpoints
from licet.log import note, policy, witnessing
from licet.log.keys import LogKeys
from registry.database import Database
from registry.errors import StartError, Unavailable
from registry.translog.tree import consistency_proof

TIMEOUT: Final = 5.0  # seconds for one witness, whatever it does
_ROUNDS: Final = 3  # the size that a witness states may have moved by the next request

log = structlog.get_logger("registry.translog")


class Absent(msgspec.Struct, frozen=True):
    """A witness that did not cosign, and why."""

    name: str
    why: str


class Cosigning(msgspec.Struct, frozen=True):
    """What the witnesses made of one checkpoint: with their lines, whether the quorum is met, and who is missing."""

    checkpoint: str
    satisfied: bool
    absent: tuple[Absent, ...]


class Quorumless(Unavailable):
    """The policy's quorum has not cosigned; the message names who is missing and why."""

    def __init__(self, cosigning: Cosigning) -> None:
        missing = "; ".join(f"{each.name}: {each.why}" for each in cosigning.absent) or "the policy asks for more"
        super().__init__(f"the witnesses' quorum has not cosigned the checkpoint ({missing:.500})")


class Witnesses:
    """The witnesses of one policy, and a connection to each."""

    def __init__(self, rules: policy.Policy, database: Database, *, timeout: float = TIMEOUT) -> None:
        self.rules: Final = rules
        self._database: Final = database
        self._asked: Final = [each for each in rules.witnesses.values() if each.url]
        self._timeout: Final = timeout
        self._last: dict[str, int] = {}  # the size that each cosigned last, as far as this process knows
        self._http = httpx.AsyncClient(timeout=timeout, follow_redirects=False)

    @classmethod
    def load(cls, path: Path, database: Database) -> Witnesses:
        """Return the witnesses of the policy file ``path``; raises ``StartError`` that says what is wrong with it."""
        try:
            rules = policy.parse(path.read_bytes())
        except OSError as error:
            raise StartError(f"{path}: the witness policy cannot be read: {error.strerror}") from None
        except LicetError as error:
            raise StartError(f"{path}: {error.message}") from None
        if rules.quorum != policy.NONE and not any(each.url for each in rules.witnesses.values()):
            raise StartError(f"{path}: expected a witness with the address to ask it at, got none")
        return cls(rules, database)

    async def cosigned(self, signed: str, log_key: LogKeys) -> Cosigning:
        """Return the signed checkpoint with every cosignature that is to be had now.

        A witness that does not answer, or refuses, is among the absent; no error of one is an error of the call.
        """
        stated = checkpoints.parse(note.parse(signed).text)
        answers = await asyncio.gather(*(self._ask(each, signed, stated.size) for each in self._asked))
        lines = [line for answer in answers if not isinstance(answer, Absent) for line in answer]
        absent = tuple(answer for answer in answers if isinstance(answer, Absent))
        checkpoint = witnessing.with_cosignatures(signed, lines) if lines else signed
        return Cosigning(checkpoint, self.rules.satisfied_by(checkpoint, log=log_key), absent)

    async def largest_seen(self, signed: str) -> tuple[int, str]:
        """Return the largest size that a witness says to have cosigned, and its name; (0, "") where none says more.

        ``signed`` is the newest checkpoint of the database. A witness that cannot be asked says nothing.
        """
        stated = checkpoints.parse(note.parse(signed).text)
        answers = await asyncio.gather(*(self._known(each, signed, stated.size) for each in self._asked))
        return max(answers, default=(0, ""))

    async def close(self) -> None:
        """Give back the connections."""
        await self._http.aclose()

    async def _ask(self, witness: policy.Witness, signed: str, size: int) -> tuple[note.Signature, ...] | Absent:
        name = policy.printable(witness.name)
        old = min(self._last.get(name, 0), size)
        try:
            async with asyncio.timeout(self._timeout):
                for _ in range(_ROUNDS):
                    proof: Sequence[bytes] = []
                    if 0 < old < size:
                        async with self._database.acquire() as conn:
                            proof = await consistency_proof(conn, old, size)
                    answer = await self._post(witness, witnessing.request_body(old, proof, signed), signed)
                    if isinstance(answer, witnessing.Cosigned):
                        self._last[name] = size
                        return answer.lines
                    self._last[name] = old = answer.size
                    if answer.size > size:
                        return Absent(name, f"it cosigned {answer.size} entries already")
            return Absent(name, "its size moves with every request")
        except TimeoutError:
            return Absent(name, f"no answer within {self._timeout:g} s")
        except LicetError as error:
            return Absent(name, error.message)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Absent(name, str(error) or type(error).__name__)

    async def _known(self, witness: policy.Witness, signed: str, size: int) -> tuple[int, str]:
        """From its own size on, a witness cosigns what it has or states what it has; both tell its size."""
        name = policy.printable(witness.name)
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._post(witness, witnessing.request_body(size, [], signed), signed)
        except (TimeoutError, LicetError, httpx.HTTPError, httpx.InvalidURL) as error:
            log.warning("witness.silent", witness=name, error=str(error) or type(error).__name__)
            return 0, ""
        if isinstance(answer, witnessing.OtherSize):
            return answer.size, name
        return size, name

    async def _post(
        self, witness: policy.Witness, body: bytes, signed: str
    ) -> witnessing.Cosigned | witnessing.OtherSize:
        url = witnessing.submission_url(witness.url or "")
        async with self._http.stream("POST", url, content=body, headers={"Content-Type": "text/plain"}) as answer:
            content = b""
            async for piece in answer.aiter_bytes():
                content += piece
                if len(content) > witnessing.MAX_ANSWER:
                    break
        return witnessing.read_answer(
            answer.status_code, answer.headers.get("content-type"), content, [witness.verifier], signed
        )
