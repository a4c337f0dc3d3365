"""What artists' pages say: as to a friend who paints."""

from __future__ import annotations

from typing import Final

from registry.portal.artists.account_words import DEVICES, LEAVING
from registry.portal.artists.adding_words import ADDING, SAID
from registry.portal.artists.alert_words import ALERTS
from registry.portal.artists.condition_words import CONDITIONS
from registry.portal.artists.dispute_words import DISPUTES
from registry.portal.artists.earning_words import EARNINGS
from registry.portal.artists.evidence_words import EVIDENCE
from registry.portal.artists.level_words import LEVELS
from registry.portal.artists.licence_words import LICENCES
from registry.portal.artists.request_words import REQUESTS
from registry.portal.artists.signed_words import SIGNED
from registry.portal.artists.site_words import SITE
from registry.portal.frame import doors, machine_words
from registry.portal.frame.ceremonies import KEYS, PASSKEY
from registry.portal.frame.words import Plural, Vocabulary

WORDS: Final[Vocabulary] = {
    **doors.WORDS,
    **machine_words.WORDS,
    **PASSKEY,
    **ALERTS,
    **ADDING,
    **SAID,
    **CONDITIONS,
    **EARNINGS,
    **LEVELS,
    **SIGNED,
    **SITE,
    **LICENCES,
    **REQUESTS,
    **DEVICES,
    **LEAVING,
    **DISPUTES,
    **EVIDENCE,
    # home
    "home": ("Home", "首页"),
    "home_hello": ("Hello, {name}", "你好，{name}"),
    "home_lead": (
        Plural("You have one picture here.", "You have {n} pictures here."),
        "这里有你的 {n} 张画。",
    ),
    "home_new": (
        "No pictures are here yet. Add some; then you say what may be done with them, and sign once.",
        "这里还没有画。先放上来，再定条件，签一次名就行。",
    ),
    "home_unsigned": (
        Plural(
            "One is not signed yet, so it is not protected yet.",
            "{n} are not signed yet, so they are not protected yet.",
        ),
        "其中 {n} 张还没签名，也就还没有受到保护。",
    ),
    "home_sign": ("Sign now", "现在签"),
    "home_pending": (
        Plural(
            "Looser terms wait on one picture. You can still take them back.",
            "Looser terms wait on {n} pictures. You can still take them back.",
        ),
        "有 {n} 张画的条件等着放宽，现在还来得及反悔。",
    ),
    "home_pending_see": ("See which", "看看是哪些"),
    "home_codes": (
        "You have no recovery codes. Without them, a lost phone can mean a lost account.",
        "你还没有恢复码。手机丢了，账号可能就找不回来了。",
    ),
    "home_codes_make": ("Make them", "现在建"),
    "home_alerts": ("What happened", "最近的事"),
    "home_quiet": ("Nothing has happened yet.", "还没有什么事。"),
    "home_stop": ("Stop all AI use at once", "一下全停"),
    "home_stop_text": (
        (
            "All your pictures, no AI use, in force the moment you sign. Licences already sold go on as agreed; to "
            "take one back, open that licence."
        ),
        "你的所有画，一律不得用于 AI，签名即刻生效。已经卖出的许可照约定继续；要收回，到那份许可里收回。",
    ),
    "home_stop_go": ("Make everything strict", "全部收紧"),
    "home_used": ("Who used what", "谁用了什么"),
    "home_used_none": (
        "No team has taken a licence from you yet. When one does, it stands here.",
        "还没有团队向你取过许可。有了，就会写在这里。",
    ),
    "home_receipts": ("Everything you signed", "你签过的一切"),
    "team": ("Team", "团队"),
    "model": ("Model", "模型"),
    "pictures": ("Pictures", "画"),
    "agreed": ("Agreed price", "约定价格"),
    "free": ("Free", "免费"),
    "date": ("Date", "日期"),
    "erased_team": ("A team that has left", "已离开的团队"),
    # works
    "works": ("My pictures", "我的画"),
    "works_find": ("Find", "查找"),
    "works_search": ("Title, tag or number", "标题、标签或编号"),
    "works_filter": ("Filter by state", "按状态筛选"),
    "works_sort": ("Order", "排序"),
    "sort_-registered": ("Newest first", "最新在前"),
    "sort_registered": ("Oldest first", "最早在前"),
    "sort_title": ("By title", "按标题"),
    "sort_-title": ("By title, backwards", "按标题倒序"),
    "state_all": ("All", "全部"),
    "state_unsigned": ("Not signed", "没签名"),
    "state_in-force": ("In force", "已生效"),
    "state_pending": ("Waiting to loosen", "等待放宽"),
    "state_contested": ("Contested", "有争议"),
    "state_disputed": ("In dispute", "争议中"),
    "state_challenged": ("Challenged", "受挑战"),
    "state_frozen": ("To be signed again", "要重新签"),
    "state_withdrawn": ("Withdrawn", "已撤下"),
    "works_none": ("No picture fits that.", "没有符合的画。"),
    "works_show_all": ("Show all", "看全部"),
    "works_empty": ("This wall is still empty.", "这面墙还空着。"),
    "works_empty_text": (
        "Add your pictures, up to 500 at a time. The terms start at the strictest.",
        "把画加进来，一次最多 500 张。条件从最严的开始。",
    ),
    "works_empty_how": (
        "Whole archives come by the command line tool as well:",
        "整个档案也可以用命令行工具登记：",
    ),
    "works_select": ("Select {title}", "选中{title}"),
    "works_selected": ("selected", "张已选"),
    "works_tap": ("Tap a picture to select it", "点一下画就能选中"),
    "works_terms": ("Set terms", "定条件"),
    "works_all_terms": ("Set terms for all", "给全部定条件"),
    "works_alt": ("Small preview of {title}", "{title} 的小图"),
    "works_no_thumb": ("By fingerprint only", "只留了指纹"),
    "works_no_thumb_site": ("A rule for a site", "网站规则"),
    # one work
    "work_lead": ("Registered on {day}", "{day}登记"),
    "work_change": ("Change terms", "改条件"),
    "work_public": ("Public page", "公开页"),
    "work_uses": ("Use by use", "一项一项说"),
    "work_none": (
        "You have not signed terms for it. Until you do, nobody can see that you said no.",
        "你还没为它签条件。签之前，没人看得到你说了不。",
    ),
    "work_waiting": (
        "From {when} on it would be: {door}. Until then what stands here is in force.",
        "{when}起会变成：{door}。在那之前，以这里写的为准。",
    ),
    "work_waiting_soon": ("Looser terms wait: {door}.", "等着放宽：{door}。"),
    "work_undo": ("Take it back", "不放宽了"),
    "work_contested": (
        Plural(
            "Another account has registered a picture like this one. Until that is settled, nobody may use it and what "
            "it earns is held safe.",
            "{n} pictures of other accounts are like this one. Until that is settled, nobody may use it and what it "
            "earns is held safe.",
        ),
        "别的账号登记了 {n} 张和它很像的画。有结果之前，谁都不得使用，收入先替你存着。",
    ),
    "work_challenged": (
        "Somebody with more proof claims this picture too. Your claim counts again once you have proven as much.",
        "有证明更充分的人也主张这张画。等你补上同样的证明，你的主张才重新算数。",
    ),
    "work_frozen": (
        "After a loss on our side we cannot be sure what you said last, so nobody may use it. Please sign again.",
        "我们这边丢过数据，不能确定你最后怎么说的，所以现在谁都不得使用。请重新签一次。",
    ),
    "work_history": ("Its history", "它的经历"),
    "work_registered": ("Registered", "登记"),
    "work_no": ("no. {n}", "第 {n} 号"),
    "work_known": ("What it is recognised by", "靠什么认出它"),
    "work_mode": ("How it was registered", "怎么登记的"),
    "mode_upload": ("We have seen the file; it was not kept", "我们看过文件，没有留下"),
    "mode_fingerprint-only": ("By fingerprint only; it may refuse, but not sell", "只有指纹：可以拒绝，不能出售"),
    "work_parts": ("Crops and screenshots", "裁图和截图"),
    "parts_found": ("Are found too", "也认得出"),
    "parts_too-plain": ("Not found: the picture is too plain", "认不出：画面太简单"),
    "parts_not-sent": ("Not found: we have not seen the file", "认不出：我们没看过文件"),
    "parts_not-looked-at": ("Not looked at yet", "还没看"),
    "work_addresses": ("Addresses", "网址"),
    "work_number": ("Number", "编号"),
    "work_snapshot": ("In the list that teams download", "在团队下载的名单里"),
    "yes": ("Yes", "是"),
    "not_yet": ("Not yet", "还没有"),
    "work_proof": ("See signature and proof", "看签名和证明"),
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
    # receipts
    "receipt": ("Receipt", "收据"),
    "receipt_h1": ("You signed this", "你签了这个"),
    "receipt_on": ("Signed on", "签名时间"),
    "receipt_effect": ("What it did", "作用"),
    "receipt_count": ("Pictures", "画"),
    "receipt_index": ("Number in the public record", "公开记录编号"),
    "receipt_wait": (
        "It loosens, so it waits until {when}. Until then you can take it back.",
        "这是放宽，要等到 {when} 才生效。在那之前可以反悔。",
    ),
    "receipt_text": ("What you signed, word for word", "你签的字，一字不差"),
    "receipt_code": ("Check code", "核对码"),
    "receipt_code_text": (
        (
            "The digest of the signed bytes. The public log does not show it: there it stands only under a random "
            "number, which is in the file, so the entry has another digest. Whoever has the file can hold both "
            "together, without us."
        ),
        (
            "签名内容的摘要。公开日志里看不到它：那里的摘要加了一个随机数，所以和它不一样，随机数在文件里。"
            "拿着文件的人不用找我们，自己就能核对两者对得上。"
        ),
    ),
    "receipt_file": ("Download the file with its proof", "下载带证明的文件"),
    "receipt_check": ("Check this receipt with the file", "用文件核对这张收据"),
    "receipt_entry": ("Its entry in the public log", "它在公开日志里的记录"),
    "receipt_print": ("It prints on one sheet.", "可以打印在一张纸上。"),
    "receipt_some": ("Pictures under it", "这次签名管的画"),
    "receipt_first": ("The first pictures under it", "这次签名管的画，前几张"),
    "scope_catalogue": ("all your pictures", "你的全部画"),
    # account
    "account": ("Account", "账号"),
    "account_number": ("Account number", "账号编号"),
    "account_level": ("Claim level", "主张等级"),
    "account_level_of": ("{level} of 4", "{level}（共 4 级）"),
    "account_sessions": ("Where you are signed in", "登录在哪些设备上"),
    "account_sessions_text": (
        "A session lasts two weeks. End any that you do not know.",
        "一次登录管两周。不认识的，就让它退出。",
    ),
    "account_opened": ("Signed in", "登录于"),
    "account_used": ("Passkey last used", "上次用钥匙"),
    "account_here": ("This device", "这台设备"),
    "account_elsewhere": ("Another device", "另一台设备"),
    "account_end": ("Sign it out", "让它退出"),
    "account_end_of": ("the session of {when}", "{when}的登录"),
    "account_keys": ("Your keys", "你的钥匙"),
    "account_key": ("Key", "钥匙"),
    **KEYS,
    "account_revoked": ("Ended", "已停用"),
    "account_live": ("In use", "在用"),
    "account_status": ("State", "状态"),
    "codes": ("Recovery codes", "恢复码"),
    "codes_text": (
        (
            "Ten codes that bring you back if you lose your devices. Write them down or print them; we keep only a "
            "trace by which we recognise one, and cannot show them again."
        ),
        "十个码，设备都丢了也能凭它回来。抄下来或打印出来；我们只留辨认用的痕迹，再也显示不出来。",
    ),
    "codes_left": (
        Plural("One code is left.", "{n} codes are left."),
        "还剩 {n} 个。",
    ),
    "codes_none": ("You have none yet.", "还没有。"),
    "codes_now": (
        "You have ten codes now; any older ones are worthless.",
        "现在有十个码；更早的都作废了。",
    ),
    "codes_make": ("Make ten new codes", "建十个新的恢复码"),
    "codes_replace": ("New codes make the old ones worthless.", "建了新的，旧的就作废。"),
    "codes_keep": (
        "Keep these with your account number, apart from your phone. They count from now on.",
        "和账号编号放在一起，别和手机放一处。从现在起有效。",
    ),
}
