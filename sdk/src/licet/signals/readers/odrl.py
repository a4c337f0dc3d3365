"""ODRL policies in JSON-LD: of TDMRep, of Croissant's ``usageInfo``, or on their own; and TDM·AI declarations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from licet.signals.dialects import ODRL, ODRL_ACTIONS, TDMAI, TDMAI_APART, TDMAI_NESTED, Token
from licet.signals.documents import loads
from licet.signals.strictness import UNSET, mask
from licet.signals.types import Carrier, Signal

MAX_BYTES: Final = 1 << 20
MAX_POLICIES: Final = 1000
MAX_DEPTH: Final = 50

_NOT_LETTERS: Final = re.compile(r"[^a-z]")
_ACTIONS: Final = {_NOT_LETTERS.sub("", name): token for name, token in ODRL_ACTIONS.items()} | {
    "generativeaitraining": ODRL_ACTIONS["gen-ai"],
    "textanddatamining": ODRL_ACTIONS["mine"],
}
_RULES: Final = ("permission", "prohibition", "obligation", "duty")
_YES: Final = frozenset({"true", "y", "yes"})
_NO: Final = frozenset({"false", "n", "no"})


def read_odrl(body: bytes, *, at: str, carrier: Carrier = "document", asset: bool = False) -> tuple[Signal, ...]:
    """Return what the policies in a JSON-LD document say; what is no such document is for somebody to look at."""
    if len(body) > MAX_BYTES:
        return (ODRL.unreadable(carrier, at, f"{len(body):,} bytes", "too-long", asset=asset),)
    try:
        value = loads(body)
    except (ValueError, RecursionError):
        return (ODRL.unreadable(carrier, at, body[:400].decode("utf-8", "replace"), asset=asset),)
    return policies(value, at=at, carrier=carrier, asset=asset)


def policies(value: Any, *, at: str, carrier: Carrier, asset: bool = False) -> tuple[Signal, ...]:
    """Return what the policies in a JSON value say; one signal at least, if only that there is none to be read."""
    found: list[Signal] = []
    for count, policy in enumerate(_found(value, MAX_DEPTH)):
        if count >= MAX_POLICIES:
            found.append(ODRL.unreadable(carrier, at, f"more than {MAX_POLICIES:,} policies", "too-long", asset=asset))
            break
        found += _policy(policy, at, carrier, asset)
    return tuple(found) or (ODRL.unreadable(carrier, at, "no policy of ODRL's", asset=asset),)


def is_policy(value: Any) -> bool:
    """Return whether a JSON value is a policy: an object with rules."""
    return isinstance(value, dict) and any(name in {_key(each) for each in value} for name in _RULES)


def read_tdmai(value: Any, *, at: str) -> tuple[Signal, ...]:
    """Return what a TDM·AI declaration says; it is bound to an ISCC, and so to the work.

    What is said of all processing holds for training, and what is said of training for generative training, unless the
    narrower one is named. Answers are the texts ``"true"`` and ``"false"``; older ones were ``y`` and ``n``.
    """
    if not isinstance(value, dict):
        return (TDMAI.unreadable("document", at, type(value).__name__, asset=True),)
    found: list[Signal] = []
    inherited: Any = None
    for key, uses in TDMAI_NESTED.items():
        inherited = value.get(key, inherited)
        if inherited is not None:
            found.append(_answered(key, inherited, Token(uses, uses), at))
    for key, uses in TDMAI_APART.items():
        if (answer := value.get(key)) is not None:
            found.append(_answered(key, answer, Token(uses, uses), at))
    return tuple(found)


def _answered(key: str, answer: Any, token: Token, at: str) -> Signal:
    text = str(answer).strip().lower()
    said = f'"{key}": "{text}"'
    if text in _NO:
        return TDMAI.signal("document", at, said, token.denied(), "denied", asset=True)
    if text in _YES:
        return TDMAI.signal("document", at, said, token.allowed(), "allowed", asset=True)
    return TDMAI.signal("document", at, said, token.doubtful(), "unknown-value", asset=True)


def _policy(policy: dict[str, Any], at: str, carrier: Carrier, asset: bool) -> Iterator[Signal]:
    members = {_key(name): each for name, each in policy.items()}
    duties = bool(members.get("obligation"))
    terms = next((str(members[name]) for name in ("uid", "id") if isinstance(members.get(name), str)), at) or None
    for rule in _many(members.get("prohibition")):
        for name in _actions(rule, members):
            token = _ACTIONS.get(name)
            said = f"prohibition of {name}"
            if token is None:
                yield ODRL.unreadable(carrier, at, said, "unknown-value", asset=asset)
            else:
                yield ODRL.signal(carrier, at, said, token.denied(), "prohibited", asset=asset, terms=terms)
    for rule in _many(members.get("permission")):
        bound = duties or (
            isinstance(rule, dict)
            and any(_key(name) in ("duty", "constraint", "obligation") and each for name, each in rule.items())
        )
        for name in _actions(rule, members):
            token = _ACTIONS.get(name)
            if token is None:
                said = f"permission for {name}"
                yield ODRL.signal(carrier, at, said, UNSET, "unknown-permission", asset=asset, terms=terms)
                continue
            offered = bound or _refined(rule)
            yield ODRL.signal(
                carrier,
                at,
                f"permission for {name}{' under conditions' if offered else ''}",
                mask("license", token.allows) if offered else token.allowed(),
                "offered" if offered else "permitted",
                asset=asset,
                terms=terms,
            )
    if not members.get("permission") and not members.get("prohibition"):
        yield ODRL.signal(carrier, at, "a policy without permissions", UNSET, "no-permission", asset=asset, terms=terms)


def _actions(rule: Any, policy: dict[str, Any]) -> Iterator[str]:
    """Yield the names of a rule's actions, in small letters alone."""
    own = {_key(name): each for name, each in rule.items()} if isinstance(rule, dict) else {}
    for action in _many(own.get("action", policy.get("action"))):
        given = action
        if isinstance(action, dict):
            members = {_key(name): each for name, each in action.items()}
            given = members.get("value", members.get("id", members.get("type", "")))
            if isinstance(given, dict):
                given = next((each for name, each in given.items() if _key(name) == "id"), "")
        yield _NOT_LETTERS.sub("", re.split(r"[#/:]", str(given))[-1].lower())


def _refined(rule: Any) -> bool:
    return isinstance(rule, dict) and any(
        isinstance(action, dict) and any(_key(name) == "refinement" and each for name, each in action.items())
        for action in _many(rule.get("action"))
    )


def _found(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth <= 0:
        return
    if is_policy(value):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _found(each, depth - 1)
    elif isinstance(value, list):
        for each in value:
            yield from _found(each, depth - 1)


def _key(name: object) -> str:
    """Return a member's name without prefix and @, however the context spells it."""
    return re.split(r"[#/:]", str(name))[-1].lstrip("@").lower()


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
