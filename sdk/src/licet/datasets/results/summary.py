"""The public summary of training content that Art. 53(1)(d) of the EU AI Act asks for, in the AI Office's template.

The template of 2025-07-24 has three parts: general information, data sources, data processing. What the register knows
is filled in and says where it is from; what it cannot know is left as a blank with its name, for the provider to write.
Nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final, Literal

import msgspec

from licet.errors import InputError
from licet.wire.register import DatasetShown, ModelVersionInfo

TEMPLATE: Final = "2025-07-24"
Language = Literal["en", "zh"]


class Answer(msgspec.Struct, frozen=True):
    """One line of the template. ``value`` is null where it is left blank; ``source`` says where it is from."""

    id: str
    label: str
    value: str | None
    source: Literal["register", "provider"] | None


class Part(msgspec.Struct, frozen=True):
    """One section of the template."""

    id: str
    title: str
    answers: list[Answer]


class Summary(msgspec.Struct, frozen=True):
    """A summary as far as it could be filled in; ``blanks`` are the lines that the provider has to write."""

    template: str
    language: Language
    subject: str
    parts: list[Part]
    blanks: list[str]


# Section, its lines: what they are called in English and Chinese. Lines are named as in the template's order.
_PARTS: Final[Mapping[str, tuple[str, str]]] = {
    "1.1": ("General information: provider", "一般信息：提供者"),
    "1.2": ("General information: model", "一般信息：模型"),
    "1.3": ("General information: modalities, size and characteristics", "一般信息：模态、规模与特征"),
    "2.1": ("Data sources: publicly available datasets", "数据来源：公开可得的数据集"),
    "2.2": ("Data sources: private datasets obtained from third parties", "数据来源：从第三方取得的非公开数据集"),
    "2.3": ("Data sources: crawled and scraped from online sources", "数据来源：从网上抓取"),
    "2.4": ("Data sources: user data", "数据来源：用户数据"),
    "2.5": ("Data sources: synthetic data", "数据来源：合成数据"),
    "2.6": ("Data sources: other", "数据来源：其他"),
    "3.1": (
        "Data processing: reservations of rights from text and data mining",
        "数据处理：对文本与数据挖掘的权利保留",
    ),
    "3.2": ("Data processing: removal of illegal content", "数据处理：移除非法内容"),
    "3.3": ("Data processing: other information", "数据处理：其他信息"),
}
_LINES: Final[Mapping[str, tuple[str, str]]] = {
    "1.1.name": ("Provider name", "提供者名称"),
    "1.1.contact": ("Provider contact details", "提供者联系方式"),
    "1.1.representative": ("Authorised representative name and contact details", "授权代表名称及联系方式"),
    "1.2.model": ("Versioned model name", "模型名称及版本"),
    "1.2.dependencies": ("Model dependencies", "所依赖的模型"),
    "1.2.market": ("Date of placement on the Union market", "投放欧盟市场的日期"),
    "1.2.status": ("Status, as stated in the register", "登记中申报的状态"),
    "1.3.modalities": ("Modalities", "模态"),
    "1.3.size": ("Training data size per modality", "各模态的训练数据规模"),
    "1.3.rows": ("Rows kept for training, by version of dataset", "供训练收下的行数，按数据集版本"),
    "1.3.types": ("Types of content", "内容类型"),
    "1.3.latest": ("Latest date of data acquisition or collection", "取得或收集数据的最近日期"),
    "1.3.decided": ("Latest date on which rows were decided on", "对行作出判定的最近日期"),
    "1.3.languages": ("Linguistic characteristics", "语言特征"),
    "1.3.other": ("Other relevant characteristics", "其他相关特征"),
    "2.1.used": ("Whether publicly available datasets were used", "是否使用公开可得的数据集"),
    "2.1.large": ("Large publicly available datasets", "大型公开数据集"),
    "2.1.other": ("Description of other publicly available datasets", "其他公开数据集的说明"),
    "2.2.licensed": (
        "Commercially licensed by rightsholders or their representatives",
        "权利人或其代表的商业许可",
    ),
    "2.2.terms": ("Works under licences in the register, by price", "登记中已许可的作品，按计价方式"),
    "2.2.others": ("Private datasets from other third parties", "从其他第三方取得的非公开数据集"),
    "2.3.used": ("Whether crawlers were used", "是否使用爬虫"),
    "2.3.crawlers": ("Names, purposes and behaviour of crawlers", "爬虫的名称、目的与行为"),
    "2.3.period": ("Period of collection", "收集期间"),
    "2.3.domains": ("Most relevant domain names crawled", "抓取的主要域名"),
    "2.4.used": ("Whether data from user interactions was used", "是否使用用户交互数据"),
    "2.5.used": ("Whether synthetic data was used, and which models made it", "是否使用合成数据，由哪些模型生成"),
    "2.6.used": ("Other sources, and their description", "其他来源及其说明"),
    "3.1.code": ("Signatory of the Code of Practice with copyright commitments", "是否签署含版权承诺的《行为准则》"),
    "3.1.measures": ("Measures before and during collection", "收集之前与期间的措施"),
    "3.1.found": ("What was found of works under signed terms", "对受签名条款约束的作品的查询结果"),
    "3.1.unknown": ("Works that nobody speaks for", "没人登记的作品"),
    "3.1.proof": ("Where this can be checked", "何处可以核对"),
    "3.1.policy": ("Where the copyright policy is", "版权政策所在"),
    "3.2.measures": ("Measures taken", "采取的措施"),
    "3.3.other": ("Other information (optional)", "其他信息（可选）"),
}
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("Public summary of training content", "训练内容公开摘要"),
    "about": (
        "After the template of the European AI Office of 24 July 2025, Art. 53(1)(d) of Regulation (EU) 2024/1689",
        "依据欧洲人工智能办公室 2025 年 7 月 24 日模板，《（EU）2024/1689 号条例》第 53 条第 1 款 (d) 项",
    ),
    "blank": ("To be written by the provider", "由提供者填写"),
    "register": ("from the register", "来自登记"),
    "provider": ("from the provider", "来自提供者"),
    "rows": ("{name}, version {version}: {kept} of {rows} rows", "{name} 第 {version} 版：{rows} 行中的 {kept} 行"),
    "yes_licences": ("Yes: {count} licences in the register", "是：登记中有 {count} 份许可"),
    "no_licences": ("None in the register", "登记中没有"),
    "works": ("{works} works, {price}", "{works} 件，{price}"),
    "measured": (
        "Every row was held against a signed snapshot of artists' terms ({match}); rows that they deny were left out.",
        "每一行都与艺术家条件的签名快照核对（{match}）；条件不许的行已剔除。",
    ),
    "rechecked": (
        "Each training run, {runs} in all, re-checked what was kept against a snapshot that was valid at that time.",
        "每次训练（共 {runs} 次）都按当时有效的快照复查了收下的行。",
    ),
    "rechecked_but": (
        (
            "Training runs: {runs} in all, {granted} of them the first of a licence, taken for what was kept. Each "
            "other one re-checked what was kept against a snapshot that was valid at that time."
        ),
        "训练共 {runs} 次，其中 {granted} 次是随许可而来的首次训练；其余每次都按当时有效的快照复查了收下的行。",
    ),
    "unknown_exclude": ("left out", "一律不收"),
    "unknown_keep": (
        "kept, at the provider's own risk: not registered is not consent",
        "收下，风险自负：没登记不等于同意",
    ),
    "unsaid": ("not kept in the register", "登记中无记录"),
}


def summary_of(
    datasets: Sequence[DatasetShown],
    url: str,
    *,
    version: ModelVersionInfo | None = None,
    provider: str | None = None,
    said: Mapping[str, str] | None = None,
    language: Language = "en",
) -> Summary:
    """Return the summary of what ``version`` was trained on, or of ``datasets`` alone.

    ``said``: the provider's own words for lines by their id, for what would be blank. Raises ``InputError`` for a line
    that is none, or one that the register fills in.
    """
    place = 0 if language == "en" else 1
    known = {line: text for line, text in _known(datasets, url, version, provider, place) if text}
    given = dict(said or {})
    for line in given:
        if line not in _LINES:
            raise InputError.field("line", f"one of {', '.join(_LINES)}", line)
        if line in known:
            raise InputError.field("line", "one that the register leaves blank", line)
    parts = []
    for part, titles in _PARTS.items():
        answers = [
            Answer(line, labels[place], known.get(line, given.get(line)), _source(line, known, given))
            for line, labels in _LINES.items()
            if line.startswith(f"{part}.")
        ]
        parts.append(Part(part, titles[place], answers))
    blanks = [each.id for part in parts for each in part.answers if each.value is None]
    subject = f"{version.name}@{version.version}" if version else datasets[0].name
    return Summary(TEMPLATE, language, subject, parts, blanks)


def to_html(summary: Summary) -> str:
    """Return the summary as a page of its own, without a script or anything from elsewhere."""
    place = 0 if summary.language == "en" else 1

    def word(name: str) -> str:
        return escape(_WORDS[name][place])

    lang = "en" if summary.language == "en" else "zh-Hans"
    sections = "\n".join(
        f"<section><h2>{part.id} {escape(part.title)}</h2><dl>\n"
        + "\n".join(
            f"<dt>{escape(each.label)}</dt><dd>"
            + (
                f'<span class="blank" data-line="{each.id}">{word("blank")}</span>'
                if each.value is None
                else escape(each.value).replace("\n", "<br>") + f" <small>({word(each.source or 'provider')})</small>"
            )
            + "</dd>"
            for each in part.answers
        )
        + "\n</dl></section>"
        for part in summary.parts
    )
    return (
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{word('title')}: {escape(summary.subject)}</title><style>{_STYLE}</style></head><body><main>\n"
        f"<h1>{word('title')}</h1><p><b>{escape(summary.subject)}</b></p><p>{word('about')}</p>\n"
        f"{sections}\n</main></body></html>\n"
    )


#: What the register names by words of ours, in Chinese; in English they stand as they are.
_CHINESE: Final[Mapping[str, str]] = {
    "undescribed": "没有说明", "in-training": "训练中", "released": "已发布", "retired": "已停用",
    "allow": "作者准许", "license": "需许可", "unknown": "没登记", "review": "须人工查看", "deny": "作者不同意",
    "free": "免费", "attribution": "署名", "per-work": "每件一次", "per-training-run": "每次训练",
    "per-output": "每次生成", "subscription": "订阅", "pool": "从总额里分", "revenue-share": "收入分成",
    "negotiate": "另行商定", "exact": "同一文件或网址", "near": "同一张画，缩放也算", "derivative": "画的局部也算",
}  # fmt: skip


_STYLE: Final = (
    "body{font:1.05rem/1.6 system-ui,sans-serif;color:#15201f;background:#f1f5f4;margin:0}"
    "main{max-width:46rem;margin:auto;padding:1.5rem}h1,h2{font-family:Georgia,serif;font-weight:400}"
    "dt{color:#465452;margin-top:.8em}dd{margin:0;overflow-wrap:anywhere}small{color:#465452}"
    ".blank{border-bottom:2px dashed #835500}"
)


def _source(line: str, known: Mapping[str, str], given: Mapping[str, str]) -> Literal["register", "provider"] | None:
    return "register" if line in known else "provider" if line in given else None


def _known(
    datasets: Sequence[DatasetShown], url: str, version: ModelVersionInfo | None, provider: str | None, place: int
) -> Iterator[tuple[str, str]]:
    def word(name: str, /, **values: object) -> str:
        return _WORDS[name][place].format(**values)

    def named(name: str) -> str:
        return _CHINESE.get(name, name) if place else name

    comma, listing = ("，", "、") if place else (", ", ", ")

    def each(line: Any) -> str:
        return "\n".join(line(one) for one in datasets)

    yield "1.1.name", provider or ""
    yield "1.2.model", f"{version.name}@{version.version}" if version else ""
    if version is not None:
        yield "1.2.status", named(version.status)
        base = version.card.base if version.card else None
        if base is not None:
            yield (
                "1.2.dependencies",
                " ".join(
                    part for part in (base.model + (f"@{base.version}" if base.version else ""), base.url) if part
                ),
            )
    yield (
        "1.3.rows",
        each(lambda one: word("rows", name=one.name, version=one.version, kept=f"{one.kept:,}", rows=f"{one.rows:,}")),
    )
    if datasets:
        yield "1.3.decided", max(one.decided_at for one in datasets)[:10]
        licences = sum(one.licences or 0 for one in datasets)
        yield "2.2.licensed", word("yes_licences", count=licences) if licences else word("no_licences")
        yield (
            "2.2.terms",
            "\n".join(
                f"{one.name} {one.version}: {word('works', works=f'{works:,}', price=named(price))}"
                for one in datasets
                for price, works in one.terms.items()
            ),
        )
        kinds = sorted({one.match for one in datasets if one.match is not None})
        measured = word("measured", match=listing.join(map(named, kinds)) or word("unsaid"))
        runs = {} if version is None else {"runs": version.runs, "granted": version.granted}
        rechecked = "\n" + word("rechecked_but" if runs["granted"] else "rechecked", **runs) if runs else ""
        yield "3.1.measures", measured + rechecked
        yield (
            "3.1.found",
            each(
                lambda one: (
                    f"{one.name} {one.version}: "
                    + comma.join(
                        f"{named(verdict)} {count:,} 行" if place else f"{count:,} {verdict}"
                        for verdict, count in one.counts.items()
                    )
                )
            ),
        )
        yield (
            "3.1.unknown",
            each(
                lambda one: (
                    f"{one.name} {one.version}: "
                    + word(f"unknown_{one.unknown_policy}" if one.unknown_policy else "unsaid")
                )
            ),
        )
        yield "3.1.proof", each(lambda one: f"{url}/v1/register/statements/{one.dataset}")
