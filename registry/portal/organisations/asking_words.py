"""What pages of requests to artists say."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Plural, Vocabulary

ASKING: Final[Vocabulary] = {
    "requests": ("Requests to artists", "向作者提的请求"),
    "requests_text": (
        "Where terms leave the price open, you ask and the artist answers. Whoever said no is not asked.",
        "条件里没定价的，由你们提请求，作者来答复。说了“不可以”的，不能去问。",
    ),
    "requests_none": ("You have asked nobody yet. At the command line:", "还没有提过请求。在命令行里："),
    "asked_at": ("Asked", "提出于"),
    "stands_until": ("Stands until", "有效至"),
    "state_ask_open": ("Not answered yet", "还没答复"),
    "state_ask_offered": ("A price is offered", "作者报了价"),
    "state_ask_refused": ("Refused", "作者拒绝"),
    "state_ask_accepted": ("Accepted: a licence", "已接受，成为许可"),
    "state_ask_expired": ("Not answered in time", "过期未答"),
    "state_ask_lapsed": ("The offer ran out", "报价已过期"),
    "asks_you": ("{name} asks you", "{name} 在问你们"),
    # one request, and what to do next
    "asks_next_open": (
        "The artist has until {until} to answer. Nothing may be used before; you are told on your home page.",
        "作者可以在 {until}之前答复。答复之前什么都不能用；有了答复，首页上会说。",
    ),
    "asks_next_offered": (
        "The offer stands until {until}. Taking it is signed on your machine, which shows the whole price first:",
        "报价到 {until}为止。接受要在你们的机器上签字，签之前会先列出全部价格：",
    ),
    "asks_next_refused": (
        "The artist said no: train without these works.",
        "作者说不可以：训练时不要用这些作品。",
    ),
    "asks_next_accepted": ("You took what was offered.", "你们接受了报价。"),
    "asks_next_expired": (
        "Nobody answered in time, and no answer is not a yes. You can ask anew:",
        "到期没有答复，没答复不等于同意。可以重新提：",
    ),
    "asks_next_lapsed": (
        "Nobody took the offer in time. You can ask anew:",
        "报价到期了，没有接受。可以重新提：",
    ),
    "asks_answer": (
        "You can answer until {until}: offer a price, or refuse. Both are signed on your machine:",
        "你们可以在 {until}之前答复：报价，或者拒绝。两种都在你们的机器上签字：",
    ),
    "asks_theirs": ("There is nothing to answer any more.", "已经不用答复了。"),
    "asked_for": ("What is asked for", "问的是什么"),
    "asked_message": ("What is said with it", "附言"),
    "proposed": ("Proposed price", "提议的价格"),
    "answer": ("What was answered", "答复"),
    "answer_none": ("Nothing yet.", "还没有。"),
    "answer_offer": ("Offered price", "报价"),
    "answer_until": ("Stands until", "报价有效至"),
    "answer_ends": ("The licence would end", "许可到期"),
    "answer_revoked": ("If it is taken back", "如果收回许可"),
    "answer_days": (Plural("after {n} day: {duty}", "after {n} days: {duty}"), "过 {n} 天：{duty}"),
    "answer_refused": ("No licence is offered.", "不给许可。"),
    "asked_erased": ("It was erased with an account.", "已随账号删除。"),
    "asked_file": ("What was signed", "签过字的文件"),
    "asked_artist": ("Artist", "作者"),
}
