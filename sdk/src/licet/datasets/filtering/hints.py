"""Why rows are not kept, and which option would change that: a sentence each, the most rows first."""

from __future__ import annotations

from collections.abc import Mapping

from licet.datasets.examining.deciding import BESIDE, Question
from licet.datasets.examining.signalled import PREFIX
from licet.datasets.forms.parts import PROBLEMS
from licet.datasets.licensing.wanted import NO_BUDGET
from licet.signals.combining import PUBLISHER_ALLOWS

_NEEDS = {
    "territory": "--territory",
    "open_weights": "--open-weights yes|no",
    "at": "a moment (at) in the request",
    "sublicense": "sublicense in the request",
    "exclusive": "exclusive in the request",
}


def hints(reasons: Mapping[tuple[str, str], int], question: Question, *, accepting: bool) -> list[str]:
    """Return what to say about the rows that are out, by (verdict, reason)."""
    found: list[tuple[int, str]] = []
    for (verdict, reason), rows in sorted(reasons.items()):
        sentence = _sentence(verdict, reason, question, accepting=accepting)
        if sentence is not None:
            found.append((rows, f"{_rows(rows)} {sentence}"))
    return [sentence for _, sentence in sorted(found, key=lambda each: -each[0])]


def _sentence(verdict: str, reason: str, question: Question, *, accepting: bool) -> str | None:
    if reason.startswith("after:"):
        return f"kept out when the addresses were filtered ({reason.removeprefix('after:')}); no option changes that"
    field = reason.removeprefix("needs:")
    if reason.startswith(PREFIX):
        return _said(verdict, reason.removeprefix(PREFIX))
    if reason == PUBLISHER_ALLOWS:
        return "permitted by who publishes them, which is not the artist's consent; --unknown keep keeps them"
    if verdict == "deny":
        return f"denied ({reason}); no option changes that"
    if verdict == "unknown" and reason == "not-examined":
        return "known by address alone, which is not registered; --unknown keep keeps them, at your own risk"
    if verdict == "unknown":
        return f"without consent ({reason}); --unknown keep keeps them, at your own risk"
    if verdict == "license" and reason == "needs-agreement":
        return "an agreement is needed: `licet licences agree` takes prices that terms state, `request` asks for others"
    if verdict == "license" and reason.startswith(f"{NO_BUDGET}:"):
        currency = reason.partition(":")[2]
        return f"priced in {currency}, and --budget has nothing in that; --budget AMOUNT{currency} as well takes them"
    if verdict == "license" and reason == "over-budget":
        return "over budget; a larger --budget takes them"
    if verdict == "license" and reason == "changed":
        return "changed while this ran; run it again"
    if verdict == "license" and reason == "offer":
        if accepting:
            return "a licence is needed that was not granted"
        return "a licence is needed; --accept --model ORG/NAME@VERSION --dataset NAME --budget AMOUNT takes one"
    if verdict == "review" and reason != field:
        return f"the request leaves open what the terms ask: {_NEEDS.get(field, field)} answers it"
    if verdict == "review" and reason == "min-claim-level":
        return f"claimed below level {question.min_claim_level}; a lower --min-claim-level counts them"
    if verdict == "review" and reason == "style":
        return "by somebody who dominates the dataset; --use finetune-style asks for that too"
    if verdict == "review" and reason in PROBLEMS:
        return f"cannot be examined ({reason})"
    return f"a look is needed ({reason})"


def _said(verdict: str, said: str) -> str:
    """Return what to say of rows that others than registered artists restrict."""
    said, _, beside = said.partition(BESIDE)
    if beside:
        return f"denied by what is said where they lie or in their files ({said}), and a look is needed ({beside})"
    if verdict == "license":
        return f"offered by who publishes them, who licenses elsewhere ({said}): `licet signals` shows the terms"
    if verdict == "review":
        return f"something is said about them that could not be read ({said}); `licet signals` shows what"
    return f"denied by what is said where they lie or in their files ({said}); a licence of the artist goes before"


def _rows(count: int) -> str:
    return "1 row:" if count == 1 else f"{count:,} rows:"
