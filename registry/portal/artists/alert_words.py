"""What an artist is told of, one sentence for each kind of event, and the words of the page that lists them.

What the account is told (``registry.accounts.events``) has sentences of its own, for programs.
"""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Vocabulary

ALERTS: Final[Vocabulary] = {
    "alerts": ("Alerts", "提醒"),
    "alerts_lead": (
        "What happened to your pictures, your money and your account, newest first.",
        "你的画、你的钱、你的账号有什么动静，最新的在前。",
    ),
    "alerts_none_yet": (
        "Nothing has happened yet. When it does, it stands here.",
        "还没有提醒。有了动静，就写在这里。",
    ),
    "alerts_none": ("There is nothing of that kind.", "没有这样的提醒。"),
    "alerts_all_read": ("Mark all as read", "全部标成已读"),
    "alerts_read": ("Mark as read", "标成已读"),
    "alerts_new": ("new", "新"),
    "alerts_see": ("See it", "去看看"),
    "alerts_day": ("On that day, in all:", "当天一共"),
    "alerts_every": ("All alerts", "全部提醒"),
    "alerts_which": ("What you are alerted of", "哪些事提醒你"),
    "alerts_which_text": (
        "What you switch off is not counted and not listed, but kept: choose it above to look it up.",
        "关掉的不再提醒、不再列出，但都留着：在上面点那一类就能查到。",
    ),
    "alerts_security_stays": (
        "New sign-ins, keys and changes of where you are paid are always told.",
        "新的登录、钥匙的变化、收款账户的改动，一定会提醒。",
    ),
    "alerts_switch_off": ("Switch off", "关掉"),
    "alerts_switch_on": ("Switch on", "打开"),
    "alerts_is_off": ("off", "已关"),
    "topic_uses": ("New uses and licences", "新的使用和许可"),
    "topic_money": ("Money owed to you", "该付给你的钱"),
    "topic_payouts": ("Payments to you", "付给你的款"),
    "topic_matches": ("Pictures like yours", "和你相似的画"),
    "topic_claims": ("Your claims, and claims against you", "你的主张和别人的主张"),
    "topic_terms": ("Your terms", "你的条件"),
    "topic_requests": ("Requests to you", "找你的申请"),
    "topic_disputes": ("Disputes", "争议"),
    "topic_security": ("Sign-ins and keys", "登录和钥匙"),
    "event_licence-granted": ("A team took a licence on pictures of yours.", "有团队取了你的画的许可。"),
    "event_earned": ("Money was charged for your pictures.", "有人为你的画付费了。"),
    "event_month-closed": ("A month’s books are closed: your statement is ready.", "一个月的账结了，你的月结单好了。"),
    "event_terms-changed": ("Terms of your pictures were changed with your key.", "用你的钥匙改了画的条件。"),
    "event_licence-offered": ("An artist offers you a licence.", "有画家给你报了许可条件。"),
    "event_licence-refused": ("An artist refused your request.", "有画家谢绝了你的申请。"),
    "event_licence-request-withdrawn": (
        "A team took its request back: there is nothing to answer.",
        "有团队撤回了申请，不用答复了。",
    ),
    "event_licence-offer-withdrawn": ("An artist took an offer to you back.", "有画家撤回了给你的报价。"),
    "event_licence-declined": ("A team declined your offer.", "有团队谢绝了你的报价。"),
    "event_audit-finding": ("An auditor found something that concerns you.", "审计员发现了和你有关的问题。"),
    "event_invoice": ("An invoice was made out to you.", "给你开了一张发票。"),
    "event_credit-note": ("A credit note was made out to you.", "给你开了一张贷项通知单。"),
    "event_revenue-missing": ("A report of revenue is missing.", "少一份收入申报。"),
    "event_signed-in": ("A new sign-in to your account.", "你的账号有一次新的登录。"),
    "event_key-added": ("A new key came to your account.", "你的账号添了一把钥匙。"),
    "event_key-revoked": ("A key of your account was ended.", "你账号的一把钥匙停用了。"),
    "event_key-rotated": ("A key of your account was replaced.", "你账号的一把钥匙换了新的。"),
    "event_key-recovered": (
        "A recovery code brought a new key to your account. For seven days it can only tighten.",
        "有人用恢复码给你的账号配了新钥匙。七天内它只能收紧。",
    ),
    "event_delegated": ("You let another key sign on your behalf.", "你准许另一把钥匙代你签名。"),
    "event_member-invited": ("Somebody was invited into your team.", "有人受邀加入你们的团队。"),
    "event_member-asked": ("Whoever was invited asks to be let into your team.", "受邀的人申请加入你们的团队。"),
    "event_claim-level": ("Your claim level was raised.", "你的主张等级提高了。"),
    "event_remittance": ("Money is on its way to you.", "有一笔钱正在付给你。"),
    "event_contested": ("Another account has registered a picture like yours.", "另一个账号登记了一张和你的很像的画。"),
    "event_contest-ended": ("A conflict over a picture has ended.", "一张画的争议结束了。"),
    "event_challenge-opened": (
        "Another account claims a picture of yours too. Whoever has proven more counts for now.",
        "另一个账号也主张你的一张画。证明更充分的一方暂时算数。",
    ),
    "event_challenge-lapsed": (
        "Two accounts claimed the same picture; the claim with less proof has lapsed.",
        "两个账号主张同一张画，证明较少的那个主张已失效。",
    ),
    "event_delegate-signed": ("Somebody signed on your behalf.", "有人代你签了名。"),
    "event_domain-proven": ("Your domain is proven.", "你的域名已证明。"),
    "event_domain-failing": ("The proof of your domain cannot be found any more.", "你域名的证明找不到了。"),
    "event_domain-lapsed": ("The proof of your domain has lapsed.", "你域名的证明已失效。"),
    "event_domain-restored": ("The proof of your domain is back.", "你域名的证明恢复了。"),
    "event_domain-shared": ("Another account has proven the same domain.", "另一个账号也证明了同一个域名。"),
    "event_licence-requested": ("A team asks you for a licence.", "有团队向你申请许可。"),
    "event_licence-revoked": ("An artist revoked a licence of yours.", "有画家撤回了给你的许可。"),
    "event_duty-done": (
        "A team says that it has done what your revoked licence asks of it.",
        "你撤回许可之后，有团队说该做的已经做了。",
    ),
    "event_dispute-opened": (
        "Somebody disputes a picture or a charge of yours.",
        "有人对你的一张画或一笔款项提出争议。",
    ),
    "event_dispute-answered": ("Your dispute was answered.", "你提的争议有了答复。"),
    "event_dispute-withdrawn": ("A dispute against you was taken back.", "一个针对你的争议撤回了。"),
    "event_dispute-decided": (
        "A dispute of yours was decided. Whoever lost can appeal within 14 days.",
        "你的一个争议有了裁决。输的一方可以在 14 天内申诉。",
    ),
    "event_dispute-appealed": (
        "A decision for you was appealed. Somebody else looks at it again.",
        "对方不服支持你的裁决，提出了申诉，会由另一个人再看一次。",
    ),
    "event_dispute-accepted": ("The other party accepted a decision for you.", "对方接受了支持你的裁决。"),
    "event_dispute-reviewed": (
        "A dispute of yours was looked at again, and is over.",
        "你的一个争议复核完了，已经结束。",
    ),
    "event_dispute-ended": (
        "A dispute of yours is over: nobody appealed.",
        "你的一个争议结束了：没有人申诉。",
    ),
    "event_payout-changed": ("Where you are paid was changed.", "你的收款方式改了。"),
    "event_split-proposed": ("Somebody proposes to share what a picture earns.", "有人提议分享一张画的收入。"),
    "event_split-agreed": ("A share in a picture is agreed.", "一张画的分成谈妥了。"),
    "event_split-declined": ("A proposed share was declined.", "一份分成提议被谢绝了。"),
    # how a dispute was decided, for whoever is told of it
    "ruled_for": ("Decided for you.", "裁决支持你。"),
    "ruled_against": ("Decided against you.", "裁决没有支持你。"),
    "event_other": ("Something about your account changed.", "你的账号有一处变化。"),
}
