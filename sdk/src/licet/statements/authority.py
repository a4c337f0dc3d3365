"""Whether a statement stays inside what its signer may do: tighten only, or what a delegation names (semantics 2, 3).

The verifier asks with the standing that the log proves, the registry with that of the moment.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from licet.errors import VerificationError
from licet.statements import kinds
from licet.statements.consent import consent_terms
from licet.statements.keyring import Standing


def hold_to(standing: Standing, payload: Any) -> list[str]:
    """Return what was checked, a sentence each, once ``payload`` is within ``standing``; ``VerificationError`` if not.

    Whether the label ``effect`` of a consent is true is for whoever knows the terms before it: the registry recomputes
    it, and so can everybody who holds the account's statements.
    """
    checks = []
    if standing.delegation is not None:
        _within(standing.delegation, payload)
        checks.append("within what was delegated; what loosens is held and told to the account")
    if standing.only_tighten:
        if not tightens_only(payload):
            raise VerificationError(
                f"key {standing.keyid} may only tighten ({standing.why}), got a statement that does more"
            )
        checks.append("counts only where it tightens")
    return checks


def tightens_only(payload: Any) -> bool:
    """Whether ``payload`` grants nothing: a withdrawal, a tightening, or first terms that deny all but ``search``.

    A refusal, a request or offer that is taken back, a revocation, a dispute that is opened, an objection to one and an
    appeal grant nothing either.
    """
    if isinstance(payload, kinds.WorkUpdate):
        return payload.change == "withdraw"
    if isinstance(payload, kinds.SplitAnswer):
        return payload.answer == "decline"
    if isinstance(payload, kinds.LicenceAnswer):
        return payload.answer in ("refuse", "withdraw")
    if isinstance(payload, (kinds.LicenceReply, kinds.LicenceRevoke)):
        return True
    if isinstance(payload, kinds.DisputeStep):  # who agrees, takes back or accepts, gives something up
        return payload.step in ("open", "appeal") or payload.position == "contest"
    if not isinstance(payload, kinds.Consent):
        return False
    if payload.effect == "tighten":
        return True
    rules = consent_terms(payload).rules
    return payload.effect == "initial" and all(
        rule.permission == "deny" for atom, rule in rules.items() if atom != "search"
    )


def _within(delegation: kinds.Delegation, payload: Any) -> None:
    kind = type(payload).__struct_config__.tag
    if kind not in delegation.scope:
        named = ", ".join(delegation.scope)
        raise VerificationError(f"expected a statement of a kind that was delegated ({named}), got a {kind}")
    most = delegation.limit.works
    if most is not None and isinstance(payload, (kinds.Consent, kinds.WorkUpdate)):
        covered = payload.scope.count if isinstance(payload.scope, kinds.WorksScope) else None
        if covered is None or covered > most:
            got = "the whole catalogue" if covered is None else covered
            raise VerificationError(f"expected at most {most} works, as was delegated, got {got}")
    if isinstance(payload, kinds.Licence):
        allowed = {each.currency: each.amount for each in delegation.limit.budget}
        taken: Counter[str] = Counter()
        for total in payload.totals:
            taken[total.currency] += max(0, total.amount)  # a currency that comes twice is no way around the limit
        for currency, amount in taken.items():
            if amount > allowed.get(currency, 0):
                raise VerificationError(
                    f"expected at most {allowed.get(currency, 0)} micro-units of {currency} a licence, as was "
                    f"delegated, got {amount}"
                )
