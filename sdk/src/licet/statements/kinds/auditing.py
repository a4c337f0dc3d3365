"""What an evidence bundle holds, and what an auditor has found."""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from licet.statements.kinds.agreements import wrong_text
from licet.statements.kinds.common import VERSION, RegistryRef
from licet.statements.kinds.keys import PublicKey

MOST_ROWS: Final = 100  # that a finding tells of; how many there are it says beside
_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)
_CHECK: Final = re.compile(r"[a-z]{2,20}(-[a-z]{2,20}){0,3}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class BundleMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file in an evidence bundle."""

    name: str
    size: int
    sha256: str


class AuditBundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="audit-bundle"):
    """Every member of an evidence bundle but this manifest, in their order; signed by key ``office``, not logged."""

    registry: RegistryRef
    period: str  # 2026-11
    state: Literal["open", "closed"]
    account: str | None  # whose part it is; null: everything
    uses: bool  # whether uses of the account's own works are shown (below claim level 2: the ledger alone)
    made_at: str
    members: list[BundleMember]
    #: The kinds of statements of which it holds each that the log took, if it is of everything, and ``duties.jsonl``
    #: where duties are listed; once left out.
    covers: list[str] | msgspec.UnsetType = msgspec.UNSET
    v: int = VERSION


class FoundRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of a dataset that was opened and does not hold: what its decision says, and what it is decided now."""

    part: str
    row: int
    recorded: str
    decided: str
    why: str


class AuditFinding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="audit-finding"):
    """What an auditor found not to hold: signed by ``key``, which is the auditor's own, then by the registry's office,
    which vouches that the account ``auditor`` sent it and may look at the books of ``concerns`` in ``period``.

    ``check`` is the name of a check of `licet audit verify`, or ``sample``. ``about`` is the statement that does not
    hold (``dst_…``, ``bat_…``; null: the books of the month), ``document`` the SHA-256 of its payload. Of ``examined``
    things ``failed`` did not hold; ``rows`` are the first of them. ``shown_by`` is the SHA-256 of the file that shows
    it to anybody: rows that were opened, or a bundle.
    """

    registry: RegistryRef
    finding: str  # fnd_…
    auditor: str  # aud_…
    key: PublicKey
    concerns: str  # an organisation or an artist
    period: str  # 2026-11
    check: str
    about: str | None
    document: str | None
    examined: int
    failed: int
    rows: list[FoundRow]
    shown_by: str | None
    summary: str
    issued_at: str
    nonce: str
    v: int = VERSION

    def __post_init__(self) -> None:
        wrong = wrong_text(self.summary, "summary") or self._wrong()
        if wrong is not None:
            raise ValueError(wrong)

    def _wrong(self) -> str | None:
        if not self.summary:
            return "summary: expected words that say what does not hold, got none"
        if not _MONTH.fullmatch(self.period):
            return f"period: expected a month such as 2026-11, got {self.period!r:.40}"
        if not _CHECK.fullmatch(self.check):
            return f"check: expected the name of a check such as event-amounts, got {self.check!r:.80}"
        for name in ("document", "shown_by"):
            value = getattr(self, name)
            if value is not None and not _DIGEST.fullmatch(value):
                return f"{name}: expected a SHA-256 in hex, got {value!r:.80}"
        if not 1 <= self.failed <= self.examined <= 10**12:
            return f"failed: expected 1 to {self.examined} that were examined, got {self.failed}"
        if len(self.rows) > min(self.failed, MOST_ROWS):
            return f"rows: expected at most {min(self.failed, MOST_ROWS)}, got {len(self.rows)}"
        return None
