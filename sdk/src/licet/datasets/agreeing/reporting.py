"""Reporting revenue: what was made under an agreement in a month, said once, and corrected under a signature."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from licet import identifiers, money
from licet.client import Client
from licet.errors import ConflictError, InputError, MalformedError, NotAllowedError, VerificationError
from licet.statements import envelope as envelopes
from licet.statements.keys import SigningKey
from licet.statements.kinds import RevenueReport
from licet.statements.kinds.agreements import MOST_WEIGHT, MOST_WEIGHTS
from licet.statements.receipt import verify_receipt
from licet.statements.revenue import draft_report
from licet.statements.statement_file import verify_statement_file
from licet.wire.revenue import Amount, RevenueInfo, RevenueShown

_LARGEST: Final = 16 << 20  # bytes of a table of weights


class Reported(msgspec.Struct, frozen=True):
    """What the registry holds of the month; ``said`` by this call, or before, and then nothing was sent."""

    report: RevenueInfo
    said: bool


def report_revenue(
    client: Client,
    licence: str,
    period: str,
    revenue: Mapping[str, int],
    *,
    pool: Mapping[str, int] | None = None,
    weights: Mapping[str, int] | None = None,
    correct: bool = False,
) -> Reported:
    """Return once ``revenue`` (net) and the agreed sums of ``pool``, in micro-units by currency, are in the log.

    The same figures again change nothing. Raises ``ConflictError`` where others were reported, unless ``correct``
    says that these are right, ``InputError`` naming the field, and ``VerificationError``.
    """
    profile = client.need_account()
    account = profile.account
    assert account is not None
    if account.kind != "organisation":
        raise NotAllowedError(f"only an organisation reports revenue, and this profile is {account.account}")
    identifiers.to_uuid(licence, "lic", field="licence")
    last = next((each for each in client.revenue_reports(licence=licence, period=period) if each.current), None)
    if last is not None:
        if not last.weights and not weights and (last.revenue, last.pool) == (_told(revenue), _told(pool or {})):
            return Reported(last, said=False)
        if not correct:
            raise ConflictError(f"{period} was reported otherwise, by {last.report}: correct it (--correct)")
    elif correct:
        raise InputError.field("correct", f"a report of {period} that is corrected", "none")
    payload = draft_report(
        registry=client.registry_ref(),
        organisation=account.account,
        genesis=account.genesis,
        licence=licence,
        period=period,
        revenue=revenue,
        pool=pool or {},
        weights=weights or {},
        supersedes=None if last is None else last.document,
    )
    envelope = envelopes.seal(payload, SigningKey.load(profile.key_path))
    accepted = client.report_revenue(envelope)
    verify_receipt(accepted.receipt, envelope, client.working_keys())
    return Reported(accepted.report, said=True)


def document_of(client: Client, shown: RevenueShown) -> RevenueReport | None:
    """Return what was signed, once the log and the organisation's keys prove it; None where it is not shown.

    Raises ``VerificationError`` where it says something else than the registry tells.
    """
    if shown.document is None:
        return None
    said = verify_statement_file(shown.document, client.trust()).payload
    told = shown.report
    if not isinstance(said, RevenueReport) or (said.report, shown.document.envelope.payload_digest) != (
        told.report,
        told.document,
    ):
        raise VerificationError(f"expected the report {told.report}, got another statement")
    figures = [_told({each.currency: each.amount for each in amounts}) for amounts in (said.revenue, said.pool)]
    signed = (said.organisation, said.licence, said.period, said.supersedes, *figures, len(said.weights))
    if signed != (told.organisation, told.licence, told.period, told.supersedes, told.revenue, told.pool, told.weights):
        raise VerificationError(f"{told.report}: expected what was signed, got other figures")
    return said


def weights_from(path: Path) -> dict[str, int]:
    """Return work → weight of a CSV with the columns ``work`` and ``weight``; raises ``InputError`` naming the line."""
    if not path.is_file():
        raise InputError.field("weights", "a file", str(path))
    if path.stat().st_size > _LARGEST:
        raise InputError.field("weights", f"a table of at most {_LARGEST} bytes", path.stat().st_size)
    found: dict[str, int] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            if not {"work", "weight"} <= set(rows.fieldnames or ()):
                raise InputError.field("weights", "the columns work and weight", ", ".join(rows.fieldnames or ()))
            for row in rows:
                _add(found, row, f"weights, line {rows.line_num}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise MalformedError(f"{path}: expected a CSV in UTF-8: {error}") from None
    return found


def _add(found: dict[str, int], row: Mapping[str, str | None], where: str) -> None:
    work, weight = (row["work"] or "").strip(), (row["weight"] or "").strip()
    identifiers.to_uuid(work, "wrk", field=f"{where}, work")
    if work in found or len(found) == MOST_WEIGHTS:
        raise InputError.field(f"{where}, work", f"each work once, at most {MOST_WEIGHTS}", work)
    if not (weight.isascii() and weight.isdigit() and len(weight) <= 10 and int(weight) <= MOST_WEIGHT):
        raise InputError.field(f"{where}, weight", f"a whole number of 0 to {MOST_WEIGHT}", weight)
    found[work] = int(weight)


def _told(amounts: Mapping[str, int]) -> list[Amount]:
    return [Amount(currency, money.to_decimal(amount)) for currency, amount in sorted(amounts.items())]
