"""A bundle as one page that opens anywhere: no script, no network, both languages, every chart beside its table."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Final

from licet import money
from licet.audit.drawing.charts import columns, share
from licet.audit.drawing.figures import Figures, Group, Posting
from licet.audit.drawing.words import TAGS, WORDS, Language, counted, positions

SHOWN: Final = 20  # groups that are named; the rest are one line
Words = dict[str, str]
_TOTALS: Final = ("gross", "payable", "escrow", "fee", "reversed")


def report(found: Figures) -> str:
    """Return the page of a whole bundle, or of a part of one."""
    return _page("report", found, _report)


def statement(found: Figures) -> str:
    """Return the monthly statement of the account whose part the bundle is."""
    return _page("statement", found, _statement)


def _page(kind: str, found: Figures, body: Callable[[Figures, Words, Language], str]) -> str:
    style = _style()
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    titles = [WORDS[each][kind].format(period=found.report.period) for each in TAGS]
    choice = "".join(
        f'<label lang="{tag}"><input type="radio" name="language" id="{each}"{" checked" if each == "en" else ""}>'
        f"{WORDS[each]['language']}</label>"
        for each, tag in TAGS.items()
    )
    sections = "".join(
        f'<article class="{each}" lang="{tag}">\n<h1>{escape(title)}</h1>\n{body(found, WORDS[each], each)}</article>\n'
        for (each, tag), title in zip(TAGS.items(), titles, strict=True)
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(' · '.join(titles))} · Licet 允</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<header><fieldset class="tongue" aria-label="Language, 语言">{choice}</fieldset></header>\n'
        f"<main>\n{sections}</main>\n</body>\n</html>\n"
    )


@cache
def _style() -> str:
    return files("licet.audit.drawing").joinpath("style.css").read_text("utf-8")


def _about(found: Figures, words: Words) -> str:
    stated = found.report
    key = "whole" if stated.account is None else "of"
    told = [
        escape(words[key].format(origin=found.origin, account=stated.account)),
        escape(words[found.state].format(entry=found.closed_by)),
        *(escape(each) for each in positions(words, found.placed)),
        escape(words["verified" if found.anchored else "unanchored"].format(checks=found.checks)),
    ]
    if not stated.uses:
        told.append(escape(words["ledger-only"]))
    if stated.nothing_happened:
        told.append(f"<strong>{escape(words['nothing'])}</strong>")
    return "".join(f"<p>{each}</p>\n" for each in told)


def _report(found: Figures, words: Words, language: Language) -> str:
    text = _about(found, words)
    if found.report.totals:
        text += f"<h2>{words['sums']}</h2>\n" + _scroll(
            _table(
                ["", *((words[name], "n") for name in _TOTALS)],
                (
                    [
                        total.currency,
                        *((money.figure(getattr(total, name), total.currency), "n") for name in _TOTALS),
                    ]
                    for total in found.report.totals
                ),
            )
        )
    text += _days(found, words, language)
    for key, label, groups in (
        ("licensees", "licensee", found.licensees),
        ("terms", "term", found.terms),
        ("artists", "artist", found.artists),
    ):
        if groups:
            name: Callable[[str], str] = words.__getitem__ if key == "terms" else _identifier
            text += f"<h2>{words[key]}</h2>\n" + _groups(groups, words, words[label], name)
    return text + _checking(found, words)


def _statement(found: Figures, words: Words, language: Language) -> str:
    text = _about(found, words)
    if found.balances:
        sections = []
        for row in found.balances:
            side, sign = side_of(row.account)
            figures = [
                (words[name], money.figure(sign * micro, row.currency))
                for name, micro in (
                    ("opening", row.opening),
                    ("accrued", row.accrued),
                    ("reversals", row.reversed),
                    ("settled", row.settled),
                )
            ]
            lines = "".join(f'<tr><th scope="row">{a}</th><td class="n">{b}</td></tr>' for a, b in figures)
            closing = money.figure(sign * row.closing, row.currency)
            end = f'<th scope="row">{words["closing"]}</th><td class="n">{closing}</td>'
            sections.append(
                f"<section><h3>{row.currency} · {words[f'{side}-side']}</h3>"
                f'<table><tbody>{lines}<tr class="tot">{end}</tr></tbody></table></section>'
            )
        text += f'<h2>{words["balances"]}</h2>\n<div class="purse">{"".join(sections)}</div>\n'
        if any(side_of(row.account)[0] != "receivable" for row in found.balances):
            text += f'<p class="quiet small">{words["fees"]}</p>\n'
    if found.report.uses:
        text += _days(found, words, language)
    text += f"<h2>{words['postings']}</h2>\n" + _postings(found.postings, words)
    return text + _checking(found, words)


def _postings(postings: Sequence[Posting], words: Words) -> str:
    if not postings:
        return f"<p>{words['postings-none']}</p>\n"
    heads = [(words["when"], ""), (words["who"], ""), (words["net"], "n"), (words["proof"], "")]
    head = "".join(f'<th scope="col"{_class(kind)}>{text}</th>' for text, kind in heads)
    body = []
    for each in postings:
        what = words.get(each.kind, each.kind)
        told = [escape(words["joined"].format(what=what, side=words[f"{each.side}-side"]))]
        if each.party:
            told.append(_identifier(each.party))
        if each.uses:
            told.append(f'<span class="quiet small">{counted(words, each.works, each.uses)}</span>')
        proof = f'<span class="id">{escape(each.proof or each.source)}</span>'
        if each.index is not None:
            proof += f"<br>{words['entry'].format(index=f'{each.index:,}')}"
        body.append(
            f'<tr><th scope="row" class="day">{each.at[:10]}</th><td>{"<br>".join(told)}</td>'
            f'<td class="n" data-l="{words["net"]}">{money.written(each.amount, each.currency)}</td>'
            f'<td data-l="{words["proof"]}">{proof}</td></tr>'
        )
    for currency in sorted({each.currency for each in postings}):
        for side in sorted({each.side for each in postings if each.currency == currency}):
            total = sum(each.amount for each in postings if (each.currency, each.side) == (currency, side))
            body.append(
                f'<tr class="tot"><th scope="row">{words["total"]}</th><td>{words[f"{side}-side"]}</td>'
                f'<td class="n">{money.written(total, currency)}</td><td></td></tr>'
            )
    return f'<table class="fold"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>\n'


def _days(found: Figures, words: Words, language: Language) -> str:
    period, total = found.report.period, sum(day.uses for day in found.days)
    text = f"<h2>{words['days']}</h2>\n"
    if not total:
        return text + f"<p>{words['days-none'].format(period=period)}</p>\n"
    most = max(found.days, key=lambda day: day.uses)
    says = words["days-says"].format(period=period, uses=f"{total:,}", day=most.day, most=f"{most.uses:,}")
    drawn = columns([(str(int(day.day[8:])), day.uses) for day in found.days], f"days-{language}", words["days"], says)
    currencies = sorted({currency for day in found.days for currency in day.amounts})
    table = _table(
        [words["day"], (words["uses"], "n"), *((f"{words['amount']} {each}", "n") for each in currencies)],
        (
            [
                day.day,
                (f"{day.uses:,}", "n"),
                *((money.figure(day.amounts.get(each, 0), each), "n") for each in currencies),
            ]
            for day in found.days
        ),
    )
    return text + f"{drawn}<p>{says}</p>\n<details><summary>{words['table']}</summary>{_scroll(table)}</details>\n"


def _groups(groups: Sequence[Group], words: Words, label: str, name: Callable[[str], str]) -> str:
    total = sum(group.uses for group in groups)
    rows = [(name(group.name), group.uses, len(group.works), group.amounts) for group in groups[:SHOWN]]
    rest = groups[SHOWN:]
    if rest:
        amounts: dict[str, int] = {}
        for group in rest:
            for currency, micro in group.amounts.items():
                amounts[currency] = amounts.get(currency, 0) + micro
        works = len(set().union(*(group.works for group in rest)))
        rows.append((words["others"].format(count=f"{len(rest):,}"), sum(group.uses for group in rest), works, amounts))
    currencies = sorted({currency for group in groups for currency in group.amounts})
    heads = [(label, ""), (words["uses"], "n"), (words["works"], "n")]
    heads += [(f"{words['amount']} {each}", "n") for each in currencies]
    head = "".join(f'<th scope="col"{_class(kind)}>{text}</th>' for text, kind in heads)
    body = []
    for title, uses, works, amounts in rows:
        part = f'<span class="small quiet">{100 * uses / total:.1f}%</span>'
        cells = [(words["uses"], f"{uses:,}"), (words["works"], f"{works:,}")]
        cells += [(f"{words['amount']} {each}", money.figure(amounts.get(each, 0), each)) for each in currencies]
        numbers = "".join(f'<td class="n" data-l="{head}">{text}</td>' for head, text in cells)
        body.append(f'<tr><th scope="row">{title} {part}{share(uses, total)}</th>{numbers}</tr>')
    return f'<table class="fold"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>\n'


def _checking(found: Figures, words: Words) -> str:
    says = escape(words["check-says"].format(period=found.report.period))
    log = words["log"].format(size=f"{found.size:,}", root=f'</span><span class="id">{found.root}')
    return f'<h2>{words["check"]}</h2>\n<p>{says}</p>\n<p class="quiet small"><span>{log}</span></p>\n'


def side_of(account: str) -> tuple[str, int]:
    """Return whose side of the ledger an account is, and the sign by which it reads as an amount owed."""
    side = account.partition(":")[0]
    return side, 1 if side == "receivable" else -1


def _table(head: Iterable[str | tuple[str, str]], rows: Iterable[Sequence[str | tuple[str, str]]]) -> str:
    heads = "".join(f'<th scope="col"{_class(kind)}>{text}</th>' for text, kind in (_cell(each) for each in head))
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{text}</th>' if place == 0 else f"<td{_class(kind)}>{text}</td>"
            for place, (text, kind) in enumerate(_cell(each) for each in row)
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _cell(cell: str | tuple[str, str]) -> tuple[str, str]:
    return (cell, "") if isinstance(cell, str) else cell


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _identifier(text: str) -> str:
    return f'<span class="id">{escape(text)}</span>'


def _scroll(table: str) -> str:
    return f'<div class="scroll" tabindex="0">{table}</div>\n'
