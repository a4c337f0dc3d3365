"""What pages say where an artist chooses terms, looks at them before signing, and signs."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Plural, Vocabulary

TERMS: Final[Vocabulary] = {
    # effects
    "effect_initial": ("Signed for the first time", "第一次签"),
    "effect_tighten": ("Made stricter, or signed again", "收紧或重签"),
    "effect_loosen": ("Loosened", "放宽"),
    "effect_withdraw": ("Withdrawn", "撤下"),
    "effect_update": ("What it is recognised by changed", "辨认依据有变"),
    # terms
    "terms": ("Set terms and sign", "定条件并签名"),
    "terms_h1": (
        Plural("What may others do with this picture?", "What may others do with these {n} pictures?"),
        "别人可以拿这 {n}\N{NO-BREAK SPACE}张画做什么？",
    ),
    "terms_all": (
        "These are all your pictures. What you chose for single ones is replaced.",
        "这是你的全部画。之前单独定过的条件都会被替换。",
    ),
    "terms_signed": (
        Plural(
            (
                "You signed for this picture on {at}, and that is kept. There is nothing left to do: leave this page, "
                "go back or close it as you like. Sign again only to change something."
            ),
            (
                "You signed for these {n} pictures on {at}, and that is kept. There is nothing left to do: leave this "
                "page, go back or close it as you like. Sign again only to change something."
            ),
        ),
        "这 {n} 张画你已在 {at} 签过，记录已经保存。不用再做什么，离开、后退或关掉这页都没关系。想改条件才需要再签。",
    ),
    "terms_signed_see": ("See the receipt", "看收据"),
    "terms_cards": ("Terms", "条件"),
    "card_no-ai": ("No AI use", "不得用于 AI"),
    "card_no-ai_why": (
        "The strictest. You stay findable in search, and nothing else.",
        "最严。别人还能搜到你，别的都不行。",
    ),
    "card_research": ("Non-commercial research", "非商业研究"),
    "card_research_why": (
        (
            "Universities and public-interest research may analyse your pictures, and train and test models that make "
            "no content. Companies may not."
        ),
        "大学和公益研究可以分析、测试，也可以训练不生成内容的模型。公司不行。",
    ),
    "card_paid": ("Training only if paid for", "付费才能训练"),
    "card_paid_why": (
        "You set the price, they pay for every training run. Whoever does not accept the price may not.",
        "价格你定，每训练一次付一次。不接受这个价的，就不行。",
    ),
    "card_own": ("My own terms", "我自己定"),
    "card_own_why": ("Decide each of ten uses for itself.", "十种用途，一项一项定。"),
    "terms_price": ("Your price", "你的价格"),
    "terms_amount": ("Per picture, per training run", "每张画、每次训练"),
    "terms_currency": ("Currency", "货币"),
    "terms_until": ("Until (empty: no end)", "到哪天为止（空着：不限）"),
    "begins_mixed": (
        "These pictures have different terms now. Here the strictest are chosen; what you sign holds for all of them.",
        "这些画现在的条件不一样。这里先选了最严的，签了就对它们全部生效。",
    ),
    "terms_update": ("Show what I would sign", "看看要签的字"),
    "view": ("Preview", "预览"),
    "view_how": ("See it another way", "换个方式看"),
    "view_words": ("In words", "用大白话说"),
    "view_uses": ("Who may do what", "谁能做什么"),
    "view_machine": ("For machines", "机器格式"),
    "view_oath": ("This is the text you sign, word for word:", "这就是你要签的字，一字不差："),
    "view_missing": ("Still to fill in: {what}", "还要填：{what}"),
    "view_strictest": (
        "Until then the strictest terms stand here, not what you chose, and nothing can be signed.",
        "在那之前，这里显示的是最严的条件，不是你选的，也还不能签。",
    ),
    "view_machine_text": (
        "The same, as programs read it. You need not understand it; we publish it for you.",
        "同样的意思，写成程序认的格式。你不用看懂，我们替你发。",
    ),
    "will": ("Before you sign", "签名之前，看清楚"),
    "will_does": ("What it does", "签了会怎样"),
    "will_not": ("What it cannot do", "签了也不会怎样"),
    "will_now": (
        Plural(
            "In force here at once, and within a minute in the lists that teams download.",
            "In force here at once, and within {n} minutes in the lists that teams download.",
        ),
        "在我们这里立即生效，{n} 分钟内进入各团队下载的名单。",
    ),
    "will_hold": (
        Plural(
            "This is looser than what is in force: it waits an hour, and until then you can take it back.",
            "This is looser than what is in force: it waits {n} hours, and until then you can take it back.",
        ),
        "这比现在的条件宽：要等 {n} 小时，这期间随时可以反悔。",
    ),
    "will_record": (
        "Anyone can check what you signed and on which day.",
        "谁都可以核对你签了什么、哪天签的。",
    ),
    "will_models": (
        "Models that were trained already will not forget your pictures.",
        "已经训练好的模型，不会因此忘掉这些画。",
    ),
    "will_licences": (
        "Licences that you have sold go on as agreed. To take one back, open it under “Money”, “Licences”.",
        "已经卖出的许可照约定继续。要收回，在“收入”的“许可”里打开那一份。",
    ),
    "will_law": ("Exceptions in law may still apply.", "法律规定的例外情形仍可能适用。"),
    "sign_go": (Plural("Sign", "Sign for all {n}"), "签名（{n} 张）"),
    "sign_what": (
        (
            "Your device will ask for your fingerprint, face or screen lock. Its window shows the name of this site "
            "only; what counts is the text above."
        ),
        "接下来设备会请你用指纹、面容或锁屏密码确认。那个窗口只显示网站名，请以上面这段话为准。",
    ),
    "sign_without": (
        "Without scripts the registry signs that you asked for this. That way terms can only get stricter.",
        "没有脚本时，由登记处签字证明是你要求的。这样只能把条件收紧。",
    ),
    "sign_not_now": ("Not now", "先不签"),
    "sign_stale": (
        "You chose something else. Show the new text first, read it, then sign.",
        "你改了选择。先看新的文字，看清楚再签。",
    ),
    "again_changed": (
        "What you chose is not what was on screen, so nothing was signed. Here is the new text.",
        "你选的和屏幕上的文字不一样，所以什么都没签。这是新的文字。",
    ),
    "again_first": (
        "Another signature of yours came first, so nothing was signed here. This is how it would read now.",
        "你的另一个签名先到了，所以这里什么都没签。现在要签的是这样。",
    ),
    "again_attested": (
        "That would loosen your terms, which needs your own passkey. Nothing was signed.",
        "这会放宽条件，必须用你自己的通行密钥签。什么都没有签。",
    ),
    "wrong_amount": (
        ("Please give a price such as 2.00, above nothing, with at most six decimals."),
        "请写一个价格，比如 2.00，要大于零，最多六位小数。",
    ),
    "wrong_currency": ("Please choose one of the currencies.", "请选一种货币。"),
    "wrong_until": (
        "Please give a day to come, such as 2027-12-31, or leave it empty.",
        "请写一个还没到的日子，比如 2027-12-31，或者空着。",
    ),
    "wrong_card": ("Please choose one of the four.", "请在四种里选一种。"),
    "undo_h1": ("Keep what is in force", "不放宽了，照现在的来"),
    "undo_lead": (
        "You sign again what applies at this moment. Then nothing waits any longer.",
        "把现在的条件重新签一次，等着放宽的就作废了。",
    ),
    "nothing": ("Nothing to sign", "没有要签的"),
    "nothing_text": ("Choose pictures first; then set terms for them.", "先选画，再给它们定条件。"),
    "nothing_undo": (
        "Nothing waits any longer. What you signed before is in force.",
        "已经没有在等的了，之前签的照旧有效。",
    ),
}
