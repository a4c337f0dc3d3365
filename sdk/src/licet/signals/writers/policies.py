"""ODRL: a policy on its own, the policy behind a TDMRep reservation, ``tdmrep.json``, and Croissant's ``usageInfo``."""

from __future__ import annotations

from typing import Any, Final

from licet.signals.dialects import ODRL_ACTIONS, TDMREP_RESERVATION
from licet.signals.strictness import UNSET, mask
from licet.signals.writers.written import Subject, Written, as_json, nearest, rule_for
from licet.terms import Terms
from licet.terms.prices import NEEDS_AGREEMENT
from licet.terms.rules import Rule

JSON_LD: Final = "application/ld+json"
JSON: Final = "application/json"
ODRL_CONTEXT: Final = "http://www.w3.org/ns/odrl.jsonld"
TDMREP_CONTEXT: Final = "http://www.w3.org/ns/tdmrep.jsonld"
TDMREP_PROFILE: Final = "http://www.w3.org/ns/tdmrep"

#: Actions that are chosen together, because they speak of the same uses.
_TOGETHER: Final = (
    ("gen-ai", "ai-training", "data-mining", "derive"),
    ("index",),
    ("ai-augment",),
    ("search",),
    ("distribute",),
)
_SPELT: Final = {"derive": "odrl:derive", "index": "odrl:index", "distribute": "odrl:distribute"}
_VOCABULARY: Final = "https://w3c.github.io/odrl/ai-vocab/"
_MINING: Final = TDMREP_RESERVATION.denies


def odrl(subject: Subject) -> Written:
    """Return an ODRL policy: a prohibition, an offer or a permission for each action that says so exactly enough."""
    policy, said = _policy(subject)
    return Written("odrl", "odrl.json", JSON_LD, as_json(policy), said)


def tdmrep_policy(subject: Subject) -> Written:
    """Return the policy that ``tdm-policy`` names: what of mining is on offer, under which duties.

    ``mask`` is that of the reservation with this policy read.
    """
    return Written("tdmrep", "tdm-policy.json", JSON_LD, as_json(_tdm_policy(subject)), reservation(subject)[1])


def tdmrep_file(subject: Subject) -> Written:
    """Return ``/.well-known/tdmrep.json`` with one rule, for ``subject.url``."""
    rule, said = reservation(subject)
    return Written(
        "tdmrep.json", "tdmrep.json", JSON, as_json([{"location": subject.url, **rule}] if rule else []), said
    )


def croissant(subject: Subject) -> Written:
    """Return the members that a Croissant description of a data set with the work takes over."""
    policy, said = _policy(subject)
    document: dict[str, Any] = {
        "@context": {"@vocab": "https://schema.org/", "sc": "https://schema.org/", "dct": "http://purl.org/dc/terms/"},
        "@type": "sc:Dataset",
        "dct:conformsTo": "http://mlcommons.org/croissant/1.1",
    }
    document |= {"license": subject.address} if subject.address else {}
    document["usageInfo"] = policy
    return Written("croissant", "croissant.json", JSON_LD, as_json(document), said)


def reservation(subject: Subject) -> tuple[dict[str, str], int]:
    """Return the members of a TDMRep reservation, none for nothing to say, and its mask with its policy read.

    1 reserves all that may be called mining; its policy is named only where it has an address and offers something.
    """
    options = (UNSET, TDMREP_RESERVATION.allowed(), TDMREP_RESERVATION.denied())
    (chosen,) = nearest([options], subject)
    if chosen != 2:
        return ({}, UNSET) if chosen == 0 else ({"tdm-reservation": "0"}, options[1])
    policy = subject.machine.get("tdmrep")
    offered = _offered(subject.terms)
    if policy is None or not offered:
        return {"tdm-reservation": "1"}, options[2]
    said = mask("license", offered) | mask("deny", _MINING - offered)
    return {"tdm-reservation": "1", "tdm-policy": policy}, said


def _offered(terms: Terms) -> frozenset[str]:
    """Return the uses that the policy of a reservation opens."""
    actions = _tdm_actions(terms)
    return frozenset().union(*(ODRL_ACTIONS[name].allows for name in actions))


def _tdm_actions(terms: Terms) -> list[str]:
    """Return the actions of a TDMRep policy: those of which nothing is denied that they may be read to mean."""
    return [
        name
        for name in ("mine", "gen-ai", "ai-training", "data-mining", "index", "ai-augment")
        if rule_for(terms, ODRL_ACTIONS[name].denies).permission != "deny"
    ]


def _tdm_policy(subject: Subject) -> dict[str, Any]:
    address = subject.machine.get("tdmrep") or subject.address
    policy: dict[str, Any] = {
        "@context": [ODRL_CONTEXT, TDMREP_CONTEXT, {"aip": _VOCABULARY}],
        "@type": "Offer",
        "profile": TDMREP_PROFILE,
    }
    policy |= {"uid": address} if address else {}
    policy |= {"assigner": _assigner(subject)} if subject.artist or subject.address else {}
    policy["permission"] = [
        {"target": subject.url, "action": "tdm:mine" if name == "mine" else _action(name), **_duties(rule, "tdm:")}
        for name in _tdm_actions(subject.terms)
        for rule in [rule_for(subject.terms, ODRL_ACTIONS[name].denies)]
    ]
    return policy


def _policy(subject: Subject) -> tuple[dict[str, Any], int]:
    rules: dict[str, list[dict[str, Any]]] = {"permission": [], "prohibition": []}
    said = UNSET
    for group in _TOGETHER:
        tokens = [ODRL_ACTIONS[name] for name in group]
        options = [_answers(subject.terms, name) for name in group]
        for name, token, answers, chosen in zip(group, tokens, options, nearest(options, subject), strict=True):
            said |= answers[chosen]
            rule: dict[str, Any] = {"target": subject.url, "action": _action(name)}
            if chosen == 1:
                rules["prohibition"].append(rule)
            elif chosen in (2, 3):
                rules["permission"].append(rule | _duties(rule_for(subject.terms, token.denies), "odrl:"))
    policy: dict[str, Any] = {"@context": [ODRL_CONTEXT, {"aip": _VOCABULARY}], "@type": "Offer"}
    address = subject.machine.get("odrl") or subject.address
    policy |= {"uid": address} if address else {}
    policy |= {"assigner": _assigner(subject)} if subject.artist or subject.address else {}
    return policy | {name: found for name, found in rules.items() if found}, said


def _answers(terms: Terms, name: str) -> tuple[int, ...]:
    """Return the masks of silence, a prohibition, an offer and a permission, those that may be given."""
    token = ODRL_ACTIONS[name]
    permission = rule_for(terms, token.denies).permission
    answers = [UNSET, token.denied()]
    # A permission is given only where everybody who may be meant by it is: whatever else the action covers.
    if permission != "deny" and token.allows:
        answers.append(mask(permission, token.allows))
    return tuple(answers)


def _duties(rule: Rule, prefix: str) -> dict[str, Any]:
    """Return the duties of an offer; none for what is free of conditions."""
    if rule.permission == "allow":
        return {}
    consent = "obtainConsent"
    duties: list[dict[str, Any]] = [{"action": f"{prefix}{consent}" if prefix == "tdm:" else consent}]
    price = rule.offer
    if price.amount and price.model not in NEEDS_AGREEMENT:
        duties.append(
            {
                "action": {
                    "rdf:value": {"@id": "odrl:compensate"},
                    "refinement": [
                        {
                            "leftOperand": "payAmount",
                            "operator": "eq",
                            "rightOperand": {"@value": price.amount, "@type": "xsd:decimal"},
                            "unit": f"http://dbpedia.org/resource/{price.currency}",
                        }
                    ],
                }
            }
        )
    elif price.model not in ("free", "attribution"):
        duties.append({"action": "odrl:compensate"})
    if rule.attribution:
        duties.append({"action": "odrl:attribute"})
    return {"duty": duties}


def _assigner(subject: Subject) -> dict[str, Any]:
    person: dict[str, Any] = {"@type": "vcard:Kind"}
    person |= {"vcard:fn": subject.artist} if subject.artist else {}
    return person | ({"vcard:hasURL": subject.address} if subject.address else {})


def _action(name: str) -> str:
    return _SPELT.get(name, f"aip:{name}")
