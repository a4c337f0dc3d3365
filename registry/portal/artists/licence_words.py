"""What artists' pages say of licences on their works, and of taking them back."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Plural, Vocabulary

LICENCES: Final[Vocabulary] = {
    "licences": ("Licences on your pictures", "别人取得的许可"),
    "licences_none": ("No team holds a licence on your pictures.", "还没有团队取过你的画的许可。"),
    "licence_see": ("See the licence", "看这份许可"),
    "licence_until": ("Until", "有效到"),
    "licence_no_end": ("No end", "没有期限"),
    "licence_ending": (
        Plural("{n} picture taken back, ends on {day}", "{n} pictures taken back, end on {day}"),
        "{n} 张已收回，{day} 停用",
    ),
    "licence_ending_soon": (Plural("{n} picture taken back", "{n} pictures taken back"), "{n} 张已收回"),
    "licence_granted": ("Taken", "取得时间"),
    "licence_covers": ("What it covers", "许可范围"),
    "licence_uses": ("Uses", "用途"),
    "licence_pictures": ("Your pictures in it", "里面有你的画"),
    "licence_proof": (
        "{team} and the registry both signed it, and the public record has it.",
        "{team} 和登记处都签了字，公开记录里有它。",
    ),
    "revoke": ("Take this licence back", "收回这份许可"),
    "revoke_group": (
        Plural("One of your pictures can be taken back.", "{n} of your pictures can be taken back."),
        "你有 {n} 张画可以收回。",
    ),
    "revoke_notice": (
        Plural("The team has one day from your signature on.", "The team has {n} days from your signature on."),
        "从你签名起，对方有 {n} 天时间。",
    ),
    "revoke_at_once": ("It holds from your signature on, without notice.", "从你签名起立刻生效，没有通知期。"),
    "revoke_firm": (
        Plural(
            "The terms of one picture do not let you take the licence back: it runs to its end.",
            "The terms of {n} pictures do not let you take the licence back: it runs to its end.",
        ),
        "有 {n} 张画当时的条件没有写可以收回，许可用到到期为止。",
    ),
    "revoke_done": (
        Plural("You took back one picture.", "You took back {n} pictures."),
        "你已经收回了 {n} 张画。",
    ),
    "revoke_reason": ("Why, if you want to say so (the team reads it)", "原因，可以不写（对方看得到）"),
    "revoke_look": ("See what I would sign", "看看要签的内容"),
    "revoke_h1": ("Take back the licence for {model}", "收回 {model} 的许可"),
    "revoke_who": ("{team} loses the licence for these pictures.", "{team} 不再有这些画的许可。"),
    "revoke_money": (
        "What was paid already stays yours, and what was used until then stays paid for.",
        "已经付的钱还是你的；在那之前的使用，该付的照付。",
    ),
    "revoke_forget": (
        "Copies and models that others have already passed on are not called back by this.",
        "已经流传出去的副本和模型，不会因此收回来。",
    ),
    "revoke_final": (
        "You cannot undo it; the team would have to ask for a new licence.",
        "收回以后不能反悔，对方要重新取许可。",
    ),
    "revoke_words": ("Your words to the team", "你写给对方的话"),
    "revoke_go": ("Sign and take it back", "签名并收回"),
    "wrong_reason": ("Please write at most {most} ordinary characters.", "请最多写 {most} 个普通字符。"),
    "duty_stop-new-runs": ("No new training runs with your pictures", "不得再用你的画训练"),
    "duty_retire-model": (
        "No new training runs with your pictures, and models trained on them are retired",
        "不得再用你的画训练，用它们训练的模型要停用",
    ),
    "duty_unlearn": (
        "No new training runs with your pictures, and models trained on them have to forget them",
        "不得再用你的画训练，用它们训练的模型要忘掉它们",
    ),
    "duties": ("What you took back", "你收回过的"),
    "duty_what": ("What the team has to do", "对方要做的"),
    "duty_by": ("By", "期限"),
    "duty_state_open": ("To be done", "还没做"),
    "duty_state_overdue": ("Overdue", "逾期了"),
    "duty_state_done": ("The team states that it is done", "对方申报做完了"),
}
