"""What pages say: every sentence by one name in both languages, with numbers, dates and amounts as each writes them.

A vocabulary is a dict of ``name: (English, Chinese)``; each room keeps its own in ``words.py``. English may be a
`Plural`, chosen by ``n``. Why not gettext: ``docs/decisions/0029-words-of-the-portal.md``. What is signed is not said
here but by ``licet.terms.plain_text``, whose digest and language stand in the statement.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Final, NamedTuple

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_name
from markupsafe import Markup

from licet import money, times
from licet.characters import apart
from registry.portal.frame.languages import LANGUAGES, LOCALES, TAGS, Language


class Plural(NamedTuple):
    """An English text of one thing and of any other number of them, which stands where ``{n}`` does."""

    one: str
    other: str


_KEPT: Final = 4096  # of numbers, days, moments and amounts, as they were written last
_HAN: Final = re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
_NAMED: Final = re.compile(rf"(?P<before>(?<={_HAN.pattern}) )?\{{(?P<name>\w+)\}}(?P<after> (?={_HAN.pattern}))?")

Vocabulary = Mapping[str, tuple[str | Plural, str]]

FRAME: Final[Vocabulary] = {
    "comma": (", ", "，"),
    "listing": (", ", "、"),
    "colon": (": ", "："),
    "gap": (" ", ""),  # between two sentences
    "skip": ("Skip to content", "跳到正文"),
    "main": ("Main", "主要"),
    "path": ("Where you are", "当前位置"),
    "foot": (
        "A registration is your claim, not proof of title. Exceptions in law may still apply to a refusal.",
        "登记是你的声明，不是所有权证明。即使写明不同意，法律规定的例外情形仍可能适用。",
    ),
    "copy": ("Copy the link", "复制链接"),
    "copied": ("Copied.", "已复制。"),
    "marked": (
        "This browser does not let us copy. The link is marked: copy it yourself.",
        "浏览器不让我们复制。链接已选中，请自己复制。",
    ),
    "nav_check": ("Check a picture", "查一张画"),
    "nav_register": ("Public register", "公开登记"),
    "nav_sign_in": ("Sign in", "登录"),
    "nav_home": ("Home", "首页"),
    "nav_alerts": ("Alerts", "提醒"),
    "nav_works": ("Pictures", "我的画"),
    "nav_earnings": ("Money", "收入"),
    "nav_account": ("Account", "账号"),
    "nav_datasets": ("Datasets", "数据集"),
    "nav_licences": ("Licences", "许可"),
    "nav_invoices": ("Money", "账目"),
    "nav_tokens": ("Tokens and keys", "令牌和钥匙"),
    "nav_entries": ("Ledger", "总账"),
    "nav_duties": ("Duties", "要做的事"),
    "nav_disputes": ("Disputes", "争议"),
    "nav_keys": ("Keys", "钥匙"),
    "nav_staff": ("People", "人员"),
    "nav_can": ("What this can and cannot do", "能做和不能做的"),
    "nav_about": ("About", "关于"),
    "nav_log": ("Public log", "公开日志"),
    "nav_verify": ("Check it yourself", "自己核对"),
    "unread": (Plural("one unread", "{n} unread"), "{n} 条未读"),
    "sign_out": ("Sign out", "退出登录"),
    "more": ("Next page", "下一页"),
    "from_start": ("Back to the first page", "回到第一页"),
    "no_entry": ("Not in the public log yet", "还没进公开日志"),
    # notes after something was done
    "note_signed_out": ("You are signed out on this device.", "这台设备已退出登录。"),
    "note_session_ended": ("That device is signed out.", "那台设备已退出登录。"),
    "note_joined": ("Your account is open.", "账号开好了。"),
    "note_token_ended": ("That token is worthless from now on.", "那个令牌已经作废。"),
    "note_dispute_decided": ("It is decided, and both parties were told.", "裁决作出了，已经通知双方。"),
    "note_dispute_opened": ("Your dispute is open, and the other party was told.", "争议提出了，已经通知对方。"),
    "note_dispute_answered": ("Your answer was given.", "你的答复已经送到。"),
    "note_dispute_reviewed": ("It is decided for good, and both parties were told.", "复核完了，已经通知双方。"),
    "note_dispute_appealed": ("Your appeal was given, and the other party was told.", "申诉已经送到，也通知了对方。"),
    "note_dispute_accepted": ("You accepted the decision, and the dispute is over.", "你接受了裁决，争议结束了。"),
    "note_dispute_withdrawn": ("The dispute was taken back.", "争议撤回了。"),
    "note_erased": (
        "Your account is deleted. Thank you for having been here.",
        "账号已删除。谢谢你来过。",
    ),
    "note_key_added": ("That key may sign for you from now on.", "那把钥匙从现在起可以替你签名。"),
    "note_key_ended": ("That key may not sign any more.", "那把钥匙已停用。"),
    "note_invitation_withdrawn": ("Taken back. That link opens nothing any more.", "撤回了，那个链接打不开了。"),
    "note_dismissed": ("That account opens nothing any more.", "那个账号什么都打不开了。"),
    "note_codes": ("Your recovery codes count from now on.", "恢复码已生效。"),
    "note_domain_asked": (
        "Put the line there, then let us look.",
        "把那行字放上去，再让我们去看。",
    ),
    "note_revoked": ("Taken back. The team is told.", "已收回，对方会收到通知。"),
    "note_asked": ("Asked. The artist is told; you see the answer here.", "问出去了，作者会收到通知，答复在这里看。"),
    "note_licensed": ("Taken. This is your licence.", "许可拿到了，就是这一份。"),
    "note_offered": ("Offered. The team is told.", "报出去了，对方会收到通知。"),
    "note_offer_withdrawn": ("Taken back. The team is told.", "报价撤回了，对方会收到通知。"),
    "note_request_withdrawn": ("Taken back. The artist is told.", "申请撤回了，作者会收到通知。"),
    "note_declined": ("Declined. The artist is told.", "已谢绝，作者会收到通知。"),
    "note_refused": ("Refused. The team is told.", "已谢绝，对方会收到通知。"),
    "note_alerts_read": ("Marked as read.", "标成已读了。"),
    "note_alerts_off": ("Switched off. You can still look such alerts up here.", "关掉了。这类提醒还能在这里查到。"),
    "note_alerts_on": ("Switched on.", "打开了。"),
    "note_payout": ("Saved. You are told of it as well.", "存好了，我们也会另外通知你。"),
    "note_domain_dropped": ("You no longer claim that domain.", "那个域名已放弃。"),
    "note_domain_proven": ("Found. Your domain is proven.", "找到了，你的域名已证明。"),
    "note_domain_missed": (
        "We looked and did not find the line yet. A new DNS record can take some hours to be seen.",
        "看过了，还没找到那行字。新的 DNS 记录可能要几个小时才看得到。",
    ),
    "note_signed": ("Signed. This is your receipt.", "签好了。这是你的收据。"),
    "note_signed_in": ("You are signed in.", "你已登录。"),
    # refusals
    "ref": (
        "Still not working? This number tells us what happened:",
        "还是不行？把这个编号告诉我们，就能查到发生了什么：",
    ),
    "ref_contact": ("Send it to", "请发到"),
    "nav_contact": ("Contact", "联系我们"),
    "try_again": ("Try again", "再试一次"),
    "go_home": ("Go to the start page", "回首页"),
    "go_back_works": ("Back to my pictures", "回到我的画"),
    "safe": (
        "Your signatures, pictures and money are as they were.",
        "你的签名、画和钱都保持原样。",
    ),
    "e_detail": ("What exactly", "具体是什么"),
    "e400": ("We could not read that", "这个请求我们读不懂"),
    "e400_text": ("Something in it was not as this page expects.", "里面有一处和页面要的不一样。"),
    "e401": ("Please sign in again", "请重新登录"),
    "e401_text": (
        "You were signed out, because two weeks passed or you ended the session elsewhere. Nothing was signed or sent.",
        "你已经退出登录：也许过了两周，也许在别处结束了这次登录。刚才什么都没有签，也没有发出。",
    ),
    "e401_kept": (
        (
            "You were signed out, because two weeks passed or you ended the session elsewhere. Nothing is lost: sign "
            "in here with the same account, and what you just sent goes on its way."
        ),
        "你已经退出登录：也许过了两周，也许在别处结束了这次登录。什么都没有丢：在这里用同一个账号登录，刚才发出的内容就会接着送出去。",
    ),
    "e401_go": ("Sign in and go on", "登录并继续"),
    "e403": ("This is not open to you", "这里不对你开放"),
    "e403_text": ("You are signed in, but this needs something else.", "你已登录，但这一步还需要别的。"),
    "e403_form": ("This page had gone stale", "这个页面过期了"),
    "e403_form_text": (
        "It was opened before you last signed in. Nothing was done. Open it again and go on.",
        "它是在你上次登录之前打开的。刚才什么都没有做。重新打开再继续。",
    ),
    "e403_step": ("Please show your passkey once more", "请再用一次通行密钥"),
    "e403_step_text": (
        "This step asks for a passkey used in the last five minutes. Sign in again, then repeat it. Nothing was done.",
        "这一步要求通行密钥在五分钟内用过。请重新登录，再做一次。刚才什么都没有做。",
    ),
    "e404": ("There is nothing here", "这里什么都没有"),
    "e404_text": (
        "The address may be old or mistyped, or what was here is not public. Nothing was lost.",
        "网址可能旧了、打错了，或者这里的内容没有公开。什么都没有丢。",
    ),
    "e405": ("That cannot be done here", "这里不能这样做"),
    "e405_text": (
        "The page was asked in a way it does not know. Nothing was done.",
        "页面不认识这种请求。什么都没有做。",
    ),
    "e409": ("Something changed meanwhile", "中间有了变化"),
    "e409_text": (
        "Another statement came first, perhaps from another tab. Nothing was signed here. Look again and go on.",
        "另一份声明先到了，也许是另一个标签页签的。这里什么都没有签。请再看一眼，然后继续。",
    ),
    "e413": ("That is too large", "太大了"),
    "e413_text": ("We take less at once than was sent.", "一次收不了这么多。"),
    "e429": ("Too much at once", "太频繁了"),
    "e429_text": (
        "Everybody has a limit, and this one is used up for the moment. Try again in a few minutes.",
        "每个人都有次数限制，这会儿用完了。过几分钟再试。",
    ),
    "e503": ("We cannot answer at this moment", "现在答不上来"),
    "e503_text": (
        "A part of this service does not answer. Rather than guess, we say so. Try again in a minute.",
        "我们有一个部件没有响应。与其猜，不如直说。过一分钟再试。",
    ),
    "e500": ("This page did not open. That is our fault.", "这一页没打开，是我们的问题。"),
    "e500_text": ("We have a record of it and look into it.", "我们留下了记录，会去查。"),
}


class Words:
    """The words of one language, by their names; `number`, `day`, `moment` and `money` write as it does."""

    def __init__(self, language: Language, *vocabularies: Vocabulary) -> None:
        self.language: Language = language
        self.tag = TAGS[language]
        self._place = LANGUAGES.index(language)
        self._locale = LOCALES[language]
        self._known = {**FRAME}
        for each in reversed(vocabularies):
            self._known |= each

    def __call__(self, name: str, /, **values: object) -> str:
        """Return the words called ``name`` with ``values`` in them; of a `Plural` those for the number ``n``.

        A text in them turns round nothing of the sentence, whoever wrote it.
        """
        text = self._known[name][self._place]
        number = values.get("n")
        if isinstance(text, Plural):
            text = text[_form(self._locale, int(str(number)))]
        if isinstance(number, int):
            values["n"] = self.number(number)
        if not values:
            return text
        values = {each: _inserted(value) if isinstance(value, str) else value for each, value in values.items()}
        return _close(text, values) if self.language == "zh" else text.format(**values)

    def __contains__(self, name: str) -> bool:
        """Whether there are words called ``name``."""
        return name in self._known

    def number(self, value: int) -> str:
        """Return ``value`` with its thousands parted."""
        return _number(value, self._locale)

    def percent(self, basis_points: int) -> str:
        """Return hundredths of a percent as people of this language write them, without needless zeros: 12.5%."""
        share = Decimal(basis_points).scaleb(-4)
        return str(format_percent(share, locale=self._locale, decimal_quantization=False))

    def size(self, count: int) -> str:
        """Return so many bytes in the unit that suits them, of a thousand each: 817 bytes, 2.4 MB."""
        if count < 1000:
            return f"{count} bytes" if self.language == "en" else f"{count} 字节"
        power, unit = next((each for each in ((3, "GB"), (2, "MB")) if count >= 1000 ** each[0]), (1, "kB"))
        return f"{format_decimal(Decimal(count) / 1000**power, '#,##0.#', locale=self._locale)} {unit}"

    def signed(self, value: int) -> str:
        """Return a difference with its sign, a dash for none."""
        return f"{value:+,}".replace("-", "−") if value else "–"

    def day(self, text: str) -> str:
        """Return the day of a time or of a date as people of this language write it."""
        pattern = "d MMM y" if self.language == "en" else "y 年 M 月 d 日"
        return _day(text[:10], pattern, self._locale)

    def month(self, name: str) -> str:
        """Return a month such as 2026-11 as people of this language write it."""
        pattern = "MMMM y" if self.language == "en" else "y 年 M 月"
        return _day(f"{name}-01", pattern, self._locale)

    def moment(self, at: datetime | str) -> str:
        """Return a moment with its time in UTC."""
        when = (times.from_text(at) if isinstance(at, str) else at).astimezone(UTC)
        pattern = "d MMM y, HH:mm 'UTC'" if self.language == "en" else "y 年 M 月 d 日 HH:mm（'UTC'）"
        return _moment(when.replace(second=0, microsecond=0), pattern, self._locale)

    def money(self, amount: str | Decimal | int, currency: str) -> str:
        """Return an amount (an int counts micro-units) with the sign of its currency: US$312.40, ¥1,248.50."""
        exact = Decimal(amount) / money.MICRO if isinstance(amount, int) else Decimal(amount)
        return _money(str(exact), currency, self._locale)

    def place(self, code: str) -> str:
        """Return what a country (ISO 3166-1 alpha-2), or the ``EU``, is called."""
        return str(Locale.parse(self._locale).territories.get(code, code))

    def currency(self, code: str) -> str:
        """Return what a currency is called."""
        return str(get_currency_name(code, locale=self._locale))


def _close(text: str, values: Mapping[str, object]) -> str:
    """Return ``text`` with ``values`` in it, without its spaces around those that are Chinese: these part scripts."""

    def put(found: re.Match[str]) -> str:
        value = str(values[found["name"]])
        before = "" if _HAN.match(value[:1]) else found["before"]
        return f"{before or ''}{value}{'' if _HAN.match(value[-1:]) else found['after'] or ''}"

    return _NAMED.sub(put, text)


# A page of a hundred rows says few numbers, days and amounts, and Babel takes longer over each than the whole row does.
@lru_cache(_KEPT)
def _number(value: int, locale: str) -> str:
    return str(format_decimal(value, locale=locale))


@lru_cache(_KEPT)
def _day(text: str, pattern: str, locale: str) -> str:
    return str(format_date(date.fromisoformat(text), pattern, locale=locale))


@lru_cache(_KEPT)
def _moment(when: datetime, pattern: str, locale: str) -> str:
    return str(format_datetime(when, pattern, locale=locale))


@lru_cache(_KEPT)
def _money(exact: str, currency: str, locale: str) -> str:
    # Never rounded: a price may have six decimals, and what is shown is what is owed.
    shown = str(format_currency(Decimal(exact), currency, locale=locale, decimal_quantization=False))
    return shown.replace("-", "−")  # as wide as a plus, and never parted from its figure


def _inserted(text: str) -> str:
    """Return ``text`` as it stands in a sentence: one that a template has made is escaped with all of it, once."""
    return apart(text.unescape() if isinstance(text, Markup) else text)


@cache
def _form(locale: str, number: int) -> int:
    return 0 if Locale.parse(locale).plural_form(number) == "one" else 1
