"""条件的中文说法（简体）。"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from licet import money, times
from licet.terms import durations
from licet.terms.figures import clock, percent
from licet.terms.prices import Price
from licet.terms.rules import Rule

ENDING: Final = "本声明没有写到的用途，不表示我同意。"

USES: Final = {
    "search": "在搜索结果里展示它们",
    "index": "把它们存进供 AI 查找的资料库",
    "mine": "对它们做不涉及训练的统计分析",
    "train-nongen": "用它们训练不生成内容的模型",
    "train-gen": "用它们训练会生成内容的模型",
    "finetune-style": "用它们专门调出我的风格",
    "input": "把它们当参考素材交给 AI",
    "generate": "生成像它们的内容",
    "evaluate": "拿它们测试模型",
    "redistribute": "把作品本身放进数据集转给别人",
}
_AUDIENCES: Final = {
    "commercial": "商业用途",
    "non-commercial": "非商业用途",
    "research": "研究",
    "education": "教育",
    "government": "政府用途",
    "personal": "个人用途",
}
_REVOKED: Final = {
    "stop-new-runs": "新的训练不得再用它们",
    "retire-model": "用它们训练的模型必须停用",
    "unlearn": "用它们训练的模型必须消除从它们学到的内容",
}
_UNITS: Final = ("年", "个月", "天", "小时", "分钟", "秒")
_SYMBOLS: Final = {"CNY": "¥", "USD": "US$", "EUR": "€", "GBP": "£"}


def statement(groups: Sequence[tuple[Rule, Sequence[str]]], who: str, count: int | None) -> str:
    """Return the whole text for uses grouped by rule."""
    name = f"我，{who}，" if who else "我"
    works = "我账号下的全部作品（包括以后加入的）" if count is None else f"清单上的 {count:,} 件作品"
    return f"{name}就{works}声明：自本声明生效之时起，{''.join(sentences(groups))}"


def sentences(groups: Sequence[tuple[Rule, Sequence[str]]]) -> list[str]:
    """Return what is said of uses grouped by rule, sentence by sentence."""
    return [*(_sentence(rule, [USES[atom] for atom in atoms]) for rule, atoms in groups), ENDING]


def _sentence(rule: Rule, uses: list[str]) -> str:
    if rule.permission == "allow":
        return f"任何人可以{_listed(uses, '，也可以')}。"
    if rule.permission == "deny":
        return f"任何人不得{_listed(uses, '，不得')}。"
    return f"接受以下条件的人，可以{_listed(uses, '，也可以')}：{'；'.join(asked(rule))}。"


def asked(rule: Rule) -> Iterator[str]:
    """Yield what ``rule`` asks of whoever accepts it, its price first."""
    yield price_text(rule.offer)
    if rule.audience:
        yield f"只限{'、'.join(_AUDIENCES[each] for each in rule.audience)}"
    if rule.territory:
        if rule.territory.allow:
            yield f"只限这些国家或地区：{'、'.join(rule.territory.allow)}"
        if rule.territory.deny:
            yield f"这些国家或地区除外：{'、'.join(rule.territory.deny)}"
    if rule.valid_from:
        yield f"不早于 {_moment(rule.valid_from)}"
    if rule.valid_until:
        yield f"须在 {_moment(rule.valid_until)}之前"
    if rule.grant_term:
        yield f"每份许可期限为 {duration_text(rule.grant_term)}"
    if rule.model_scope:
        yield "只限一个模型版本" if rule.model_scope == "one-version" else "同一模型的所有版本都可以"
    if rule.open_weights is not None:
        yield "模型权重可以公开" if rule.open_weights else "模型权重不得公开"
    if rule.exclusive is not None:
        yield "只许可给一家" if rule.exclusive else "任何一家都不得独占"
    if rule.sublicensable is not None:
        yield "许可可以转给别人" if rule.sublicensable else "许可不得转给别人"
    if rule.attribution:
        url = f"（{rule.attribution.url}）" if rule.attribution.url else ""
        place = f"，位置：{rule.attribution.place}" if rule.attribution.place else ""
        yield f"须署名“{rule.attribution.text}”{url}{place}"
    if rule.reporting:
        yield f"每 {duration_text(rule.reporting.every)}报告一次"
    if rule.revocation:
        days = rule.revocation.notice_days
        yield f"我收回许可后，{f'过 {days:,} 天' if days else '立即'}起，{_REVOKED[rule.revocation.effect]}"


def price_text(price: Price) -> str:
    """Return what is to be paid, as a part of a sentence."""
    figure = _money(price.amount, price.currency) if price.amount else ""
    limits = [f"最少 {_money(price.minimum, price.currency)}"] if price.minimum else []
    limits += [f"最多 {_money(price.cap, price.currency)}"] if price.cap else []
    share = f" {percent(price.share_bps)}%" if price.share_bps else "一部分"
    every = f"每 {duration_text(price.period)}" if price.period else ""
    base = {
        "free": "不收费",
        "attribution": "以署名代替付费",
        "per-work": f"每件作品 {figure}，只付一次",
        "per-training-run": f"每件作品、每次训练 {figure}",
        "per-output": f"每件作品、每次输出 {figure}",
        "subscription": f"每件作品{every} {figure}",
        "pool": f"{every}分得资金池（{price.currency}）的{share}",
        "revenue-share": f"{every}分得收入的{share}",
        "negotiate": "价格以我的答复为准",
    }[price.model]
    return "，".join([base, *limits])


def _money(decimal: str | None, currency: str | None) -> str:
    code = currency or ""
    return f"{_SYMBOLS.get(code, f'{code} ')}{money.figure(decimal or '0', code)}"


def _moment(text: str) -> str:
    at = times.from_text(text)
    return f"{at.year} 年 {at.month} 月 {at.day} 日 {clock(at)}（UTC）"


def duration_text(text: str) -> str:
    """Return how long the ISO 8601 duration ``text`` is, as a part of a sentence."""
    numbers = durations.parse(text).parts
    return " ".join(f"{number:,} {unit}" for number, unit in zip(numbers, _UNITS, strict=True) if number)


def _listed(items: Sequence[str], between: str) -> str:
    return between.join(items)
