"""The monthly statement on paper: PDF, the same bytes from the same evidence, with a font that has Chinese."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Any, Final

import msgspec

from licet import money, times
from licet.audit.drawing.figures import Figures
from licet.audit.drawing.pages import side_of
from licet.audit.drawing.words import WORDS, Language, counted, positions
from licet.audit.layout import period_of
from licet.errors import InputError

MISSING: Final = "〓"
"""Printed for a character that the font does not have."""
_BREAK: Final = "\u200b"


def statement(found: Figures, language: Language) -> bytes:
    """Return the statement as PDF; raises ``InputError`` where what sets it is not installed (``licet[pdf]``)."""
    try:
        import typst
    except ImportError:
        raise InputError(
            "PDF needs the extra `licet[pdf]`: pip install 'licet[pdf]', or name a FILE.html", field="-o"
        ) from None
    folder = files("licet.audit.drawing")
    data = msgspec.json.encode(_printed(_data(found, language))).decode()
    at = times.from_text(period_of(found.report.period).end)
    with as_file(folder.joinpath("fonts")) as fonts:
        places: Any = [str(fonts)]
        try:
            pdf, warnings = typst.compile_with_warnings(
                folder.joinpath("statement.typ").read_bytes(),
                font_paths=places,
                ignore_system_fonts=True,
                format="pdf",
                sys_inputs={"data": data},
                timestamp=int(at.timestamp()),
            )
        except typst.TypstError as error:
            raise InputError(f"the statement cannot be set: {error}") from None
    if warnings:
        raise InputError(f"the statement cannot be set as it should be: {warnings[0].message}")
    return bytes(pdf)


def _data(found: Figures, language: Language) -> dict[str, Any]:
    words, stated = WORDS[language], found.report
    period, total = stated.period, sum(day.uses for day in found.days)
    most = max(found.days, key=lambda day: day.uses)
    says = "days-says" if total else "days-none"
    about = [
        words["of"].format(origin=found.origin, account=stated.account),
        words[found.state].format(entry=found.closed_by),
        *positions(words, found.placed),
        words["verified" if found.anchored else "unanchored"].format(checks=found.checks),
        *([] if stated.uses else [words["ledger-only"]]),
        *([words["nothing"]] if stated.nothing_happened else []),
    ]
    return {
        "lang": language,
        "region": "CN" if language == "zh" else "GB",
        "title": words["statement"].format(period=period),
        "origin": found.origin,
        "words": words,
        "about": about,
        "balances": [_balance(row, words) for row in found.balances],
        "fees": any(side_of(row.account)[0] != "receivable" for row in found.balances),
        "days": [{"label": str(int(day.day[8:])), "uses": day.uses} for day in found.days] if stated.uses else [],
        "says": words[says].format(period=period, uses=f"{total:,}", day=most.day, most=f"{most.uses:,}"),
        "postings": [_posting(each, words) for each in found.postings] + _totals(found, words),
        "check": words["check-says"].format(period=period),
        "log": words["log"].format(size=f"{found.size:,}", root=found.root),
    }


def _balance(row: Any, words: dict[str, str]) -> list[str]:
    side, sign = side_of(row.account)
    sums = (row.opening, row.accrued, row.reversed, row.settled, row.closing)
    return [f"{row.currency} · {words[f'{side}-side']}", *(money.figure(sign * each, row.currency) for each in sums)]


def _posting(each: Any, words: dict[str, str]) -> list[Any]:
    told = [words["joined"].format(what=words.get(each.kind, each.kind), side=words[f"{each.side}-side"])]
    told += [each.party] if each.party else []
    told += [counted(words, each.works, each.uses)] if each.uses else []
    proof = [(each.proof or each.source).replace("/", f"/{_BREAK}")]
    proof += [words["entry"].format(index=f"{each.index:,}")] if each.index is not None else []
    return [each.at[:10], told, money.written(each.amount, each.currency), proof]


def _totals(found: Figures, words: dict[str, str]) -> list[Any]:
    sums: dict[tuple[str, str], int] = {}
    for each in found.postings:
        sums[each.currency, each.side] = sums.get((each.currency, each.side), 0) + each.amount
    return [
        [words["total"], [words[f"{side}-side"]], money.written(micro, currency), []]
        for (currency, side), micro in sorted(sums.items())
    ]


def _printed(value: Any) -> Any:
    """Return ``value`` in characters that the font has."""
    if isinstance(value, str):
        return "".join(each if _has(each) else MISSING for each in value)
    if isinstance(value, dict):
        return {name: _printed(each) for name, each in value.items()}
    return [_printed(each) for each in value] if isinstance(value, list) else value


def _has(character: str) -> bool:
    """Whether ``character`` is one of those that the font was made of: GB 2312 without kana, Latin."""
    if character == _BREAK or 0x20 <= ord(character) < 0x180 or character in "–—‘’“”…€¥−·•〓允":
        return True
    try:
        return len(character.encode("gb2312")) == 2 and not 0x3041 <= ord(character) < 0x3100
    except UnicodeEncodeError:
        return False
