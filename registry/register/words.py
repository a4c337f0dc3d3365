"""What the register's pages say, in Chinese and English: every sentence once in each, under the same name."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from licet import times

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")
TAGS: Final[dict[Language, str]] = {"en": "en", "zh": "zh-Hans"}
_MONTHS: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()

WORDS: Final[dict[str, tuple[str, str]]] = {
    "register": ("Public register", "公开登记"),
    "skip": ("Skip to content", "跳到正文"),
    "main": ("Main", "主要"),
    "path": ("Where you are", "当前位置"),
    "title": ("What was trained on what", "什么模型，用什么训练"),
    "lead": (
        (
            "Teams signed these figures themselves, and anyone can check them. Not being listed does not mean that a "
            "model used nothing."
        ),
        "这些数字由各团队自己签字报上来，谁都能核对。没出现在这里的，不等于没有用过。",
    ),
    "search": ("Name or team", "名字或团队"),
    "find": ("Find", "查找"),
    "order": ("Order", "排序"),
    "newest": ("Newest first", "最新在前"),
    "by_name": ("By name", "按名字"),
    "models": ("Models", "模型"),
    "model": ("Model", "模型"),
    "datasets": ("Datasets", "数据集"),
    "dataset": ("Dataset", "数据集"),
    "as_of": ("As of {at}", "截至 {at}"),
    "name": ("Name", "名字"),
    "status": ("Status", "状态"),
    "version": ("Version", "版本"),
    "versions": ("Versions", "版本"),
    "runs": ("Training runs", "训练"),
    "run": ("Run", "训练"),
    "first_stated": ("First stated", "首次申报"),
    "looked_up": ("Looked up", "查过"),
    "left_out": ("Left out", "挡下"),
    "licensed": ("Licensed", "有许可"),
    "not_registered": ("Not registered", "没登记"),
    "share": ("Share", "比例"),
    "decided": ("Decided", "判定于"),
    "key_out": ("Left out: the artist said no, or a person must look", "作者不同意，或须人工查看，已挡下"),
    "key_paid": ("Licensed by the artist", "作者许可"),
    "key_rest": ("Allowed by the artist, or not registered", "作者准许，或没登记"),
    "nothing": ("Nothing is here yet.", "这里还什么都没有。"),
    "none_found": ("Nothing of that name is in the register.", "登记里没有叫这个名字的。"),
    "more": ("Next page", "下一页"),
    "from_start": ("Back to the first page", "回到第一页"),
    "in-training": ("In training", "训练中"),
    "released": ("Released", "已发布"),
    "retired": ("Retired", "已停用"),
    "undescribed": ("Reported by a run, not described", "由训练申报，尚无说明"),
    "since": ("since {day}", "自 {day}"),
    "base": ("Made from", "基于"),
    "elsewhere": ("not in this register", "不在本登记"),
    "open_weights": ("Weights open to anybody", "权重公开"),
    "card": ("Model card", "模型卡"),
    "yes": ("Yes", "是"),
    "no": ("No", "否"),
    "trained_on": ("Trained on", "训练所用"),
    "trained_more": ("and {count} more versions of datasets", "另有 {count} 个数据集版本"),
    "no_runs": ("No training run was reported for this version.", "这个版本还没有申报训练。"),
    "unknown_rows": ("Pictures nobody speaks for", "没人登记的画"),
    "exclude": ("Left out", "一律不收"),
    "keep": ("Kept, at the team's own risk", "收下，风险由团队自负"),
    "unsaid": ("Not kept", "无记录"),
    "counts": ("What was found, row by row", "逐行查到了什么"),
    "verdict": ("Answer", "结果"),
    "rows": ("Rows", "行数"),
    "change": ("Against version {version}", "与第 {version} 版相比"),
    "allow": ("Allowed by the artist", "作者准许"),
    "license": ("Needs a licence", "需许可"),
    "unknown": ("Not registered", "没登记"),
    "review": ("A person must look", "须人工查看"),
    "deny": ("The artist said no", "作者不同意"),
    "kept_of": ("{kept} of {rows} rows were kept.", "{rows} 行中收下 {kept} 行。"),
    "terms": ("Licensed works, by price", "已许可的作品，按计价方式"),
    "no_terms": ("No licence stands behind this version.", "这个版本背后没有许可。"),
    "works": ("Works", "作品"),
    "price": ("Price", "计价"),
    "free": ("Free", "免费"),
    "attribution": ("Against attribution", "署名"),
    "per-work": ("Once a work", "每件一次"),
    "per-training-run": ("Each training run", "每次训练"),
    "per-output": ("Each output", "每次生成"),
    "subscription": ("Subscription", "订阅"),
    "pool": ("Share of a pool", "分享奖金池"),
    "revenue-share": ("Share of revenue", "收入分成"),
    "negotiate": ("By agreement", "另行商定"),
    "how": ("How it was decided", "怎样判定的"),
    "use": ("Declared use", "声明的用途"),
    "purpose": ("Purpose", "目的"),
    "match": ("How pictures were recognised", "怎样辨认画"),
    "exact": ("The same file or address", "同一文件或网址"),
    "near": ("The same picture, also resized", "同一张画，缩放也算"),
    "derivative": ("Also parts of a picture", "画的局部也算"),
    "level": ("Least claim level", "最低主张等级"),
    "used_by": ("Models trained on it", "用它训练的模型"),
    "used_by_none": ("No listed model was trained on it.", "登记里没有用它训练的模型。"),
    "used_more": ("and {count} more", "另有 {count} 个"),
    "duties": ("Open duties", "未尽义务"),
    "duties_lead": (
        "Artists took licences back. This is what the team then has to do, and has not stated to be done.",
        "有作者收回了许可。下面是团队因此必须做、但还没申报做完的事。",
    ),
    "duty": ("Duty", "义务"),
    "due": ("Due", "期限"),
    "overdue": ("overdue", "已逾期"),
    "stop-new-runs": ("No new training runs with these works", "不得再用这些作品训练"),
    "retire-model": ("Retire the models trained on them", "停用用它们训练的模型"),
    "unlearn": ("Make the models forget them", "让模型忘掉这些作品"),
    "proof": ("Proof", "证据"),
    "proof_lead": (
        "The team signed this, and the public log has it. With the file, anybody can check both without asking us.",
        "团队签了字，公开日志里有它。拿着这个文件，谁都能自己核对，不必问我们。",
    ),
    "log_entry": ("Entry of the log", "日志条目"),
    "not_yet": ("Not in the published log yet", "尚未进入公开日志"),
    "snapshot": ("Snapshot", "快照"),
    "manifest": ("Manifest", "清单"),
    "statement": ("Statement with proof", "声明及证据"),
    "as_json": ("As JSON", "JSON 格式"),
    "dropped": ("Left out at the re-check", "复查时剔除"),
    "date": ("Date", "日期"),
    "row_root": ("Root over the decisions", "判定的根"),
    "means_out": ("What “left out” means", "“挡下”是什么意思"),
    "means_out_text": (
        (
            "The team saw that the artist said no, did not take the picture, and reported the count in a list that it "
            "signed. If the list is false, checking a single picture can show it."
        ),
        "这个团队查到作者说“不可以”，于是没有收这张画，并在签过字的清单里报了数。清单要是作假，抽查一张就会露馅。",
    ),
    "means_unknown": ("And “not registered”", "“没登记”呢"),
    "means_unknown_text": (
        "Not registered is not consent. A team decides for itself, and what it decided is written in its list.",
        "没登记不等于同意。团队可以自己决定收不收，但这个决定也写在清单里。",
    ),
    "foot": (
        (
            "A registration is a claim, not proof of title. The register proves what was declared, by whom and when; "
            "not that nothing else was used."
        ),
        "登记是声明，不是所有权证明。这里能证明谁在何时申报了什么，不能证明此外什么都没用。",
    ),
    "gone": ("This page did not open", "这一页没打开"),
    "gone_text": (
        "There is no such entry in the register, or none that is public. Nothing was lost.",
        "登记里没有这一条，或者它没有公开。什么都没有丢。",
    ),
    "to_register": ("To the register", "去看登记"),
    "bad": ("That address asks for something that is not there: {why}", "这个网址问的东西不存在：{why}"),
    "erased_team": ("A team that has left", "已离开的团队"),
}


class Words:
    """The words of one language, by their names; `number`, `day` and `moment` write as it does."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.tag = TAGS[language]
        self._place = LANGUAGES.index(language)

    def __call__(self, name: str, **values: object) -> str:
        """Return the words called ``name`` with ``values`` in them."""
        text = WORDS[name][self._place]
        return text.format(**values) if values else text

    def number(self, value: int) -> str:
        """Return ``value`` with its thousands parted."""
        return f"{value:,}"

    def signed(self, value: int) -> str:
        """Return a difference with its sign, a dash for none."""
        return f"{value:+,}".replace("-", "−") if value else "–"

    def day(self, text: str) -> str:
        """Return the day of a time or of a date as people of this language write it."""
        year, month, day = (int(part) for part in text[:10].split("-"))
        return f"{day} {_MONTHS[month - 1]} {year}" if self.language == "en" else f"{year} 年 {month} 月 {day} 日"

    def moment(self, at: datetime) -> str:
        """Return a moment with its time in UTC."""
        text = times.to_text(at)
        return (
            f"{self.day(text)}, {text[11:16]} UTC"
            if self.language == "en"
            else f"{self.day(text)} {text[11:16]}（UTC）"
        )


def preferred(accept: str | None) -> Language:
    """Return the language of ours that an ``Accept-Language`` header (RFC 9110, section 12.5.4) likes best."""
    best: tuple[float, Language] = (0.0, "en")
    for part in (accept or "")[:500].split(","):
        tag, _, rest = part.strip().partition(";")
        name = tag.partition("-")[0].lower()
        try:
            quality = float(rest.strip().removeprefix("q=")) if rest else 1.0
        except ValueError:
            continue
        for language in LANGUAGES:
            if name == language and quality > best[0]:
                best = (quality, language)
    return best[1]
