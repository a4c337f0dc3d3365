"""What people are told of disputes, in both languages: English, then Chinese."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from licet import times

_BOTH: Final = "{} · {}"
_HELD: Final = {
    True: ("until it is decided nothing of it is paid", "裁决之前款项不予支付"),
    False: ("without effect until it is decided", "裁决之前不产生效力"),
}
_POSITION: Final = {"concede": ("agrees with it", "表示同意"), "contest": ("objects to it", "提出异议")}
_OUTCOME: Final = {
    "upheld": ("was decided for whoever opened it", "裁决支持申请方"),
    "dismissed": ("was decided against whoever opened it", "裁决驳回申请"),
}


def opened(who: str, dispute: str, subject: str, answer_until: datetime, *, holds: bool) -> str:
    """Return what the other party reads when a dispute is opened."""
    day, held = times.to_text(answer_until)[:10], _HELD[holds]
    return _BOTH.format(
        f"{who} disputes {subject} ({dispute}): {held[0]}; you can answer until {day}",
        f"{who} 对 {subject} 提出争议（{dispute}）：{held[1]}；请在 {day} 之前答复",
    )


def answered(who: str, dispute: str, position: str) -> str:
    """Return what whoever opened a dispute reads when it is answered."""
    said = _POSITION[position]
    return _BOTH.format(f"{who} {said[0]}: {dispute}", f"{who} {said[1]}：{dispute}")


def decided(dispute: str, outcome: str) -> str:
    """Return what both parties read of a decision."""
    said = _OUTCOME[outcome]
    return _BOTH.format(f"{dispute} {said[0]}", f"{dispute} {said[1]}")


def withdrawn(who: str, dispute: str) -> str:
    """Return what the other party reads when a dispute is taken back."""
    return _BOTH.format(f"{who} took {dispute} back", f"{who} 撤回了 {dispute}")
