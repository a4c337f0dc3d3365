"""What the consent domain speaks of inside the service; what travels is in ``licet.wire.works``."""

from __future__ import annotations

from typing import Literal, NamedTuple
from uuid import UUID

from licet.index.records import WorkRecord
from licet.statements.effect import Effect
from licet.statements.envelope import Envelope
from licet.statements.kinds import Consent, WorkUpdate
from licet.terms import Terms
from licet.wire.licensing import RowKeys
from registry.works.types import Keys

Scope = Literal["works", "catalogue"]


class Signer(NamedTuple):
    """The account that a statement is by."""

    account: UUID
    id: str
    name: str
    genesis: str


class Added(NamedTuple):
    """New keys of a work: all of its keys before and after, the digests over them, and the new file as a question."""

    work: UUID
    before: Keys
    after: Keys
    old: bytes
    new: bytes
    asked: RowKeys | None  # None: addresses alone are new


class Checked(NamedTuple):
    """A statement whose every part that does not depend on other statements has been checked."""

    envelope: Envelope
    payload: Consent | WorkUpdate
    keyid: str
    digest: bytes  # SHA-256 of the payload
    scope: Scope
    works: list[UUID]  # by rising id; none for a catalogue
    terms: Terms | None  # None: no consent
    added: list[Added]  # by rising id, of an update of keys
    updates: int  # how many the account had signed when its works were looked at
    shared: bool = False  # the works are of other accounts, and this one is a co-owner of each


class Group(NamedTuple):
    """Works of one account that stand alike: their own terms, the catalogue's (hashes, b"" for none), the initial
    terms pending, a match with somebody else's work before there were any terms; how many they are; and the strictest
    of what their co-owners say."""

    own: bytes
    catalogue: bytes
    pending: bool
    matched: bool
    works: int = 0
    shared: bytes = b""


class Step(NamedTuple):
    """What becomes of a `Group`: the columns of ``work_states``. ``speaks``: the new statement is the one in force;
    ``waits``: part of it is on hold here."""

    group: Group
    own: bytes
    catalogue: bytes
    terms: bytes
    speaks: bool
    waits: bool
    pending: bool


class Plan(NamedTuple):
    """What a statement does: its label, what becomes of each group, and every terms object that is named."""

    effect: Effect
    steps: list[Step]
    terms: dict[bytes, Terms]

    @property
    def waits(self) -> bool:
        return any(step.waits for step in self.steps)


class Change(NamedTuple):
    """The state of a work as of ``version``. Not ``logged``: its statement has no log index yet, 0 stands for it."""

    record: WorkRecord
    version: int
    logged: bool


class Rival(NamedTuple):
    """A contested work and another one, of ``account``, that claims the same picture: the strictest of both applies."""

    work: UUID
    rival: UUID
    account: UUID


class Wanted(NamedTuple):
    """Which of one's own works a list holds; None where it does not matter. ``state`` is one of the wire's STATES."""

    q: str | None = None
    external_id: str | None = None
    tag: str | None = None
    withdrawn: bool | None = None
    mode: str | None = None
    state: str | None = None


class Due(NamedTuple):
    """A statement whose hold is over somewhere."""

    statement: UUID
    account: UUID
