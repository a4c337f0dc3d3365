"""What artists' pages say of claim levels, and of the domains that prove one."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Plural, Vocabulary

LEVELS: Final[Vocabulary] = {
    "level": ("Claim level", "主张等级"),
    "level_now": (
        "Yours is {level}. It says how well your claim is proven, never who owns a picture.",
        "你现在是 {level} 级。它说的是你的主张有多少证明，不是画归谁。",
    ),
    "level_what": ("What each level stands on", "每一级凭什么"),
    "level_stands": ("Proof", "凭据"),
    "level_0": ("What you say yourself", "你自己说的"),
    "level_1": ("One public profile", "一个公开主页"),
    "level_2": ("A domain of your own, or two public profiles", "自己的域名，或两个公开主页"),
    "level_3": ("Source files, an earlier time stamp, or a check of identity", "源文件、更早的时间戳，或身份核实"),
    "level_4": ("A third party: a collecting society, a notary, a court", "第三方：集体管理组织、公证处或法院"),
    "level_yours": ("yours", "你在这里"),
    "level_office": (
        (
            "A domain you prove below, by yourself. Everything else the registry’s office looks at and attests: write "
            "to whoever runs this registry, with your account number and what shows that the pictures are yours."
        ),
        (
            "域名你自己在下面就能证明，其余的由登记处查看并出具证明：请联系运营这个登记处的人，"
            "告诉他们你的账号编号，附上能证明画是你的材料。"
        ),
    ),
    "level_changes": ("What level 2 changes", "到 2 级有什么不同"),
    "level_deny": ("Saying no counts at every level.", "说“不可以”，哪一级都算数。"),
    "level_allow": (
        "Below level 2, what you allow for free reads as “unknown” to teams. A price counts, at every level.",
        "不到 2 级，你免费允许的，在团队那里显示为“未知”。标了价的，哪一级都算数。",
    ),
    "level_money": (
        (
            "Below level 2, what you earn is held for you. From level 2 on it is paid out. If that takes longer than "
            "{days} days, it goes back to whoever paid."
        ),
        "不到 2 级，你的收入先替你存着；到了 2 级就付给你。超过 {days} 天还没到，就退给付钱的人。",
    ),
    "level_used": (
        "From level 2 on, you see which teams took licences on your pictures, and what for.",
        "到了 2 级，看得到哪些团队取了你的画的许可、拿来做什么。",
    ),
    "level_like": (
        "Where two accounts register the same picture, the one with level 2 need not wait for the other.",
        "两个账号登记了同一张画时，到了 2 级的不用等另一个。",
    ),
    "domains": ("Prove a domain of yours", "证明你的域名"),
    "domains_text": (
        "If you have a website, you put one line there, we look at it, and your claim level becomes 2.",
        "有自己的网站的话，在上面放一行字，我们去看一眼，主张等级就到 2 级。",
    ),
    "domain": ("Domain, such as example.org", "域名，比如 example.org"),
    "domain_ask": ("Tell me what to put there", "告诉我放什么"),
    "domain_check": ("Look now", "现在去看"),
    "domain_line": ("This is the line:", "就是这行字："),
    "domain_either": ("Put it in one of two places. Either is enough.", "放在下面任一处就行："),
    "domain_file": ("A text file on your website", "网站上的文本文件"),
    "domain_record": ("A TXT record in your domain’s DNS", "域名 DNS 里的 TXT 记录"),
    "domain_asked": (
        "Not found yet. We look again by ourselves, ever more seldom, for 14 days.",
        "还没找到。14 天里我们会自己再去看，越来越少。",
    ),
    "domain_proven": ("Proven. Leave the line where it is: we look again.", "已证明。那行字别拿掉，我们还会再看。"),
    "domain_failing": (
        "The line is gone. Put it back by {when}, or the proof lapses.",
        "那行字不见了。{when}之前放回去，不然证明就失效。",
    ),
    "domain_lapsed": (
        "The proof has lapsed. Put the line back and let us look.",
        "证明已失效。把那行字放回去，再让我们看。",
    ),
    "domain_looked": ("Last looked at {when}.", "上次查看：{when}。"),
    "domain_others": (
        Plural("Another account has proven it too.", "{n} other accounts have proven it too."),
        "还有 {n} 个账号也证明了它。",
    ),
    "domain_log": ("Entry {number} of the public record", "公开记录第 {number} 条"),
    "domain_drop": ("Give this domain up", "不再用这个域名"),
    "domain_drop_proven": (
        (
            "If nothing else proves your claim, your level falls to 0: money is held again, and what you allow for "
            "free reads as “unknown”. The public record keeps that it was proven. Rules for whole sites under it end."
        ),
        (
            "没有别的证明的话，主张等级会回到 0 级：收入重新存着，免费允许的又显示为“未知”。"
            "公开记录里会留着曾经证明过。这个域名下的整站规则也会失效。"
        ),
    ),
    "domain_drop_asked": (
        "It is not proven, so nothing of yours changes. You can ask for it again at any time.",
        "它还没证明，所以什么都不会变。以后随时可以再来。",
    ),
    "domain_drop_go": ("Give up {domain}", "放弃 {domain}"),
    "wrong_domain": (
        (
            "Please give a domain of your own, such as example.org: no address around it, and not a shared one such as "
            "github.io."
        ),
        "请写你自己的域名，比如 example.org：前后不带别的，也不能是 github.io 这样的共用域名。",
    ),
    "wrong_domain_full": (
        "An account has at most {most} domains. Give one up first.",
        "一个账号最多 {most} 个域名，先放弃一个吧。",
    ),
    "terms_level": (
        "Your claim level is below 2, so this reads as “unknown” to teams for now.",
        "你的主张等级不到 2 级，所以在团队那里暂时显示为“未知”。",
    ),
    "terms_money": (
        "Of what they pay, the registry keeps {fee}. The rest is yours.",
        "他们付的钱里，登记处留 {fee}，其余归你。",
    ),
    "terms_money_held": (
        (
            "Of what they pay, the registry keeps {fee}. The rest is yours, and is held until your claim level is 2, "
            "for {days} days at most."
        ),
        "他们付的钱里，登记处留 {fee}，其余归你；主张等级到 2 级之前先存着，最多 {days} 天。",
    ),
    "terms_level_way": ("What claim level 2 is, and how to get there", "2 级是什么，怎么升"),
}
