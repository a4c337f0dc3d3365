"""What the public pages say."""

from __future__ import annotations

from typing import Final

from registry.portal.frame import doors, machine_words
from registry.portal.frame.ceremonies import PASSKEY
from registry.portal.frame.words import Plural, Vocabulary
from registry.portal.public.about_words import ABOUT
from registry.portal.public.joining_words import JOINING

WORDS: Final[Vocabulary] = {
    **doors.WORDS,
    **machine_words.WORDS,
    **PASSKEY,
    **ABOUT,
    **JOINING,
    # landing
    "land_title": ("Say who may use your pictures", "谁能用你的画，由你落款"),
    "land_h1": ("Say who may use your pictures. Sign it once.", "谁能用你的画\n由你落款"),
    "land_lead": (
        (
            "Set your terms and sign them. Teams that build AI look here before they use a picture. You see who used "
            "what, how much of it, and what they owe you."
        ),
        "定好条件，签一次名。做 AI 的团队动手之前来这里查；谁用了、用了多少、该付你多少，你都看得到。",
    ),
    "land_start": ("Protect my pictures", "保护我的画"),
    "land_check": ("Check one picture first", "先查一张画"),
    "land_free": ("Free. Your first picture takes about three minutes.", "不收费。第一张画大约三分钟。"),
    "land_alt": (
        "A drawn landscape: a gold path winding through red land towards a low sun",
        "一幅风景：红土地上，一条金色的弯路通向低低的太阳",
    ),
    "land_label": ("A drawn example", "示意画"),
    "how": ("Three steps, one signature", "三步，一次签名"),
    "how1": ("Bring your pictures", "放上你的画"),
    "how1_text": (
        (
            "Keep the files with you and give us only fingerprints, or let us see them once for stronger matching. We "
            "keep a fingerprint and a small preview that only you see, never the file."
        ),
        "可以只留指纹，原图不离开你；也可以让我们看一眼原图，比对更准。我们只留指纹和一张只有你看得到的小图，原图不留。",
    ),
    "how2": ("Choose terms", "选条件"),
    "how2_text": (
        (
            "Three to choose from, strictest first, or your own, use by use. “No AI use” is already chosen, and stays "
            "chosen unless you change it."
        ),
        "三种，从最严的开始，也可以一项一项自己定。默认是“不得用于 AI”，你不改，就一直是它。",
    ),
    "how3": ("Sign", "签名"),
    "how3_text": (
        "Confirm once with a fingerprint or your face. The receipt is yours, and can still be checked in ten years.",
        "用指纹或面容确认一次，全部生效。收据归你，十年后也能核对。",
    ),
    "can": ("Plainly: what this can and cannot do", "说清楚：能做到的，和做不到的"),
    "can_yes": ("It can", "能"),
    "can_yes1": (
        "Let honest teams find your terms, leave your work out, or pay for it.",
        "让守规矩的团队查得到、绕得开，也付得了钱。",
    ),
    "can_yes2": (
        "Put what you signed, and when, on a public record nobody can rewrite unseen.",
        "把你哪天签了什么，变成谁也不能悄悄改的公开记录。",
    ),
    "can_yes3": (
        "Hand you evidence you can use if something goes wrong.",
        "出了事，给你一份拿得出手的证据。",
    ),
    "can_no": ("It cannot", "不能"),
    "can_no1": ("Make a trained model forget your picture.", "让已经训练好的模型忘掉你的画。"),
    "can_no2": (
        "Stop someone who refuses to look.",
        "挡住存心不查的人。",
    ),
    "can_no3": ("Decide, like a court, whose picture it is.", "替法院判断这张画归谁。"),
    "can_register": ("See which models were trained on what", "看看哪些模型用什么训练过"),
    # check a picture
    "check": ("Is this picture registered?", "这张画登记过吗？"),
    "check_text": (
        "No account needed. We make a fingerprint of the picture, look it up, and forget both. We keep no copy.",
        "不用注册账号。我们给图片做一个指纹去比对，比完两样都不留，不存副本。",
    ),
    "check_pick": ("Choose a picture", "选一张图片"),
    "check_pick_hint": (
        "JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF, up to {size} MB. Screenshots and crops are often found too.",
        "JPEG、PNG、WebP、GIF、TIFF、BMP 或 AVIF，{size} MB 以内。截图和裁过的图往往也能查到。",
    ),
    "check_go": ("Check it", "查一查"),
    "check_none": ("Not registered.", "没有登记过。"),
    "check_none_text": (
        "No registered picture looks like this one. Not registered is not consent: nobody has said yes either.",
        "没有哪张登记过的画和它相像。没登记不等于同意：也没有人说过可以。",
    ),
    "check_yours": ("Is it yours? Say who may use it", "是你的画？来定谁能用"),
    "check_found": (
        Plural("Registered.", "Registered, {n} times."),
        "登记过。",
    ),
    "check_exact": ("The very same file or pixels.", "文件或像素完全一样。"),
    "check_near": ("The same picture, perhaps resized or saved again.", "同一张画，也许缩放过或重新存过。"),
    "check_derivative": ("This picture shows parts of it.", "这张图里有它的局部。"),
    "check_open": ("See its public page", "看这张画的公开页"),
    "check_by": ("By {artist}, signed on {day}.", "{artist}，{day}签名。"),
    "check_unsigned": (
        "It is registered, but its owner has not signed terms yet, or they are on their way into the public record.",
        "它登记过，但主人还没签条件，或者签了正在进入公开记录。",
    ),
    "check_datasets": ("It is in these datasets, under licences from you:", "它在这些数据集里，有你的许可："),
    "check_datasets_none": (
        "No dataset has taken it under a licence from you.",
        "没有哪个数据集凭你的许可收过它。",
    ),
    "check_datasets_level": (
        "Who took licences on it is shown to you from claim level 2 on.",
        "谁向你取过它的许可，主张等级到 2 级才给你看。",
    ),
    "check_datasets_owner": (
        "Which datasets hold it is told to its artist, who can sign in and see.",
        "哪些数据集收了它，只告诉作者本人。作者登录就能看到。",
    ),
    "check_bad": ("That file could not be read as a picture.", "这个文件读不成图片。"),
    "check_bad_text": (
        "It may be damaged, or of a kind that we do not read. Nothing was kept. Try another copy, such as JPEG or PNG.",
        "也许坏了，也许是我们不认的格式。什么都没有留下。换一份试试，比如 JPEG 或 PNG。",
    ),
    "check_empty": ("No picture came with that.", "没有收到图片。"),
    "check_empty_text": ("Choose a file first, then check it.", "先选一个文件，再查。"),
    # sign in, sign up
    "in_title": ("Sign in", "登录"),
    "in_lead": (
        "Use the passkey that you made when you opened your account. There is no password.",
        "用开账号时建的通行密钥登录。没有密码。",
    ),
    "in_go": ("Sign in with a passkey", "用通行密钥登录"),
    "in_new": ("No account yet? Open one", "还没有账号？开一个"),
    "in_lost": ("Lost your passkey? Use a recovery code", "通行密钥丢了？用恢复码"),
    "in_first": ("Please sign in to open that page.", "先登录，才能打开那一页。"),
    "join_title": ("Open an account", "开一个账号"),
    "join_lead": (
        "A name and a passkey, nothing else. It takes less than a minute.",
        "一个名字，一把通行密钥，别的都不要。不到一分钟。",
    ),
    "join_name": ("Your name, as you sign your pictures", "你的名字，画上落款的那个"),
    "join_name_hint": (
        "It stands in what you sign and on the public pages of your pictures. A pen name is fine.",
        "它会写进你签的声明，也会出现在画的公开页上。用笔名就行。",
    ),
    "join_go": ("Make my passkey", "建通行密钥"),
    "join_what": ("What is a passkey?", "通行密钥是什么？"),
    "join_what_text": (
        (
            "A key that your phone or computer keeps, and uses when you show your fingerprint, face or screen lock. "
            "It cannot be guessed or phished, and it never leaves your device or its own backup. Your device will ask "
            "twice: once to make the key, once to prove that it works."
        ),
        (
            "一把存在手机或电脑里的钥匙，你用指纹、面容或锁屏密码来开。猜不到，骗不走，不离开你的设备和它自己的备份。"
            "设备会问你两次：一次建钥匙，一次试钥匙。"
        ),
    ),
    "join_other": ("You build datasets or models?", "你做数据集或模型？"),
    "join_other_go": ("Open an account for a team", "给团队开账号"),
    "team_title": ("Open an account for a team", "给团队开账号"),
    "team_lead": (
        "For those who build datasets and models. A name and a passkey, nothing else; it takes less than a minute.",
        "给做数据集和模型的团队。一个名字，一把通行密钥，别的都不要。不到一分钟。",
    ),
    "team_can": ("What a team can do with a passkey", "有了通行密钥，团队能做什么"),
    "team_can_text": (
        (
            "See licences, datasets, models and what is owed, make tokens, and let programs in. Filtering, taking "
            "licences and reporting are done by licet on your machine: it makes a key file there, and your passkey "
            "lets it in. The quick start shows how."
        ),
        (
            "看许可、数据集、模型和账目，建令牌，放行程序。筛选、拿许可和申报由你们机器上的 licet 来做："
            "它在那里建密钥文件，用通行密钥放行就行。快速上手里有步骤。"
        ),
    ),
    "team_name": ("The team’s name", "团队的名字"),
    "team_name_hint": (
        "Artists see it beside every licence, and everybody in the public register.",
        "作者会在每份许可旁边看到它，公开登记里谁都看得到。",
    ),
    "team_other": ("You make pictures?", "你是画画的？"),
    "team_other_go": ("Open an account as an artist", "开作者账号"),
    "join_have": ("I have an account", "我有账号"),
    "pk_name": ("Please write a name first, up to 200 characters.", "请先写名字，不超过 200 个字。"),
    "pk_step": (
        "The key is made. Your device asks once more, to prove that it works.",
        "钥匙建好了。设备再问一次，试一下钥匙。",
    ),
    "pk_exists": (
        "Your account is open already. Please sign in with the passkey that you just made.",
        "账号已经开好了。请用刚建的通行密钥登录。",
    ),
    # recovery
    "rec_title": ("Get back in with a recovery code", "用恢复码找回账号"),
    "rec_lead": (
        (
            "A code that you kept opens your account to a new passkey. For seven days that passkey can only make your "
            "terms stricter, so that whoever finds a code cannot sell your work."
        ),
        "凭你留着的恢复码，可以给账号配一把新的通行密钥。头七天它只能把条件收紧，这样捡到恢复码的人卖不了你的画。",
    ),
    "rec_account": ("Account number (art_… or org_…)", "账号编号（art_… 或 org_…）"),
    "rec_code": ("Recovery code", "恢复码"),
    "pk_code": (
        "The account number or the code is not right, or the code was used. Nothing was changed; look again and retry.",
        "账号编号或恢复码不对，或者这个码已经用过。什么都没有改，请核对后再试。",
    ),
    "rec_go": ("Make a new passkey", "建一把新的通行密钥"),
    # auditors and operators
    "inv_title": ("Come in as an auditor or operator", "审计员和运营人员入口"),
    "inv_lead": (
        "You were invited. Make a passkey on this device: it opens your pages, and signs nothing.",
        "你收到了邀请。在这台设备上建一把通行密钥：它只用来打开你的页面，不签任何东西。",
    ),
    "inv_go": ("Make my passkey", "建通行密钥"),
    "inv_lost": (
        "Lost the passkey later? Ask for a new invitation: it ends the old one.",
        "以后通行密钥丢了？请再要一份邀请，旧的随之作废。",
    ),
    "pk_invitation": (
        "This invitation opens nothing: it was used, ran out, or a part of the link is missing. Ask for a new one.",
        "这份邀请打不开：已经用过、过期，或者链接缺了一段。请再要一份。",
    ),
    # a work's public page
    "work_by": ("By {artist}", "作者：{artist}"),
    "work_gone_by": ("Its account was erased", "账号已注销"),
    "work_signed": (
        "Signed on {day}, no. {n} in the public record. Nothing that is not named here is agreed to.",
        "{day}签名，公开记录第 {n} 号。没写到的用途，都不算同意。",
    ),
    "work_statement": ("Signature and proof (JSON)", "签名和证明（JSON）"),
    "work_proof": ("Check it in the public log", "在公开日志里核对"),
    "work_contested": (
        "Another account has registered this picture too. Until that is settled, nobody may use it.",
        "另一个账号也登记了这张画。有结果之前，一律不得使用。",
    ),
    "work_disputed": (
        "Somebody disputes whose picture this is. Until that is over, nobody may use it.",
        "有人对这张画归谁提出了争议。争议结束之前，一律不得使用。",
    ),
    "work_lost": (
        (
            "It was decided in a dispute, and is final since {day}, that this picture is somebody else’s. What this "
            "account says of it permits nothing."
        ),
        "{day}争议已有最后结果：这张画由别人说了算。这个账号写的条件，不准许任何使用。",
    ),
    "work_uses_closed": (
        "This is what was signed. None of it permits anything as long as nobody may use the picture.",
        "这是签下的条件。在画不得使用的期间，哪一项都不准许使用。",
    ),
    "work_challenged": (
        (
            "Somebody who has proven more about themselves claims this picture too. Until this account does so, its "
            "claim is without effect."
        ),
        "另有一位身份证明更充分的人也主张这张画。在这个账号补上证明之前，它的主张不起作用。",
    ),
    "work_held": (
        "What applies to this picture is being settled. Until then nobody may use it.",
        "这张画适用什么条件，正在确认。确认之前，一律不得使用。",
    ),
    "work_withdrawn": ("It was withdrawn: nobody may use it any more.", "它已撤下：今后谁都不得使用。"),
    "work_level": (
        (
            "This account has not proven yet who it is. Free permissions count from claim level 2; it has level "
            "{level}. Refusals count at any level."
        ),
        "这个账号还没有证明自己是谁。不收费的许可要到主张等级 2 才算数，现在是 {level} 级。拒绝在哪一级都算数。",
    ),
    "work_url": ("A rule for every picture under {site}", "{site} 之下所有画的规则"),
    "work_words": ("In words", "用大白话说"),
    "work_words_lead": ("What was signed says of this picture:", "签下的话里，关于这张画的是："),
    "work_uses": ("Use by use", "一项一项说"),
    "work_claim": ("Whose picture it is", "谁在说这是他的画"),
    "work_claim_text": (
        (
            "{artist} says so, at claim level {level} of 4. It is a claim, not a verdict: Licet shows who said what, "
            "and when."
        ),
        "{artist} 说的，主张等级 {level}（共 4 级）。这是声明，不是判决：Licet 只说明谁在什么时候说了什么。",
    ),
    "work_mine_text": (
        "Did you make it? Say so, and somebody who is no party decides.",
        "其实是你画的？说出来，由和双方都无关的人裁决。",
    ),
    "work_ask": ("Ask for a licence", "申请许可"),
    "work_ask_text": (
        "Do its terms leave the price open? Your team can ask the artist.",
        "条件里没定价？你们可以去问作者。",
    ),
    "work_mine": ("This is my picture", "这是我的画"),
    "work_no_picture": (
        "We keep no picture for the public. Compare yours by its fingerprint:",
        "公开页不放图。想知道你手里的是不是它，用指纹比：",
    ),
    "work_machine": ("For machines", "机器格式"),
    "work_machine_text": (
        (
            "The same terms in the forms that crawlers, data sets and files carry. None is looser than what counts "
            "now; where a form has no word for something, that is said beside it."
        ),
        "同样的条件，写成爬虫、数据集和文件各自用的格式。没有一种比现在生效的更宽松；哪种格式说不出什么，旁边写明。",
    ),
    "reserve": (
        "This page states a reservation of rights. Exceptions in law may still apply.",
        "本页声明权利保留。法律规定的例外情形仍可能适用。",
    ),
}
