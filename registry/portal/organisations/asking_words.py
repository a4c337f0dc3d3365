"""What pages of requests to artists say."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Plural, Vocabulary

ASKING: Final[Vocabulary] = {
    "requests": ("Requests to artists", "向作者提的申请"),
    "requests_text": (
        "Where terms leave the price open, you ask and the artist answers. Whoever said no is not asked.",
        "条件里没定价的，由你们申请，作者来答复。说了“不可以”的，不能去问。",
    ),
    "requests_none": ("You have asked nobody yet, and nobody has asked you.", "还没有申请过，也没有人来申请。"),
    "asked_at": ("Asked", "提出时间"),
    "stands_until": ("Stands until", "有效至"),
    "state_ask_open": ("Not answered yet", "还没答复"),
    "state_ask_offered": ("A price is offered", "作者报了价"),
    "state_ask_refused": ("Refused", "作者拒绝"),
    "state_ask_accepted": ("Accepted: a licence", "已接受，成为许可"),
    "state_ask_expired": ("Not answered in time", "过期没有答复"),
    "state_ask_lapsed": ("The offer ran out", "报价已过期"),
    "state_ask_withdrawn": ("Taken back", "申请已撤回"),
    "state_ask_declined": ("The offer was declined", "报价已谢绝"),
    "state_ask_retracted": ("The offer was taken back", "报价已撤回"),
    "asks_you": ("{name} asks you", "{name} 在问你们"),
    # one request, and what to do next
    "asks_next_open": (
        "The artist has until {until} to answer. Nothing may be used before; you are told on your home page.",
        "作者可以在 {until}之前答复。答复之前什么都不能用；有了答复，首页上会说。",
    ),
    "asks_next_offered": (
        "The offer stands until {until}. You see all that it costs before you sign.",
        "报价到 {until}为止。签字之前，会先列出全部费用。",
    ),
    "asks_next_refused": (
        "The artist said no: train without these works.",
        "作者说不可以：训练时不要用这些作品。",
    ),
    "asks_next_accepted": ("You took what was offered.", "你们接受了报价。"),
    "asks_next_expired": (
        "Nobody answered in time, and no answer is not a yes. You can ask anew.",
        "到期没有答复，没答复不等于同意。可以重新申请。",
    ),
    "asks_next_lapsed": (
        "Nobody took the offer in time. You can ask anew.",
        "报价到期了，没有接受。可以重新申请。",
    ),
    "asks_next_withdrawn": (
        "You took the request back: nobody can answer it any more. You can ask anew.",
        "你们撤回了申请，作者不能再答复。可以再次申请。",
    ),
    "asks_next_declined": (
        "You declined the offer. The artist can make another one until {until}.",
        "你们谢绝了报价。作者在 {until}之前可以重新报价。",
    ),
    "asks_next_retracted": (
        "The artist took the offer back, and can make another one until {until}.",
        "作者撤回了报价，在 {until}之前可以重新报价。",
    ),
    "asks_answer": (
        "You can answer until {until}: offer a price, or refuse.",
        "你们可以在 {until}之前答复：报价，或者谢绝。",
    ),
    # asking
    "new_h1": ("Ask an artist", "向作者申请许可"),
    "new_again": ("Ask anew", "重新申请"),
    "new_lead": (
        "For pictures whose terms leave the price open. The artist names one, or says no. Asking costs nothing.",
        "条件里没定价的画，可以来申请。作者会报价，或者说不可以。申请不花钱。",
    ),
    "new_works": ("Pictures", "哪些画"),
    "new_works_text": (
        "Their numbers (wrk_…), all of one artist. They stand on the public page of each picture.",
        "它们的编号（wrk_…），要是同一位作者的。每张画的公开页面上都有。",
    ),
    "new_model": ("Model it is for", "用于哪个模型"),
    "new_model_text": ("Team, name and version: acme/lantern@1", "团队、名字和版本：acme/lantern@1"),
    "new_use": ("What you would do", "要做什么"),
    "new_price": ("Propose a price", "提议价格"),
    "new_price_none": ("No, the artist names one", "不提，由作者报价"),
    "price_per-work": ("Once for each picture", "每张画付一次"),
    "price_per-training-run": ("For each picture and each training run", "每张画、每次训练"),
    "price_per-output": ("For each picture and each output", "每张画、每次输出"),
    "new_amount": ("Amount for each picture", "每张画多少钱"),
    "new_more": ("Where, and what becomes of the model", "在哪里用，模型怎么处理"),
    "new_territory": ("Only in these countries (empty: everywhere)", "只在这些国家或地区（空着：都算）"),
    "new_weights": ("The finished model", "训练好的模型"),
    "weights_yes": ("Is given to everybody", "会公开给所有人"),
    "weights_no": ("Stays with you", "不公开"),
    "new_unsaid": ("Not said", "不说"),
    "new_message": ("Something you want to tell the artist (may stay empty)", "想对作者说的话（可以空着）"),
    "oath_ask": (
        Plural(
            "{team} asks {artist} for a licence for one picture and the model {model}.",
            "{team} asks {artist} for a licence for {n} pictures and the model {model}.",
        ),
        "{team} 向 {artist} 申请 {n} 张画的许可，用于模型 {model}。",
    ),
    "new_proposes": ("You propose: {price}.", "你们提议：{price}。"),
    "new_proposes_none": ("You propose no price; the artist names one.", "你们不提价格，由作者报价。"),
    "new_until": ("The artist can answer until {at}.", "作者可以在 {at}之前答复。"),
    "new_binds": (
        "It binds you to nothing. The artist reads all of this, and it goes into the public log by its digest.",
        "这不约束你们什么。作者会看到全部内容，公开日志里只有它的摘要。",
    ),
    "new_go": ("Sign and ask", "签名并提出"),
    "new_unsigned": (
        "A request needs your team’s own passkey. Nobody was asked.",
        "申请必须用团队自己的通行密钥签。还没有提出。",
    ),
    "wrong_ask_works": (
        "Please give the numbers of published pictures, all of one artist and not your own.",
        "请写已公开的画的编号，要是同一位作者的，不能是自己的。",
    ),
    "wrong_ask_refused": (
        "These pictures cannot be asked for this: their terms say no, or state a price already. Nobody was asked.",
        "这些画不能这样问：条件里写了不可以，或者已经定了价。还没有提出。",
    ),
    "wrong_ask_model": ("Please name the model, such as acme/lantern@1.", "请写模型的名字，比如 acme/lantern@1。"),
    "wrong_ask_use": ("Please tick what you would do.", "请勾选要做什么。"),
    "wrong_ask_purpose": ("Please tick what it is for.", "请勾选用来做什么。"),
    "wrong_ask_territory": ("Please name countries, by name or by code.", "请写国家或地区的名字或代码。"),
    "wrong_ask_scope": ("Please choose how much of the model.", "请选模型范围。"),
    "wrong_ask_weights": ("Please choose what becomes of the finished model.", "请选训练好的模型公不公开。"),
    "wrong_ask_price": ("Please choose what the price is for.", "请选怎么付。"),
    "wrong_ask_amount": (
        "Please give an amount above nothing, such as 2.00, with at most six decimals.",
        "请写大于零的金额，比如 2.00，最多六位小数。",
    ),
    "wrong_ask_currency": ("Please choose one of the currencies.", "请选一种货币。"),
    "wrong_ask_message": ("Please write at most 2000 ordinary characters.", "请最多写 2000 个普通字符。"),
    "waiting": ("Waiting for your answer", "等你们答复"),
    "asks_answer_go": ("Answer", "答复"),
    # taking what was offered
    "accept_h1": ("Take the offer", "接受报价"),
    "accept_look": ("See what I would sign", "看看要签的内容"),
    "accept_cli": ("Or at the command line", "也可以用命令行"),
    "accept_more": ("Name of the first run", "第一次训练的名字"),
    "accept_run": ("What your first training run under it is called", "这份许可下的第一次训练叫什么"),
    "accept_run_text": ("The same name stands in what you report later.", "以后申报这次训练，用同一个名字。"),
    "accept_weigh": ("What gives a work its part of what is divided", "分成时，每件作品按什么算"),
    "weigh_work": ("Every work the same", "每件作品都一样"),
    "weigh_use": ("How often you reported its use", "按申报的使用次数"),
    "weigh_report": ("Weights that you report", "按你们申报的权重"),
    "accept_decline": (
        "You need not take it. If you do nothing, it ends on {until}, and you owe nothing. Below you can say no now.",
        "可以不接受。什么都不做，到 {until}它就作废，不欠任何钱。也可以在下面直接谢绝。",
    ),
    # saying no to an offer, and taking a request back
    "reply_h_decline": ("Decline the offer", "谢绝报价"),
    "reply_h_withdraw": ("Take the request back", "撤回申请"),
    "reply_text_decline": (
        "The artist is told at once, and can make another offer as long as the request stands.",
        "会马上通知作者。申请没过期之前，作者可以重新报价。",
    ),
    "reply_text_withdraw": (
        "The artist is told at once, and cannot answer it any more. You can ask anew at any time.",
        "会马上通知作者，作者不能再答复。以后随时可以重新申请。",
    ),
    "reply_reason": ("Why, if you want to say so (the artist reads it)", "原因，可以不写（作者看得到）"),
    "reply_wrong": ("Please write at most 2000 ordinary characters.", "请最多写 2000 个普通字符。"),
    "reply_late": (
        "That has changed meanwhile, so nothing was signed. This is how it stands now.",
        "情况刚刚有变，什么都没有签。现在是这样的。",
    ),
    "oath_decline": (
        Plural(
            "{team} declines the offer for one picture and the model {model}.",
            "{team} declines the offer for {n} pictures and the model {model}.",
        ),
        "{team} 谢绝这份报价：{n} 张画用于模型 {model}。",
    ),
    "oath_withdraw": (
        Plural(
            "{team} takes back its request for one picture and the model {model}.",
            "{team} takes back its request for {n} pictures and the model {model}.",
        ),
        "{team} 撤回这份申请：{n} 张画用于模型 {model}。",
    ),
    "reply_binds": (
        "Nothing was taken, and nothing is owed. It goes into the public log by its digest.",
        "什么都没拿，也不欠钱。公开日志里只有它的摘要。",
    ),
    "reply_go_decline": ("Sign and decline", "签名并谢绝"),
    "reply_go_withdraw": ("Sign and take it back", "签名并撤回"),
    "oath_accept": (
        Plural(
            "{team} takes a licence for one picture and the model {model}, {price}.",
            "{team} takes a licence for {n} pictures and the model {model}, {price}.",
        ),
        "{team} 拿 {n} 张画的许可，用于模型 {model}，{price}。",
    ),
    "accept_uses": ("For this alone:", "只限这样用："),
    "accept_due": ("Due at once:", "立即应付："),
    "accept_due_none": ("Nothing is due at once.", "现在不用付钱。"),
    "later_per-training-run": (
        "That is the first run. The same is due again with each further run that you report.",
        "这是第一次训练的。之后每申报一次训练，再付同样的钱。",
    ),
    "later_per-output": (
        "You report what the model makes, and it is charged for each output.",
        "模型的输出由你们申报，按每次输出收费。",
    ),
    "later_subscription": (
        "It is charged when the month of each period closes, as long as the licence runs.",
        "许可有效期间，每一期在当月结账时收费。",
    ),
    "later_pool": (
        "You report the agreed sum month by month; it is divided when months close.",
        "约定的总额由你们每月申报，结账时分配。",
    ),
    "later_revenue-share": (
        "You report what you earn month by month; the share is charged when months close.",
        "收入由你们每月申报，结账时按份额收费。",
    ),
    "accept_ends": ("The licence ends on {at}.", "许可到 {at}为止。"),
    "accept_endless": ("The licence has no end.", "许可没有期限。"),
    "accept_back": ("If the artist takes it back:", "作者收回的话："),
    "accept_back_firm": ("The artist cannot take it back.", "作者不能收回。"),
    "accept_back_of": (Plural("Of one picture:", "Of {n} pictures:"), "{n} 张画："),
    "accept_quote": ("These figures hold until {at}.", "这些数字到 {at}有效。"),
    "accept_record": (
        "Both signatures go into the public log. The licence is there in a few seconds.",
        "双方的签名都进公开日志，几秒钟后许可就有了。",
    ),
    "accept_go": ("Sign and take the licence", "签名，拿许可"),
    "accept_not": ("Not now", "先不签"),
    "accept_unsigned": (
        "A licence needs your team’s own passkey. Nothing was taken.",
        "许可必须用团队自己的通行密钥签。什么都没有拿。",
    ),
    "accept_expired": (
        "The figures were too old, so nothing was taken. These are new ones.",
        "刚才的数字过期了，什么都没拿。这是新的。",
    ),
    "accept_changed": (
        "The offer cannot be taken as it was any more. Nothing was taken, and nothing is owed.",
        "这份报价已经不能照原样接受了。什么都没拿，也不欠钱。",
    ),
    "accept_wrong": (
        "Please give the run a name in one line, without spaces at its ends.",
        "请给这次训练起个名字，一行，前后不要空格。",
    ),
    "asks_theirs": ("There is nothing to answer any more.", "已经不用答复了。"),
    "asked_for": ("What is asked for", "问的是什么"),
    "asked_message": ("What is said with it", "附言"),
    "proposed": ("Proposed price", "提议的价格"),
    "answer": ("What was answered", "答复"),
    "answer_none": ("Nothing yet.", "还没有。"),
    "answer_never": ("Nothing.", "没有答复。"),
    "answer_offer": ("Offered price", "报价"),
    "answer_until": ("Stands until", "报价有效至"),
    "answer_ends": ("The licence would end", "许可到期"),
    "answer_revoked": ("If it is taken back", "如果收回许可"),
    "answer_now": ("at once: {duty}", "立刻：{duty}"),
    "answer_days": (Plural("after {n} day: {duty}", "after {n} days: {duty}"), "过 {n} 天：{duty}"),
    "answer_withdrawn": ("The offer was taken back.", "报价已撤回。"),
    "replied_decline": ("The offer was declined", "报价已谢绝"),
    "replied_withdraw": ("The request was taken back", "申请已撤回"),
    "answer_refused": ("No licence is offered.", "不给许可。"),
    "asked_erased": ("It was erased with an account.", "已随账号删除。"),
    "asked_file": ("What was signed", "签过字的文件"),
    "asked_artist": ("Artist", "作者"),
}
