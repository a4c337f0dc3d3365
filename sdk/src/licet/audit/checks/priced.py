"""Prices of a licence's lines: what the consented terms ask for its use, or what the artist has offered for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import islice, product
from typing import Final

import msgspec

from licet.audit.checks.signed import ConsentFacts, Signed, Statements
from licet.counted import many
from licet.decisions import Decision, Request, State, decide
from licet.errors import InputError, VerificationError
from licet.identifiers import to_uuid
from licet.statements.agreed import agreeable, agreed, stated_price
from licet.statements.kinds import (
    Agreed,
    Licence,
    LicenceAnswer,
    LicenceLine,
    LicenceRequest,
    Use,
    WorksScope,
)
from licet.statements.kinds.agreements import price_of
from licet.terms import Terms, merge

_COMBINATIONS: Final = 100_000  # of what owners of one work have said, to find those that a line's terms are made of
_TRUSTED: Final = State(level=4)
_Case = tuple[str, str, str | None, int, Agreed | msgspec.UnsetType]


class Prices:
    """Prices of lines, each distinct case decided once."""

    def __init__(self, statements: Statements, works: Mapping[tuple[str, str], str]) -> None:
        self._consents: Final = statements.consents
        self._splits: Final = statements.splits
        self._beside: Final[dict[str, list[ConsentFacts]]] = {}  # what others than its account say of a work
        for (work, statement), account in works.items():
            if statements.consents[statement].payload.account != account:
                self._beside.setdefault(work, []).append(statements.consents[statement])
        self._catalogues: Final[dict[str, list[ConsentFacts]]] = {}
        for consent in statements.consents.values():
            if not isinstance(consent.payload.scope, WorksScope):
                self._catalogues.setdefault(consent.payload.account, []).append(consent)
        self._decided: Final[dict[tuple[str | None, ...], _Case]] = {}
        self._requests: Final = {each.document: each for each in statements.requests.values()}
        self._answers: Final = {each.document: each for each in statements.answers.values()}
        self._to: Final[dict[str, list[Signed]]] = defaultdict(list)  # the answers to each request, in log order
        for answer in sorted(statements.answers.values(), key=lambda each: each.index):
            self._to[answer.payload.request].append(answer)
        self._ended: Final[dict[str, Signed]] = {}  # what took a request back, or declined an offer, by its document
        for reply in statements.all.get("licence-reply", {}).values():
            self._ended[reply.payload.offer or reply.payload.document] = reply
        self._offered: Final[set[tuple[str, str]]] = set()
        self._stated: Final[set[tuple[str, str]]] = set()

    @property
    def said(self) -> str:
        """What was found of prices that no single use fixes, or that an artist offered to one organisation."""
        offered, stated = many(len(self._offered), "line"), many(len(self._stated), "line")
        return f"{offered} at the price of an artist's signed answer, {stated} as terms state what is owed at a close"

    def hold(self, line: LicenceLine, licence: Licence, signed: Signed) -> None:
        """Return only if ``line`` has exactly the price that its terms ask for the licence's use, or that the artist
        had offered for it when the log took the licence."""
        answer = None if line.agreed is msgspec.UNSET else line.agreed.answer
        case: tuple[str | None, ...] = (line.statement, line.terms_hash, licence.licence, answer)
        if self._owners(line):
            case = (*case, line.work)  # what its co-owners say is of this work alone
        if case not in self._decided:
            request = _request(licence.use, licence)
            self._decided[case] = self._priced(line, licence, request, decide(self.terms(line), _TRUSTED, request))
        expected = self._decided[case]
        got = (line.atom, line.model, line.currency, line.amount, line.agreed)
        if got != expected:
            raise VerificationError(f"{line.work}: expected {expected} as the terms ask, got {got}")
        if answer is not None:
            self._hold_answered(line, licence, signed, answer)
            self._offered.add((licence.licence, line.work))
        elif line.agreed is not msgspec.UNSET:
            self._hold_stated(licence)
            self._stated.add((licence.licence, line.work))

    def _priced(self, line: LicenceLine, licence: Licence, request: Request, decision: Decision) -> _Case:
        answer = None if line.agreed is msgspec.UNSET else line.agreed.answer
        if decision.verdict != "license" or decision.atom is None:
            raise VerificationError(f"{line.work}: expected an offer for this use, got {decision.reason}")
        if answer is not None:
            said = self._answer(line, answer)
            price = price_of(said.price or {})
            told = agreed(price, answer, said.revocation)
            return decision.atom, price.model, price.currency, price.micro, told
        if decision.reason == "offer" and decision.price is not None:
            charge = decision.price
            return decision.atom, charge.model, charge.currency, charge.micro, msgspec.UNSET
        price = stated_price(self.terms(line), request.uses)
        if not agreeable(price) or request.exclusive:
            raise VerificationError(f"{line.work}: expected an offer for this use, got {decision.reason}")
        return decision.atom, price.model, price.currency, price.micro, agreed(price)

    def _answer(self, line: LicenceLine, answer: str) -> LicenceAnswer:
        if answer not in self._answers:
            raise VerificationError(f"{line.work}: expected the artist's answer {answer} in the bundle, got none")
        payload: LicenceAnswer = self._answers[answer].payload
        if payload.answer != "offer" or payload.account != line.account:
            raise VerificationError(f"{line.work}: expected an offer of {line.account}, got another answer")
        return payload

    def _hold_answered(self, line: LicenceLine, licence: Licence, signed: Signed, answer: str) -> None:
        """The answer was to a request for this work and use, stood, and was the last when the log took the licence."""
        said = self._answer(line, answer)
        request = self._requests.get(said.document)
        if request is None:
            raise VerificationError(f"{line.work}: expected the request {said.request} in the bundle, got none")
        asked: LicenceRequest = request.payload
        if (asked.request, asked.organisation, asked.account) != (said.request, licence.organisation, line.account):
            raise VerificationError(f"{line.work}: expected an answer to {licence.organisation}, got another")
        if asked.use != licence.use or line.work not in asked.works:
            raise VerificationError(f"{line.work}: expected a request for this work and use, got another")
        if licence.agreement is msgspec.UNSET or licence.agreement.request != said.document:
            raise VerificationError(f"{line.work}: expected a licence that names the request {said.request}")
        if min(licence.issued_at, signed.time) >= (said.offered_until or ""):
            raise VerificationError(f"{line.work}: expected an offer that stood at {licence.issued_at}, got a late one")
        if said.grant_until is not None and licence.valid_until != said.grant_until:
            raise VerificationError(f"{line.work}: expected a licence until {said.grant_until}, as was offered")
        before = [each for each in self._to[said.request] if each.index < signed.index]
        if not before or before[-1].document != answer:
            raise VerificationError(f"{line.work}: expected the last answer before the licence, got another")
        for document in (said.document, answer):
            ended = self._ended.get(document)
            if ended is not None and ended.index < signed.index:
                raise VerificationError(f"{line.work}: expected an offer that stood, entry {ended.index} had ended it")

    def _hold_stated(self, licence: Licence) -> None:
        said = licence.agreement
        if said is msgspec.UNSET or said.request is not None:
            raise VerificationError(f"{licence.licence}: expected an agreement to what terms state, got another")

    def terms(self, line: LicenceLine) -> Terms:
        """Return the effective terms that the line names: those of its consent, or these with what restricts them: the
        account's catalogue, and what co-owners say of the work and of their catalogues.

        Raises ``VerificationError`` where the bundle has none of that hash.
        """
        consent = self._consents[line.statement]
        if consent.terms.hash == line.terms_hash:
            return consent.terms
        catalogues: list[Terms | None] = [None, *(each.terms for each in self._catalogues.get(line.account, ()))]
        said: list[list[Terms | None]] = [[None, *self._said(line.work, owner)] for owner in self._owners(line)]
        for catalogue, *others in islice(product(catalogues, *said), _COMBINATIONS):
            beside = {each.hash: each for each in others if each is not None}
            shared = merge([beside[each] for each in sorted(beside)]) if beside else None
            effective = merge([each for each in (consent.terms, catalogue, shared) if each is not None])
            if effective.hash == line.terms_hash:
                return effective
        raise VerificationError(f"{line.work}: expected terms {line.terms_hash} from its consent, got others")

    def _owners(self, line: LicenceLine) -> list[str]:
        """Everybody who ever had a share in the work beside its account, and of whom something is here."""
        owners = self._splits.ever(line.work, line.account) - {line.account}
        spoken = {each.payload.account for each in self._beside.get(line.work, ())} | self._catalogues.keys()
        return sorted(owners & spoken)

    def _said(self, work: str, owner: str) -> list[Terms]:
        """What may have been in force of what ``owner`` says of ``work``."""
        own = [each.terms for each in self._beside.get(work, ()) if each.payload.account == owner]
        catalogues = [each.terms for each in self._catalogues.get(owner, ())]
        both = [merge([each, catalogue]) for each in own for catalogue in catalogues]
        return [*own, *catalogues, *both]


def _request(use: Use, licence: Licence) -> Request:
    try:
        to_uuid(licence.organisation, "org")
        return Request(
            uses=use.atoms,
            purpose=use.purpose,
            model=f"{use.model}@{use.version}",
            model_scope=use.model_scope,
            open_weights=use.open_weights,
            territory=use.territory,
            sublicense=use.sublicense,
            exclusive=use.exclusive,
            at=licence.issued_at,
            licensee=licence.organisation,
        )
    except InputError as error:
        raise VerificationError(f"use: {error.message}") from None
