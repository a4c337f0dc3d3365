"""What a work costs for a use, here and now: one line of a licence, or the reason why there is none."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from licet import canonical, identifiers, times
from licet.characters import hidden
from licet.decisions import EARNING_QUALITY, TRUSTED_LEVEL, Decision, Request, State, decide, for_match
from licet.errors import MalformedError
from licet.index import WorkRecord
from licet.statements.agreed import agreeable, agreed, stated_price
from licet.statements.kinds import Agreed, LicenceLine, Use
from licet.statements.kinds.agreements import Figures
from licet.terms import UNPAID, Price, durations, intern
from registry.errors import Invalid

MAX_NAME: Final = 200


class Offered(NamedTuple):
    """What an artist offers one organisation: ``answer`` is the digest of what she signed."""

    answer: str
    price: Price
    until: datetime
    ends: datetime | None
    revocation: Figures | None


class Taking(NamedTuple):
    """How works are taken: at the price that one artist ``offered``, or at what their terms state; with ``agreement``
    also where what is owed follows from no single use."""

    agreement: bool = False
    offered: Offered | None = None


AS_STATED: Final = Taking()


def request_of(use: Use, licensee: str, at: datetime) -> Request:
    """Return the question that terms are asked about ``use``; raises ``InputError`` that names the field."""
    return Request(
        uses=use.atoms,
        purpose=use.purpose,
        model=f"{use.model}@{use.version}",
        model_scope=use.model_scope,
        open_weights=use.open_weights,
        territory=use.territory,
        sublicense=use.sublicense,
        exclusive=use.exclusive,
        at=times.to_text(at),
        licensee=licensee,
    )


def declared(use: Use, request: Request) -> Use:
    """Return ``use`` in its one canonical spelling: lists sorted and unique, the purpose complete."""
    return Use(
        atoms=list(request.uses),
        purpose=list(request.purpose),
        territory=None if request.territory is None else list(request.territory),
        model=use.model,
        version=use.version,
        model_scope=use.model_scope,
        open_weights=use.open_weights,
        sublicense=use.sublicense,
        exclusive=use.exclusive,
    )


def use_key(use: Use) -> bytes:
    """Return the digest of everything declared but the model: with equal keys and models, a licence held covers."""
    what = (use.atoms, use.purpose, use.territory, use.open_weights, use.sublicense, use.exclusive)
    return bytes.fromhex(canonical.digest(["licet/use/v1", *what]))


def model_key(use: Use) -> str:
    """Return which models a licence for ``use`` covers: ``NAME@VERSION``, or ``NAME`` for the whole family."""
    return use.model if use.model_scope == "family" else f"{use.model}@{use.version}"


def covering_keys(use: Use) -> list[str]:
    """Return the model keys of licences that cover ``use``: its own, and the family's."""
    return sorted({model_key(use), use.model})


def name(text: str, field: str) -> str:
    """Return ``text`` if it can name a run or a dataset; raises ``Invalid``."""
    if not 0 < len(text) <= MAX_NAME or not text.isprintable() or text != text.strip() or hidden(text):
        raise Invalid.field(field, f"1 to {MAX_NAME} printable characters", text)
    return text


class Offers:
    """Lines for one request. Each distinct case of terms, state and match is decided once."""

    def __init__(self, request: Request, kinds: Mapping[UUID, str], taking: Taking = AS_STATED) -> None:
        self._request = request
        self._taking = taking
        self._kinds = kinds
        self._decided: dict[tuple[object, ...], Decision] = {}

    def line(self, record: WorkRecord, match: str) -> LicenceLine | str:
        """Return the line for a work that a row shows in this way, or a word for why none is offered."""
        decision = self._decision(record, match)
        if decision.verdict != "license":
            return decision.verdict
        asked = self._price(record, decision)
        if isinstance(asked, str) or decision.atom is None:
            return asked if isinstance(asked, str) else "needs-agreement"
        price, said = asked
        account = UUID(bytes=record.account)
        return LicenceLine(
            work=identifiers.from_uuid("wrk", UUID(bytes=record.work)),
            account=identifiers.from_uuid(self._kinds[account], account),
            statement=identifiers.from_uuid("stm", UUID(bytes=record.statement)),
            terms_hash=terms_hash(record),
            atom=decision.atom,
            model=price.model,
            currency=price.currency,
            amount=price.micro,
            match="near" if match == "near" else "exact",
            escrow=record.contested or record.level < TRUSTED_LEVEL,
            agreed=said,
        )

    def _price(self, record: WorkRecord, decision: Decision) -> tuple[Price, Agreed | msgspec.UnsetType] | str:
        """Return what the work costs and what its line says of that, or a word for why nobody can accept it alone."""
        offered = self._taking.offered
        if offered is not None:
            if offered.price.model in UNPAID and record.level < TRUSTED_LEVEL:
                return "unknown"  # nobody gives away what they have not shown to be theirs (semantics 5)
            return offered.price, agreed(offered.price, offered.answer, offered.revocation)
        price = stated_price(intern(record.terms), self._request.uses)
        stated = self._taking.agreement and agreeable(price) and not self._request.exclusive
        if decision.reason != "offer" and not stated:
            return "needs-agreement"
        return price, agreed(price)

    def refusal(self, record: WorkRecord, match: str) -> str | None:
        """Return ``deny`` or ``review`` where that is what this work says, None where it stands in nobody's way."""
        verdict = self._decision(record, match).verdict
        return verdict if verdict in ("deny", "review") else None

    def end(self, record: WorkRecord, issued_at: datetime) -> datetime | None:
        """Return when a licence issued now must end under this work's terms; None where they set no end."""
        offered = self._taking.offered
        if offered is not None and offered.ends is not None:
            return offered.ends
        ends = []
        for atom in self._request.uses:
            rule = intern(record.terms).rules[atom]
            if rule.permission == "license" and rule.grant_term is not None:
                ends.append(after(issued_at, durations.parse(rule.grant_term)))
        return min((end for end in ends if end is not None), default=None)

    def _decision(self, record: WorkRecord, match: str) -> Decision:
        state = (record.level, record.contested, record.challenged, record.pending, record.withdrawn)
        earns = record.quality is not None and record.quality >= EARNING_QUALITY
        case = (record.terms, state, record.fingerprint_only, record.signed, match, earns)
        decision = self._decided.get(case)
        if decision is None:
            decision = self._decided[case] = self._decide(record, match)
        return decision

    def _decide(self, record: WorkRecord, match: str) -> Decision:
        if record.challenged:  # without effect until it is settled (semantics 6)
            return Decision("unknown", "challenged")
        if not record.terms:
            return Decision("deny", "withdrawn") if record.withdrawn else Decision("review", "no-terms")
        try:
            terms = intern(record.terms)
        except MalformedError:
            return Decision("review", "unreadable-terms")
        state = State(record.level, record.contested, record.challenged, record.pending, record.withdrawn)
        return for_match(
            decide(terms, state, self._request),
            kind=match,
            key="pdq" if match == "near" else "file",
            fingerprint_only=record.fingerprint_only,
            signed=record.signed,
            quality=record.quality,
        )


def terms_hash(record: WorkRecord) -> str:
    """Return the hash of the work's effective terms, hex."""
    return sha256(record.terms).hexdigest()


def after(moment: datetime, duration: durations.Duration) -> datetime | None:
    """Return the moment ``duration`` after ``moment``: calendar months first (the last day where there is none such).

    None beyond the year 9999.
    """
    years, month = divmod(moment.month - 1 + duration.months, 12)
    year = moment.year + years
    if year > 9998:
        return None
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    shifted = moment.replace(year=year, month=month + 1, day=day)
    latest = datetime(9999, 12, 31, tzinfo=UTC)
    return (
        shifted + timedelta(seconds=duration.seconds) if duration.seconds < (latest - shifted).total_seconds() else None
    )
