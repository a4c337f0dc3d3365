"""Between looking and taking: who is concentrated, and which works a job has to license."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from licet.client import Client
from licet.datasets.examining.basis import Basis
from licet.datasets.examining.concentration import Concentration
from licet.datasets.examining.deciding import Matching, Question, Standing
from licet.datasets.filtering.job import Job
from licet.datasets.filtering.scanning import verdicts
from licet.datasets.licensing.held import HeldLicence, LicenceStore, licences_for
from licet.datasets.licensing.wanted import Shopping
from licet.errors import NotAllowedError


def held_licences(client: Client) -> list[HeldLicence]:
    """Return the licences that this profile's organisation holds, as the home has them; none without an account."""
    account = client.profile.account
    return [] if account is None else LicenceStore(client.home.licences(account.account)).all()


def settle(
    job: Job,
    parts: Iterable[int],
    basis: Basis,
    question: Question,
    held: Collection[HeldLicence],
    currencies: Collection[str] | None,
) -> tuple[Standing, Shopping]:
    """Return what stands before anything is taken, and what has to be licensed, over all ``parts`` of a scanned job.

    Style is counted once here (semantics 15). ``currencies`` are those with a budget, None while nothing is taken.
    """
    numbers = list(parts)
    licences = licences_for(held, question.request)
    counting, shopping = Concentration(question), Shopping(basis.index, (), currencies)
    for _, decided in verdicts(job, numbers, basis.index, question, Standing(licences)):
        counting.add(decided)
        shopping.add(decided)
    standing = Standing(licences, counting.accounts())
    if standing.style:  # seldom; where nobody is concentrated, nothing is decided otherwise
        shopping = Shopping(basis.index, standing.style, currencies)
        for _, decided in verdicts(job, numbers, basis.index, question, standing):
            shopping.add(decided)
    return standing, shopping


def effective_match(wished: Matching | None, basis: Basis) -> Matching:
    """Return how copies are found: as wished, or near where the snapshot has the near tier.

    Raises ``NotAllowedError`` for a wish that the snapshot here cannot fulfil.
    """
    if wished == "near" and not basis.index.near:
        raise NotAllowedError(f"--match near: {basis.without_near}")
    return wished or ("near" if basis.index.near else "exact")
