"""How an amount came about, a line a step, in words that its payee can follow with a pencil."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from licet import money
from licet.errors import InputError
from licet.terms.figures import percent


class Step(msgspec.Struct, frozen=True):
    """One step: what was done, what came of it, and the figures it was done with (micro-units, counts, weights).

    ===========================================  ==============================  =============  =================
    ``what``                                     ``amount``                      ``by``         ``of``
    ===========================================  ==============================  =============  =================
    ``per-work`` ``per-training-run``            price of one                    how many
    ``per-output`` ``subscription``
    ``share``                                    net revenue                     basis points
    ``agreed`` ``unreported``
    ``minimum`` ``cap``                          the bound
    ``part``                                     what is divided                 its weight     all weights
    ``late``                                                                     year           month
    ``charged``                                  what closes have charged
    ``free`` ``attribution`` ``negotiate``
    ===========================================  ==============================  =============  =================
    """

    what: str
    result: int
    amount: int = 0
    by: int = 0
    of: int = 0


def written(steps: Iterable[Step], currency: str | None, lang: str) -> list[str]:
    """Return ``steps`` in words, a line each, with amounts of ``currency``; ``lang`` is ``en`` or ``zh-Hans``.

    Raises ``InputError`` for another language.
    """
    if lang not in LANGUAGES:
        raise InputError.field("lang", " or ".join(LANGUAGES), lang)
    return [LANGUAGES[lang](step, currency or "") for step in steps]


_EACH: Final = {
    "per-work": "{} for the work × {}",
    "per-training-run": "{} a run × {}",
    "per-output": "{} an output × {}",
    "subscription": "{} a period × {}",
}
_EACH_CHINESE: Final = {
    "per-work": "每件作品 {} × {}",
    "per-training-run": "每次训练 {} × {}",
    "per-output": "每件产出 {} × {}",
    "subscription": "每个周期 {} × {}",
}


def _english(step: Step, currency: str) -> str:
    result, amount = money.written(step.result, currency), money.written(step.amount, currency)
    if step.what in _EACH:
        return f"{_EACH[step.what].format(amount, f'{step.by:,}')} = {result}"
    return {
        "free": "free of charge",
        "attribution": "credit is owed, no money",
        "negotiate": "nothing until the artist has answered",
        "agreed": f"{result} were agreed to be divided",
        "unreported": "no revenue was reported",
        "share": f"{percent(step.by)}% of {amount} net revenue = {result}",
        "minimum": f"at least {result}",
        "cap": f"at most {result}",
        "part": f"{amount} × {step.by:,} / {step.of:,} = {result}",
        "late": f"of {step.by:04d}-{step.of:02d}, reported after its close",
        "charged": f"less {amount} charged before = {result}",
    }[step.what]


def _chinese(step: Step, currency: str) -> str:
    result, amount = money.written(step.result, currency), money.written(step.amount, currency)
    if step.what in _EACH_CHINESE:
        return f"{_EACH_CHINESE[step.what].format(amount, f'{step.by:,}')} = {result}"
    return {
        "free": "免费",
        "attribution": "需要署名，不用付款",
        "negotiate": "艺术家答复之前不用付款",
        "agreed": f"约定分配 {result}",
        "unreported": "没有收到收入报告",
        "share": f"净收入 {amount} 的 {percent(step.by)}% = {result}",
        "minimum": f"不低于 {result}",
        "cap": f"不高于 {result}",
        "part": f"{amount} × {step.by:,} / {step.of:,} = {result}",
        "late": f"{step.by} 年 {step.of} 月的部分，结账之后才报告",
        "charged": f"减去此前已计收的 {amount} = {result}",
    }[step.what]


LANGUAGES: Final[dict[str, Callable[[Step, str], str]]] = {"en": _english, "zh-Hans": _chinese}
