"""What Licet is, in words: for whom, what it does, and what it cannot do."""

from __future__ import annotations

from typing import Final

from registry.portal.frame.words import Vocabulary

ABOUT: Final[Vocabulary] = {
    "about": ("What Licet is", "Licet 是什么"),
    "about_lead": (
        (
            "A public place where people who make pictures say what may be done with them, and where those who build "
            "AI look before they use a picture. “Licet” is Latin for “it is permitted”; the character in our seal says "
            "the same."
        ),
        (
            "一个公开的地方：画画的人在这里说明自己的画可以怎么用，做 AI 的人用画之前先来这里查。"
            "Licet 是拉丁文，意思是“允许”，也就是“允”。"
        ),
    ),
    "about_why": ("Why it exists", "为什么要有它"),
    "about_why_text": (
        (
            "An illustrator found that a platform had trained an image generator on her pictures. Nobody had asked, "
            "named or paid her, and there was no list of what was used. Saying no was scattered over many sites, in "
            "forms that nobody had to read, and saying yes for money had no place at all. Licet is that place."
        ),
        (
            "一位插画师发现，有平台拿她的画训练了图像生成模型：没人问过她，没署名，没付钱，用了哪些也没有清单。想说“不”，"
            "要在许多网站上各说一遍，说了别人也未必要看；想说“可以，但要付钱”，根本没有地方说。Licet 就是这个地方。"
        ),
    ),
    "about_whom": ("For whom", "给谁用"),
    "about_art": ("If you make pictures", "你画画"),
    "about_art_text": (
        (
            "Register them, choose terms, sign once. Nothing is permitted that you did not name. You see which "
            "datasets and models took licences from you, and what they owe."
        ),
        "登记作品，选好条件，签一次名。你没写到的，一律不算同意。哪些数据集和模型从你这里取了许可、该付多少，你都看得到。",
    ),
    "about_org": ("If you build datasets or models", "你做数据集或模型"),
    "about_org_text": (
        (
            "Filter what you have against the terms, offline if you like. Leave out what is denied, take licences "
            "where they are offered, and say what you trained on. Not registered is not consent, and never shown as it."
        ),
        (
            "拿手上的数据和条件比一比，离线也行。不允许的拿掉，可以授权的取许可，再说明训练用了什么。没登记不等于同意，"
            "我们也从不当成同意。"
        ),
    ),
    "about_aud": ("If you check others", "你负责核查"),
    "about_aud_text": (
        (
            "Take the evidence of a month home and compute everything again: signatures, prices, sums, and the place "
            "of each statement in the public log. Artists and teams take home their own; an auditor’s account, with a "
            "scope of its own, is opened by invitation of whoever runs this registry: ask them."
        ),
        (
            "把一个月的证据带回去，从头算一遍：签名、价格、合计，还有每份声明在公开日志里的位置。"
            "画家和团队能取自己的那份；审计员的账号由登记处的运营者发邀请开通，范围也由他们定，请向他们要。"
        ),
    ),
    "about_all": ("If you are just curious", "你只是想看看"),
    "about_all_text": (
        "The register, the log and every public page are open to everybody, without an account.",
        "登记、日志和所有公开页面，不用账号，谁都能看。",
    ),
    "about_cannot": ("What it cannot do", "它做不到的"),
    "about_cannot_lead": (
        "We would rather say it here than have you find out later.",
        "与其让你以后才发现，不如在这里说清楚。",
    ),
    "about_cannot_1": (
        (
            "Find out what somebody trained on who says nothing. We see what is reported, and help to prove the rest "
            "to whoever can ask."
        ),
        "查出闭口不说的人用什么训练过。我们只看得到申报的；其余的，只能帮你把证据备好，交给有权追问的人。",
    ),
    "about_cannot_2": (
        "Stop somebody who does not look. A term is a statement that counts, not a lock on a file.",
        "拦住不来查的人。条件是一份算数的声明，不是文件上的一把锁。",
    ),
    "about_cannot_3": (
        "Make a trained model forget. A licence that was taken back ends new runs; what is learned stays learned.",
        "让训练好的模型忘掉。收回许可，能停下以后的训练；学进去的，还在里面。",
    ),
    "about_cannot_4": (
        (
            "Say whose picture it is. Everybody can claim a picture; claim levels tell how far somebody has proven who "
            "they are, and disputes decide whose signature counts here. Title is for courts."
        ),
        (
            "断定画是谁的。谁都可以主张；主张等级只说明身份证明到了哪一步，争议裁决的是这里由谁签名说了算。权利归谁，由法院判。"
        ),
    ),
    "about_cannot_5": (
        (
            "Find every copy. Resized, mirrored and turned copies are found, crops often, a redrawn picture not. Now "
            "and then two different pictures look alike to it."
        ),
        "找出每一份副本。缩放、翻转、旋转过的找得到，裁过的往往找得到，重画的找不到。偶尔也会把两张不同的画当成一张。",
    ),
    "about_cannot_6": (
        (
            "Change the law. A refusal here may meet exceptions in law where you live, and where it was used. Licet "
            "gives no legal advice."
        ),
        "改变法律。你所在的地方、用画的地方，法律都可能有例外。Licet 不提供法律意见。",
    ),
    "about_trust": ("Why you need not trust us", "为什么不必信我们"),
    "about_trust_text": (
        (
            "Your keys stay with you: we cannot sign for you to allow anything. What was signed is in a public log "
            "that only grows; your browser checks it, and so do programs of others."
        ),
        "你的钥匙在你手里：我们没法替你签名允许任何事。签过的都在一份只增不改的公开日志里，你的浏览器能核对，别人的程序也能。",
    ),
    "about_contact": ("Who runs this registry", "谁在维护这个登记处"),
    "about_contact_text": (
        "Something is wrong here, or you would like to know more? Write to whoever runs it:",
        "这里有什么不对，或者想多了解一点？请联系维护的人：",
    ),
    "about_money": ("Who pays", "谁付钱"),
    "about_money_text": (
        "Artists pay nothing. Of what a team pays for a licence, {fee} keeps this running; the artist gets the rest.",
        "作者不用付钱。团队付的许可费里，{fee} 用来维持登记处，其余归作者。",
    ),
    "about_money_none": (
        "Artists pay nothing, and what a team pays for a licence is theirs.",
        "作者不用付钱，团队付的许可费全归作者。",
    ),
}
