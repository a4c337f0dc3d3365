"""Licences and what they rest on: lines under the signed root, works under the consents, prices out of their terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from licet.audit import layout
from licet.audit.checks.opening import Audit
from licet.audit.checks.priced import Prices
from licet.audit.checks.signed import Signed, Statements
from licet.audit.layout import BundleLine, BundleWork
from licet.audit.report import checking, refused
from licet.canonical import encode, from_base64
from licet.counted import many
from licet.errors import VerificationError
from licet.log import merkle
from licet.statements.kinds import Licence, LicenceLine, WorksScope
from licet.statements.licences import licence_lines_root
from licet.statements.owed import due_at_accept, totals
from licet.statements.works import work_digest

_LINES: Final = "licence-lines"
_KEPT: Final = 256  # licences whose lines are kept in memory


class Granted(NamedTuple):
    """A licence with its lines by work; ``whole``: all of them are here."""

    payload: Licence
    lines: Mapping[str, LicenceLine]
    whole: bool


class Granting:
    """The licences of a bundle; lines are read again when they are needed."""

    def __init__(self, audit: Audit, statements: Statements) -> None:
        self.licences: Final[Mapping[str, Signed]] = statements.licences
        self.works: Mapping[tuple[str, str], str] = {}
        self.prices = Prices(statements, {})
        self._audit: Final = audit
        self.of = lru_cache(_KEPT)(self._read)

    def get(self, licence: str | None) -> Granted | None:
        """Return ``licence``, None if it is not in the bundle."""
        return self.of(licence) if licence is not None and licence in self.licences else None

    def _read(self, licence: str) -> Granted:
        payload: Licence = self.licences[licence].payload
        member = layout.lines_member(licence)
        with checking(_LINES, member):
            lines = list(self._audit.lines_as(BundleLine, member))
            _hold(payload, lines)
        found = {each.line.work: each.line for each in lines}
        return Granted(payload, found, len(lines) == payload.count)


def check_licences(audit: Audit, statements: Statements) -> Granting:
    """Return the licences once every line is under its licence's root, and rests on a consent in the bundle."""
    for member in audit.container.members:
        licence = layout.licence_of(member)
        if licence is not None and licence not in statements.licences:
            raise refused(_LINES, member, "expected lines of a licence that is here, got others")
    granting = Granting(audit, statements)
    works = granting.works = _works(audit, statements)
    prices = granting.prices = Prices(statements, works)
    for licence, signed in statements.licences.items():
        granted = granting.of(licence)
        member = layout.lines_member(licence)
        if granted.whole:
            with checking("licence-totals", member):
                _totals(granted)
        for line in granted.lines.values():
            audit.tally.line()
            with checking("works-consented", member):
                _consented(line, signed, statements, works)
            with checking("prices-consented", member):
                prices.hold(line, granted.payload, signed)
    counts = audit.tally.counts
    audit.passed(
        _LINES, f"{many(counts['lines'], 'line')} under the roots of {many(len(statements.licences), 'licence')}"
    )
    audit.passed("licence-totals", "what each licence says that it costs is what its lines come to, within its budget")
    audit.passed("works-consented", f"{many(counts['works'], 'work')} under the consents that licences name")
    audit.passed("prices-consented", "each line has the price that the consented terms ask for this use")
    audit.passed("prices-agreed", prices.said)
    return granting


def verify_member(leaf: bytes, index: int, size: int, path: Sequence[str], root: str) -> None:
    """Return only if ``leaf`` (data) is at ``index`` under hex ``root``; raises ``VerificationError``."""
    hashes = [from_base64(each, "path") for each in path]
    merkle.verify_inclusion(merkle.leaf_hash(leaf), index, size, hashes, bytes.fromhex(root))


def _hold(payload: Licence, lines: Sequence[BundleLine]) -> None:
    works = [each.line.work for each in lines]
    if works != sorted(set(works)):
        raise VerificationError("expected each work once, in order, got another order")
    if len(lines) == payload.count:
        if any(each.index is not None or each.path is not None for each in lines):
            raise VerificationError("expected no proofs where all lines are here, got some")
        if licence_lines_root([each.line for each in lines]) != payload.root:
            raise VerificationError(f"expected lines under the root {payload.root}, got others")
        return
    for each in lines:
        if each.index is None or each.path is None:
            raise VerificationError(f"expected {payload.count} lines or a proof for each, got {len(lines)} without")
        verify_member(encode(each.line), each.index, payload.count, each.path, payload.root)


def _totals(granted: Granted) -> None:
    payload = granted.payload
    lines = granted.lines.values()
    found = totals((line.currency, line.work, due_at_accept(line)) for line in lines)
    if found != payload.totals:
        raise VerificationError(f"expected totals {payload.totals}, got lines that come to {found}")
    if sorted({line.terms_hash for line in lines}) != payload.terms:
        raise VerificationError("expected the terms of its lines, got others")
    budget = {each.currency: each.amount for each in payload.budget}
    for total in found:
        if total.amount > budget.get(total.currency, 0):
            raise VerificationError(f"expected at most the budget, got {total.amount} of {total.currency}")


def _works(audit: Audit, statements: Statements) -> dict[tuple[str, str], str]:
    """Return (work, statement) → account, for each work that is proven to be under a consent."""
    found: dict[tuple[str, str], str] = {}
    with checking("works-consented", layout.WORKS):
        for each in audit.lines_as(BundleWork, layout.WORKS):
            consent = statements.consents.get(each.statement)
            if consent is None or not isinstance(consent.payload.scope, WorksScope):
                raise VerificationError(f"expected a consent over works in the bundle, got {each.statement}")
            if consent.payload.account not in statements.splits.ever(each.work.work, each.work.account):
                name = consent.payload.account
                raise VerificationError(f"expected a work that {name} has a share in, got one of {each.work.account}")
            scope = consent.payload.scope
            verify_member(work_digest(each.work), each.index, scope.count, each.path, scope.root)
            found[each.work.work, each.statement] = each.work.account
            audit.tally.work()
    return found


def _consented(
    line: LicenceLine, licence: Signed, statements: Statements, works: Mapping[tuple[str, str], str]
) -> None:
    consent = statements.consents.get(line.statement)
    if consent is None:
        raise VerificationError(f"expected the consent {line.statement} in the bundle, got none")
    if consent.index >= licence.index:
        raise VerificationError(f"expected a consent before log index {licence.index}, got one at {consent.index}")
    if works.get((line.work, line.statement)) != line.account or consent.payload.account != line.account:
        raise VerificationError(f"expected {line.work} of {line.account} under {line.statement}, got no proof of it")
