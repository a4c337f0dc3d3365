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
from registry.portal.artists.term_words import TERMS
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
    **TERMS,
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
