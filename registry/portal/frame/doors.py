"""Terms at a glance: the door that stands beside a picture, and one for each use. Shut is plain ink, never red."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from licet.terms import ATOMS, Rule, Terms, preset
from licet.terms.atoms import TRAINING

_NO_AI: Final = preset("no-ai")
_RESEARCH: Final = preset("research")


class Door(NamedTuple):
    """How a door is drawn (``""`` shut, ``pay`` half, ``yes`` open, ``wait`` dashed), and the name of its words."""

    drawn: str
    words: str


UNSIGNED: Final = Door("wait", "door_unsigned")
CONTESTED: Final = Door("", "door_contested")
DISPUTED: Final = Door("", "door_disputed")
LOST: Final = Door("", "door_lost")
WITHDRAWN: Final = Door("", "door_withdrawn")


def door(terms: Terms | None) -> Door:
    """Return the door of a whole work; the strictest words that are true of it."""
    if terms is None:
        return UNSIGNED
    if terms.hash == _NO_AI.hash:
        return Door("", "door_no_ai")
    if terms.hash == _RESEARCH.hash:
        return Door("yes", "door_research")
    rules = terms.rules
    if all(rule.permission == "deny" for rule in rules.values()):
        return Door("", "door_nothing")
    sold = [rules[atom].offer.model for atom in TRAINING if rules[atom].permission == "license" and _costs(rules[atom])]
    if sold:
        return Door("pay", "door_asked" if set(sold) == {"negotiate"} else "door_paid")
    if any(rules[atom].permission != "deny" for atom in TRAINING):
        return Door("yes", "door_training")
    return Door("yes", "door_own") if any(_opens(rules, atom) for atom in ATOMS) else Door("", "door_no_ai")


def use_door(rule: Rule) -> Door:
    """Return the door of one use."""
    if rule.permission == "deny":
        return Door("", "use_no")
    if rule.permission == "allow":
        return Door("yes", "use_yes")
    if rule.offer.model == "negotiate":
        return Door("pay", "use_asked")
    return Door("pay", "use_paid") if _costs(rule) else Door("yes", "use_conditions")


def _costs(rule: Rule) -> bool:
    return rule.offer.model not in ("free", "attribution")


def _opens(rules: Mapping[str, Rule], atom: str) -> bool:
    return atom != "search" and rules[atom].permission != "deny"


#: What doors and uses are called, for the vocabularies of the rooms that show them.
WORDS: Final = {
    "door_unsigned": ("Not signed, so not protected", "没签名，还没有受到保护"),
    "door_contested": ("No use: contested", "不得使用：有争议"),
    "door_disputed": ("No use: in dispute", "不得使用：争议还没结束"),
    "door_lost": ("No use: lost in a dispute", "不得使用：争议里判给了别人"),
    "door_withdrawn": ("Withdrawn: no use", "已撤下：不得使用"),
    "door_no_ai": ("No AI use", "不得用于 AI"),
    "door_nothing": ("Nothing at all, not even search", "什么都不行，搜索也不行"),
    "door_research": ("Non-commercial research", "非商业研究"),
    "door_paid": ("Training only if paid for", "付费才能训练"),
    "door_asked": ("Training only if the artist agrees", "作者答应才能训练"),
    "door_training": ("Training, on conditions", "有条件可训练"),
    "door_own": ("Some uses, no training", "部分用途，不可训练"),
    "use_no": ("No", "不可以"),
    "use_yes": ("Yes", "可以"),
    "use_paid": ("If paid for", "付费可以"),
    "use_asked": ("If the artist agrees", "作者答应才可以"),
    "use_conditions": ("On conditions, free", "有条件，不收费"),
    "use": ("Use", "用途"),
    "allowed": ("Allowed?", "可以吗"),
    "use_search": ("Show it in search results", "出现在搜索结果里"),
    "use_index": ("Store it in a library that AI looks things up in", "存进供 AI 查找的资料库"),
    "use_mine": ("Analyse it without training anything", "统计分析，不训练任何模型"),
    "use_train-nongen": ("Train a model that does not make content", "训练不生成内容的模型"),
    "use_train-gen": ("Train a model that makes content", "训练会生成内容的模型"),
    "use_finetune-style": ("Tune a model towards the artist’s style", "专门调出作者的画风"),
    "use_input": ("Give it to an AI as a reference", "当参考图交给 AI"),
    "use_generate": ("Make things that look like it", "生成像它的图"),
    "use_evaluate": ("Test a model on it", "拿来测试模型"),
    "use_redistribute": ("Pass the picture itself on in a dataset", "把原图放进数据集转给别人"),
    "untitled": ("Untitled", "无题"),
    "title_zh": ("{title}", "《{title}》"),
}
