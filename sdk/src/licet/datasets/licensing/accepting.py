"""Taking licences: quote, hold it against our own decisions, sign, accept, verify what comes back, keep it.

Nothing is signed that this machine would not have decided itself: every line of a quote must name the statement, the
terms and the price that the snapshot gave us. Nothing is taken where the sum is over the budget.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

import msgspec

from licet import identifiers, money, times
from licet.client import Client
from licet.counted import many
from licet.datasets.licensing.budgets import Budget
from licet.datasets.licensing.held import HeldLicence, LicenceStore, verify_granted
from licet.datasets.licensing.wanted import QuoteSummary, Shopping, Wanted, due, quoted
from licet.decisions import Request
from licet.decisions.style import STYLE
from licet.errors import BudgetError, ConflictError, ExpiredError, InputError, NotAllowedError, VerificationError
from licet.home import AccountFile, write_private
from licet.misfits import unlike
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.agreed import agreement
from licet.statements.keys import SigningKey
from licet.statements.kinds import LicenceLine, Total, Use
from licet.statements.licences import licence_payload, quote_digest
from licet.statements.owed import due_at_accept, totals
from licet.statements.trust import RegistryKeys
from licet.wire.licensing import LicenceGranted, Quote, QuoteRequest, WorkWanted

MAX_WORKS: Final = 100_000  # in one quote
_STALE: Final = frozenset({"works-changed", "expired"})


class Acceptance(msgspec.Struct, frozen=True):
    """What the caller is ready to take: for which dataset and run, for how much."""

    dataset: str  # its name
    budget: Budget
    fit: bool = False  # take the cheapest first instead of refusing a quote that is too large
    run: str = "1"
    whole: bool = False  # take nothing if a single work that is wanted cannot be had


class Taken(msgspec.Struct, frozen=True):
    """What came of it. ``refused`` says of each work that was wanted and is not licensed why, by work (16 bytes)."""

    licences: list[HeldLicence]
    refused: dict[bytes, str]
    quote: QuoteSummary


class Taker:
    """One organisation taking licences for one job."""

    def __init__(self, client: Client, keys: RegistryKeys, pending: Path) -> None:
        """``pending`` is the file that remembers quotes whose answer may have been lost."""
        profile = client.need_account()
        account = profile.account
        assert account is not None
        if account.kind != "organisation":
            raise NotAllowedError(f"only an organisation can hold a licence, and this profile is an {account.kind}")
        self._client = client
        self._keys = keys
        self._pending = pending
        self._taken: list[HeldLicence] = []
        self._account: AccountFile = account
        self._key = SigningKey.load(profile.key_path)
        self.store = LicenceStore(client.home.licences(account.account))

    def recover(self) -> list[HeldLicence]:
        """Return the licences that an interrupted run has taken without learning of it; they are in the store now."""
        try:
            quotes = msgspec.json.decode(self._pending.read_bytes(), type=list[str])
        except FileNotFoundError:
            return []
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            raise InputError(f"{self._pending}: expected the quotes of an earlier run, got {unlike(error)}") from None
        found = []
        for quote in quotes:
            licence = identifiers.from_uuid("lic", identifiers.to_uuid(quote, "quo"))
            try:
                found.append(self._fetch(licence))
            except InputError as error:
                if error.details.get("status") != 404:
                    raise
        self._pending.unlink(missing_ok=True)
        return found

    def take(self, request: Request, dataset: str, shopping: Shopping, acceptance: Acceptance) -> Taken:
        """Return once everything in ``shopping`` that can be had is licensed for ``dataset`` (``dst_…``).

        Raises ``BudgetError`` with the quote if it costs more than the budget: nothing was taken then. Works that
        change while this goes on are quoted anew once. Raises ``VerificationError`` for a quote that is not what we
        decided, or an answer that is not what we signed.
        """
        groups = list(_groups(request, shopping.works))
        try:
            return self._take(groups, dataset, shopping, acceptance)
        except (ConflictError, ExpiredError) as error:
            if error.details.get("problem") not in _STALE:
                raise
        return self._take(groups, dataset, shopping, acceptance)

    def _take(
        self, groups: Sequence[tuple[Use, list[Wanted]]], dataset: str, shopping: Shopping, acceptance: Acceptance
    ) -> Taken:
        refused = dict(shopping.refused)
        quotes = self._quotes(groups, dataset, acceptance)
        for quote in quotes:
            for left in quote.left_out:
                kind, _, licence = left.reason.partition(":")
                if kind == "licensed":
                    self._fetch(licence)  # held already, though this home did not know it
                else:
                    refused[_bytes(left.work, "wrk")] = left.reason
        lines = [line for quote in quotes for line in quote.lines]
        shown = quoted(lines, quotes[0].fee_bps if quotes else 0, shopping)
        refuse_excess(_due(lines), shown, acceptance.budget)
        missing = [work for work in shopping.works if work in refused]
        if acceptance.whole and missing:
            named = {_text("wrk", work): refused[work] for work in sorted(missing)}
            raise ConflictError(
                f"{len(missing)} works cannot be licensed any more ({', '.join(sorted(set(named.values())))});"
                " nothing was taken: start anew",
                works=named,
            )
        for quote in quotes:
            if quote.lines:
                self._taken.append(self.accept(quote))
        taken = [line for licence in self._taken for line in licence.lines.values()]
        if taken:
            shown = quoted(taken, self._taken[0].payload.fee_bps, shopping)
        return Taken(list(self._taken), refused, shown)

    def _quotes(self, groups: Sequence[tuple[Use, list[Wanted]]], dataset: str, acceptance: Acceptance) -> list[Quote]:
        quotes: list[Quote] = []
        spent: list[Total] = []
        for use, works in groups:
            wanted = QuoteRequest(
                use=use,
                works=[
                    WorkWanted(_text("wrk", each.work), _text("stm", each.statement), _match(each)) for each in works
                ],
                dataset=dataset,
                run=acceptance.run,
                budget=acceptance.budget.left(spent),
                fit_budget=acceptance.fit,
            )
            quote = self._client.quote(wanted)
            check_quote(quote, wanted, self._account.account, {_text("wrk", each.work): each for each in works})
            quotes.append(quote)
            spent = _due([line for each in quotes for line in each.lines])
        return quotes

    def accept(self, quote: Quote) -> HeldLicence:
        """Return the licence that accepts ``quote``, which was checked: signed, granted, verified, kept."""
        payload = licence_payload(
            registry=self._keys.ref,
            genesis=self._account.genesis,
            quote=quote.quote,
            digest=quote.digest,
            organisation=quote.organisation,
            use=quote.use,
            dataset=quote.dataset,
            run=quote.run,
            lines=quote.lines,
            totals=quote.totals,
            budget=quote.budget,
            fee_bps=quote.fee_bps,
            issued_at=quote.issued_at,
            valid_until=quote.valid_until,
            agreement=quote.agreement,
        )
        envelope = envelopes.seal(payload, self._key)
        # Kept before it is sent: should the answer be lost, the next run asks for this very licence.
        self._remember(quote.quote)
        granted = self._client.accept(quote.quote, envelope)
        if granted.envelope.payload != envelope.payload:
            raise VerificationError(f"expected the licence that we signed ({payload.licence}), got another one")
        return self._keep(granted)

    def _remember(self, quote: str) -> None:
        known: list[str] = msgspec.json.decode(self._pending.read_bytes()) if self._pending.exists() else []
        write_private(self._pending, msgspec.json.encode([*known, quote]))

    def _fetch(self, licence: str) -> HeldLicence:
        return self.store.get(licence) or self._keep(self._client.licence(licence))

    def _keep(self, granted: LicenceGranted) -> HeldLicence:
        held = verify_granted(granted, self._key, self._keys)
        self.store.keep(granted)
        return held


def check_budget(shown: QuoteSummary, shopping: Shopping, budget: Budget) -> None:
    """Return only if what is wanted fits ``budget``, by our own figures; else raise ``BudgetError``."""
    sums = totals((each.charge.currency, _text("wrk", each.work), due(each)) for each in shopping.works.values())
    refuse_excess(sums, shown, budget)


def refuse_excess(sums: Sequence[Total], shown: QuoteSummary, budget: Budget) -> None:
    """Raise ``BudgetError`` with the quote if ``sums`` are over ``budget``."""
    over = _over(sums, budget)
    if over:
        raise BudgetError(
            f"the quote is over the budget: {over}; nothing was taken",
            quote=msgspec.to_builtins(shown),
            budget=repr(budget),
        )


def use_of(request: Request, *, style: bool = False) -> Use:
    """Return the declared use of ``request``, with ``finetune-style`` for whoever is concentrated (semantics 15).

    Raises ``InputError`` without a model: a licence is for a model and version.
    """
    if request.model is None:
        raise InputError.field("model", "ORG/NAME@VERSION, because a licence is for a model", "nothing")
    model, _, version = request.model.partition("@")
    return Use(
        atoms=sorted({*request.uses, *([STYLE] if style else [])}),
        purpose=list(request.purpose),
        territory=None if request.territory is None else list(request.territory),
        model=model,
        version=version,
        model_scope="family" if request.model_scope == "family" else "one-version",
        open_weights=request.open_weights,
        sublicense=request.sublicense,
        exclusive=request.exclusive,
    )


def check_quote(
    quote: Quote, wanted: QuoteRequest, organisation: str, works: Mapping[str, Wanted], request: str | None = None
) -> None:
    """Return only if ``quote`` offers what was asked, at what we decided, and adds up.

    ``request`` is the digest of the request that it answers to, where there is one.

    Raises ``VerificationError`` that names what differs, ``ExpiredError`` for a quote past its time.
    """
    asked = (organisation, wanted.use, wanted.dataset, wanted.run, _sorted(wanted))
    got = (quote.organisation, quote.use, quote.dataset, quote.run, quote.budget)
    if got != asked:
        raise VerificationError(f"the quote {quote.quote} is not for what was asked: expected {asked}, got {got}")
    if quote_digest(quote) != quote.digest:
        raise VerificationError(f"the quote {quote.quote} does not have the digest that it names")
    for line in quote.lines:
        own = works.get(line.work)
        if own is None or not _as_decided(line, own):
            raise VerificationError(f"the quote differs from our own decision about {line.work}: {line}")
    named = [line.work for line in quote.lines] + [left.work for left in quote.left_out]
    if sorted(named) != sorted(works):
        raise VerificationError(f"the quote {quote.quote} does not answer for each work once")
    if quote.totals != _due(quote.lines):
        raise VerificationError(f"the quote's totals are not the sum of its lines: {quote.totals}")
    issued_at = times.from_text(quote.issued_at, "issued_at")
    if quote.agreement != agreement(quote.lines, issued_at, wanted.weigh, request):
        raise VerificationError(f"the quote is not the agreement that was asked for: {quote.agreement}")
    if times.to_text(times.now()) >= quote.expires_at:
        raise ExpiredError(f"the quote ended at {quote.expires_at}", problem="expired")


def _as_decided(line: LicenceLine, own: Wanted) -> bool:
    return (
        identifiers.to_uuid(line.account).bytes == own.account
        and _bytes(line.statement, "stm") == own.statement
        and own.terms_hash in ("", line.terms_hash)
        and own.atom in ("", line.atom)
        and (line.model, line.currency, line.amount) == (own.charge.model, own.charge.currency, own.charge.micro)
        and line.agreed == own.agreed
        and line.match == own.match
    )


def _groups(request: Request, works: Mapping[bytes, Wanted]) -> Iterator[tuple[Use, list[Wanted]]]:
    """Yield works that share a declared use, sorted by id, as many as one quote takes."""
    for style in (False, True):
        chosen = sorted((each for each in works.values() if each.styled is style), key=lambda each: each.work)
        for start in range(0, len(chosen), MAX_WORKS):
            yield use_of(request, style=style), chosen[start : start + MAX_WORKS]


def _due(lines: Sequence[LicenceLine]) -> list[Total]:
    return totals((line.currency, line.work, due_at_accept(line)) for line in lines)


def _over(due: Sequence[Total], budget: Budget) -> str:
    over = [total for total in due if total.amount > budget.amounts.get(total.currency, 0)]
    return ", ".join(_excess(total, budget) for total in over)


def _excess(total: Total, budget: Budget) -> str:
    allowed = money.figure(budget.amounts.get(total.currency, 0), total.currency)
    return f"{money.written(total.amount, total.currency)} for {many(total.works, 'work')}, against {allowed}"


def _sorted(wanted: QuoteRequest) -> list[kinds.Budget]:
    return sorted(wanted.budget, key=lambda each: each.currency)


def _match(wanted: Wanted) -> Literal["exact", "near"]:
    return "near" if wanted.match == "near" else "exact"


def _text(kind: str, number: bytes) -> str:
    return identifiers.from_uuid(kind, UUID(bytes=number))


def _bytes(text: str, kind: str) -> bytes:
    return identifiers.to_uuid(text, kind).bytes
