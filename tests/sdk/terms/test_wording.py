"""The text that is signed: it names who, which works, from when and every use, in both languages."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.errors import InputError
from licet.terms import ATOMS, Price, Terms, chinese, english, plain_text, preset, sentences, text_hash
from tests.sdk.terms import strategies
from tests.sdk.terms.strategies import offer, written

PAID = preset("paid", Price(model="per-training-run", amount="2", currency="CNY"))
WORDS = {"en": (english.USES, english.ENDING), "zh-Hans": (chinese.USES, chinese.ENDING)}


@given(strategies.terms(), st.sampled_from(sorted(WORDS)))
def test_every_use_is_named_once_and_nothing_else_is_agreed_to(terms, lang):
    uses, ending = WORDS[lang]
    assert set(uses) == set(ATOMS)
    text = plain_text(terms, lang, "Su Tang", 12)
    assert text.endswith(ending)
    assert [atom for atom in ATOMS if text.count(uses[atom]) != 1] == []


@given(strategies.terms(), strategies.terms(), st.sampled_from(sorted(WORDS)))
def test_different_terms_read_differently(a, b, lang):
    assert (a == b) == (plain_text(a, lang) == plain_text(b, lang))


def test_no_ai_in_both_languages():
    assert plain_text(preset("no-ai"), "en", "Su Tang", 12) == (
        "I, Su Tang, state for the 12 works in the list: from the moment this takes effect, "
        "anyone may show them in search results. "
        "Nobody may store them in a library that AI looks things up in, run analyses on them that train nothing, "
        "use them to train a model that does not make content, use them to train a model that makes content, "
        "tune a model towards my style with them, give them to an AI as a reference, make things that are like them, "
        "test a model on them or pass the works themselves on in a dataset. "
        "I do not agree to any use this statement does not name."
    )
    assert plain_text(preset("no-ai"), "zh-Hans", "苏棠", 12) == (
        "我，苏棠，就清单上的 12 件作品声明：自本声明生效之时起，任何人可以在搜索结果里展示它们。"
        "任何人不得把它们存进供 AI 查找的资料库，不得对它们做不涉及训练的统计分析，不得用它们训练不生成内容的模型，"
        "不得用它们训练会生成内容的模型，不得用它们专门调出我的风格，不得把它们当参考素材交给 AI，"
        "不得生成像它们的内容，不得拿它们测试模型，不得把作品本身放进数据集转给别人。本声明没有写到的用途，不表示我同意。"
    )


def test_prices_and_conditions_are_exact():
    english_text, chinese_text = plain_text(PAID, "en", "Su Tang", 1), plain_text(PAID, "zh-Hans", "苏棠", 1)
    assert "the 1 work in the list" in english_text
    assert "CN¥2.00 for each work and each training run" in english_text
    assert "每件作品、每次训练 ¥2.00" in chinese_text
    terms = written(
        mine=offer(
            "1248.5",
            currency="EUR",
            territory={"allow": ["EU"], "deny": ["DE"]},
            valid_from="2026-12-01",
            valid_until="2028-01-01T12:30:00.000Z",
            grant_term="P2Y6M",
            revocation={"notice_days": 1, "effect": "unlearn"},
            reporting={"every": "P3M"},
        )
    )
    text = plain_text(terms, "en")
    for words in (
        "I state for all works under my account, also those I add later:",
        "€1,248.50 for each work, paid once",
        "only in EU; not in DE",
        "not before 1 December 2026, 00:00 UTC; only before 1 January 2028, 12:30 UTC",
        "each licence ends after 2 years and 6 months",
        "with a report every 3 months",
        "after 1 day models trained on them must unlearn them",
    ):
        assert words in text
    assert "2026 年 12 月 1 日 00:00（UTC）" in plain_text(terms, "zh-Hans")


@pytest.mark.parametrize(
    ("price", "en", "zh"),
    [
        (
            {"model": "per-output", "amount": "0.01", "currency": "JPY", "cap": "10000"},
            "JPY 0.01 .* at most JPY 10,000",
            "最多 JPY 10,000",
        ),
        (
            {"model": "subscription", "amount": "3", "currency": "USD", "period": "P1M"},
            "US\\$3.00 .* every 1 month",
            "每 1 个月",
        ),
        ({"model": "pool", "currency": "USD", "share_bps": 1250}, "12.5% of a pool in USD", "12.5%"),
        ({"model": "revenue-share", "share_bps": 500}, "5% of the revenue", "收入的 5%"),
        ({"model": "negotiate"}, "for a price that I have answered with", "价格以我的答复为准"),
    ],
)
def test_every_price_model_has_words(price, en, zh):
    import re

    terms = written(mine={"permission": "license", "price": price})
    assert re.search(en, plain_text(terms, "en"))
    assert zh in plain_text(terms, "zh-Hans")


def test_the_hash_is_that_of_the_text():
    text = plain_text(PAID, "zh-Hans", "苏棠", 3)
    assert text_hash(text) == hashlib.sha256(text.encode()).hexdigest()
    assert plain_text(Terms.decode(PAID.encoded), "zh-Hans", "苏棠", 3) == text


@pytest.mark.parametrize(
    ("lang", "who", "count", "field"),
    [
        ("de", "", 1, "lang"),
        ("en", "a\nb", 1, "who"),
        ("en", "a\u202eb", 1, "who"),
        ("en", "x" * 201, 1, "who"),
        ("en", "", 0, "count"),
    ],
)
def test_what_cannot_be_said_is_refused(lang, who, count, field):
    with pytest.raises(InputError, match=f"^{field}: expected"):
        plain_text(PAID, lang, who, count)


@pytest.mark.parametrize("lang", ["en", "zh-Hans"])
def test_sentences_are_those_of_the_whole_text(lang: str) -> None:
    terms = preset("research")
    said, whole = sentences(terms, lang), plain_text(terms, lang, "Mei Lin", 9)
    assert len(said) > 2
    assert whole.endswith((" " if lang == "en" else "").join(said[1:]))
    assert not any("9" in each or "Mei Lin" in each for each in said)
