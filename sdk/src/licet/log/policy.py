"""Trust policies (C2SP tlog-policy): which logs are known, and which cosignatures make a checkpoint valid.

::

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <name>...
    quorum <name>|none

Names are opaque octets and mean nothing outside of their file. A file that breaks any rule is refused as a whole, with
the number of the line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from licet.errors import LicetError, MalformedError, VerificationError
from licet.log import checkpoint as checkpoints
from licet.log import cosignature, note
from licet.log.keys import LogKeys, Span

MAX_BYTES: Final = 1 << 20
MAX_LOGS: Final = 256
MAX_WITNESSES: Final = 256
MAX_GROUPS: Final = 256
NONE: Final = "none"

LogKey = note.Verifier | cosignature.Verifier
AnyLog = LogKey | LogKeys

_SPACE: Final = re.compile(r"[ \t]+")
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_COUNT: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


class Log(msgspec.Struct, frozen=True):
    """A log whose checkpoints are accepted; the key's name is its origin."""

    verifier: LogKey
    url: str | None


class Witness(msgspec.Struct, frozen=True):
    """A witness under the name that groups use; ``url`` is its submission prefix."""

    name: str
    verifier: cosignature.Verifier
    url: str | None


class Group(msgspec.Struct, frozen=True):
    """A group that has witnessed a checkpoint once ``threshold`` of its ``members`` have."""

    name: str
    threshold: int
    members: tuple[str, ...]


class Judgement(msgspec.Struct, frozen=True):
    """A checkpoint that satisfies a policy: whose it is, and which witnesses' lines hold, by the policy's names."""

    checkpoint: checkpoints.Checkpoint
    log: note.NoteVerifier
    witnesses: tuple[str, ...]


class Policy:
    """What one policy file says. Groups name only what stands before them, so there are no circles."""

    __slots__ = ("groups", "logs", "quorum", "witnesses")

    def __init__(
        self, logs: tuple[Log, ...], witnesses: Mapping[str, Witness], groups: Mapping[str, Group], quorum: str
    ) -> None:
        self.logs: Final = logs
        self.witnesses: Final = dict(witnesses)
        self.groups: Final = dict(groups)
        self.quorum: Final = quorum

    def check(self, data: bytes | str, *, log: AnyLog | None = None) -> Judgement:
        """Return what makes the checkpoint ``data``, a signed note, valid under this policy.

        It is signed by one of the policy's logs; where ``log`` is given, by a key of it that counts at this size, one
        that the policy names unless it names no log. A policy that names the log's ML-DSA-44 key alone asks for that.
        The quorum has cosigned it. Lines of unknown keys are passed over; a false line of a known key refuses the
        whole. Raises ``VerificationError`` that says what is missing and ``MalformedError`` for what is no checkpoint.
        """
        parsed = note.parse(data)
        checkpoint = checkpoints.parse(parsed.text, extensions=True)
        signers: list[note.NoteVerifier] = [each.verifier for each in self.logs]
        if log is not None:
            signers = self._of(log, checkpoint)
        signers = [each for each in signers if each.name == checkpoint.origin]
        if not signers:
            raise VerificationError(f"expected a checkpoint of a log of the policy, got one of {checkpoint.origin}")
        known: list[note.NoteVerifier] = [*signers, *(each.verifier for each in self.witnesses.values())]
        held = {(line.name, line.key_id) for line in note.verify(data, known).signatures}
        signed = [each for each in signers if (each.name, each.key_id) in held]
        if not signed:
            raise VerificationError(f"expected a signature by the log {checkpoint.origin}, got none")
        present = tuple(
            name for name, each in self.witnesses.items() if (each.verifier.name, each.verifier.key_id) in held
        )
        if not self.quorum_of(present):
            got = ", ".join(map(printable, present)) or "nobody"
            raise VerificationError(
                f"the policy's quorum {printable(self.quorum)} is not met at size {checkpoint.size}: cosigned by {got}",
                size=checkpoint.size,
            )
        return Judgement(checkpoint, signed[0], present)

    def _of(self, log: AnyLog, checkpoint: checkpoints.Checkpoint) -> list[note.NoteVerifier]:
        """Return the keys of ``log`` that may sign ``checkpoint``: those that the policy names, where it names any."""
        keys = log if isinstance(log, LogKeys) else LogKeys(log.name, [Span(log, 0)])
        if not self.logs:
            return keys.sufficient(checkpoint.size)
        named = {each.verifier.vkey for each in self.logs}
        if all(span.key.vkey not in named for span in keys.spans):
            raise VerificationError(f"expected a policy that names the log key {keys.vkey:.120}, got one that does not")
        return [each for each in keys.at(checkpoint.size) if each.vkey in named]

    def satisfied_by(self, data: bytes | str, *, log: AnyLog | None = None) -> bool:
        """Whether `check` finds nothing missing in the checkpoint ``data``; what is no checkpoint does not satisfy."""
        try:
            self.check(data, log=log)
        except LicetError:
            return False
        return True

    def quorum_of(self, present: tuple[str, ...] | list[str] | set[str]) -> bool:
        """Whether cosignatures by the witnesses ``present``, by the policy's names, are enough."""
        witnessed = {name for name in present if name in self.witnesses}
        for group in self.groups.values():
            if sum(member in witnessed for member in group.members) >= group.threshold:
                witnessed.add(group.name)
        return self.quorum == NONE or self.quorum in witnessed


def parse(data: bytes | str) -> Policy:
    """Return the policy that this file states.

    Raises ``MalformedError`` with the number of the first line that tlog-policy does not allow, for a file without
    exactly one quorum, and for more than 1 MiB or 256 logs, witnesses or groups.
    """
    try:
        raw = data if isinstance(data, bytes) else data.encode()
    except UnicodeEncodeError:
        raise MalformedError("expected a policy that UTF-8 can carry, got a lone surrogate") from None
    if len(raw) > MAX_BYTES:
        raise MalformedError(f"expected a policy of at most {MAX_BYTES} bytes, got {len(raw)}")
    reader = _Reader()
    lines = raw.split(b"\n")
    if lines.pop():
        raise MalformedError(f"policy line {len(lines) + 1}: expected a newline at its end, got the end of the file")
    for number, line in enumerate(lines, 1):
        try:
            reader.read(line)
        except MalformedError as error:
            raise MalformedError(f"policy line {number}: {error.message}", line=number) from None
    return reader.policy()


def looks_like(data: bytes) -> bool:
    """Whether ``data`` is meant as a policy rather than as JSON: which error to show for a file that is neither."""
    return not data.lstrip().startswith((b"{", b"["))


def printable(name: str) -> str:
    """Return a name of the policy as it can be shown: octets that are no UTF-8 become question marks."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class _Reader:
    """The state of a policy between two lines."""

    def __init__(self) -> None:
        self.logs: list[Log] = []
        self.witnesses: dict[str, Witness] = {}
        self.groups: dict[str, Group] = {}
        self.grouped: set[str] = set()
        self.quorum: str | None = None

    def read(self, line: bytes) -> None:
        if found := _CONTROL.search(line):
            raise MalformedError(f"expected no control characters but tab, got {found[0]!r}")
        text = line.decode("utf-8", "surrogateescape").strip(" \t")
        if not text or text.startswith("#"):
            return
        keyword, *items = _SPACE.split(text)
        match keyword, items:
            case "log", [vkey, *url] if len(url) <= 1:
                self._log(vkey, url)
            case "witness", [name, vkey, *url] if len(url) <= 1:
                self._witness(name, vkey, url)
            case "group", [name, threshold, *members] if members:
                self._group(name, threshold, members)
            case "quorum", [name]:
                self._quorum(name)
            case (("log" | "witness" | "group" | "quorum"), _):
                raise MalformedError(f"expected {_SHAPES[keyword]!r}, got {printable(text)!r:.120}")
            case _:
                raise MalformedError(f"expected log, witness, group or quorum, got {printable(keyword)!r:.80}")

    def policy(self) -> Policy:
        if self.quorum is None:
            raise MalformedError("expected a policy with a quorum line, got none")
        return Policy(tuple(self.logs), self.witnesses, self.groups, self.quorum)

    def _log(self, vkey: str, url: list[str]) -> None:
        verifier = cosignature.log_verifier(_utf8(vkey))
        if any(each.verifier.public_key == verifier.public_key for each in self.logs):
            raise MalformedError(f"expected each log's key once, got that of {verifier.name} again")
        if len(self.logs) == MAX_LOGS:
            raise MalformedError(f"expected at most {MAX_LOGS} logs, got more")
        self._no_twin(verifier)
        self.logs.append(Log(verifier, url[0] if url else None))

    def _witness(self, name: str, vkey: str, url: list[str]) -> None:
        self._new(name)
        verifier = cosignature.Verifier.from_vkey(_utf8(vkey))
        if any(each.verifier.public_key == verifier.public_key for each in self.witnesses.values()):
            raise MalformedError(f"expected each witness's key once, got that of {verifier.name} again")
        if len(self.witnesses) == MAX_WITNESSES:
            raise MalformedError(f"expected at most {MAX_WITNESSES} witnesses, got more")
        self._no_twin(verifier)
        self.witnesses[name] = Witness(name, verifier, url[0] if url else None)

    def _group(self, name: str, threshold: str, members: list[str]) -> None:
        self._new(name)
        if len(self.groups) == MAX_GROUPS:
            raise MalformedError(f"expected at most {MAX_GROUPS} groups, got more")
        for member in members:
            if member not in self.witnesses and member not in self.groups:
                raise MalformedError(f"expected a member defined on a line before, got {printable(member)!r:.80}")
            if member in self.grouped:
                raise MalformedError(f"expected each name in one group, once, got {printable(member)!r:.80} again")
            self.grouped.add(member)
        needed = {"any": 1, "all": len(members)}.get(threshold)
        if needed is None:
            if not _COUNT.fullmatch(threshold) or int(threshold) > len(members):
                got = printable(threshold)
                raise MalformedError(f"expected any, all or a number from 1 to {len(members)}, got {got!r:.40}")
            needed = int(threshold)
        self.groups[name] = Group(name, needed, tuple(members))

    def _quorum(self, name: str) -> None:
        if self.quorum is not None:
            raise MalformedError("expected one quorum line, got another")
        if name != NONE and name not in self.witnesses and name not in self.groups:
            raise MalformedError(f"expected a quorum defined on a line before, got {printable(name)!r:.80}")
        self.quorum = name

    def _new(self, name: str) -> None:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise MalformedError(f"expected a new name, got {printable(name)!r:.80}, which has a meaning already")

    def _no_twin(self, verifier: LogKey) -> None:
        """Two keys that no signature line can tell apart would let one stand for the other."""
        twins = [*(each.verifier for each in self.logs), *(each.verifier for each in self.witnesses.values())]
        if any((each.name, each.key_id) == (verifier.name, verifier.key_id) for each in twins):
            raise MalformedError(f"expected keys that differ in name or id, got {verifier.name} twice")


_SHAPES: Final = {
    "log": "log VKEY [URL]",
    "witness": "witness NAME VKEY [URL]",
    "group": "group NAME all|any|K NAME...",
    "quorum": "quorum NAME|none",
}


def _utf8(vkey: str) -> str:
    try:
        vkey.encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedError(f"expected a verifier key in UTF-8, got {printable(vkey)!r:.80}") from None
    return vkey
