"""Pages and statements say what the bundle says, in both languages, and reach for nothing outside of themselves."""

from __future__ import annotations

import base64
import io
import re
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from licet import money
from licet.audit.closed import PlacedLine
from licet.audit.drawing import pages, paper
from licet.audit.drawing.figures import Figures, Group, figures
from licet.audit.drawing.words import WORDS
from tests.sdk.audit.stage import Stage
from tests.sdk.audit.test_journals import settled


@pytest.fixture(scope="module")
def drawn(stage: Stage, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Figures]:
    """The figures of everything, of an artist's part and of a month in which nothing happened."""
    folder = tmp_path_factory.mktemp("drawn")
    part = stage.write(stage.part("Tomas"), folder / "part.zip")
    nil = stage.records("2026-09")
    nil.about = nil.about._replace(account=stage.people["Mei"].id)
    return {
        "everything": figures(bundle, stage.trust),
        "artist": figures(part, stage.trust),
        "nil": figures(stage.write(nil, folder / "nil.zip"), stage.trust),
    }


def test_groups_add_up_to_what_the_checks_counted(drawn: dict[str, Figures]) -> None:
    found = drawn["everything"]
    gross = {total.currency: money.to_micro(total.gross) for total in found.report.totals}
    uses = found.report.counts["new"] + found.report.counts["memorandum"]
    of_before = uses - sum(day.uses for day in found.days)
    assert of_before >= 0
    for groups in (found.licensees, found.terms):
        assert sum(group.uses for group in groups) == sum(day.uses for day in found.days)
    for groups in (found.licensees, found.terms, found.artists):
        sums: dict[str, int] = {}
        for group in groups:
            for currency, micro in group.amounts.items():
                sums[currency] = sums.get(currency, 0) + micro
        assert sums == gross
    assert {group.name for group in found.terms} == {"per-work", "per-training-run", "per-output", "free", "outside"}


def test_postings_of_a_statement_close_its_balances(drawn: dict[str, Figures]) -> None:
    found = drawn["artist"]
    assert found.postings
    for row in found.balances:
        moved = sum(
            each.amount
            for each in found.postings
            if row.account.startswith(f"{each.side}:") and each.currency == row.currency
        )
        assert moved == -(row.closing - row.opening)
    for each in found.postings:
        assert each.proof is not None
        assert each.proof.startswith("statements/")
        assert each.index is not None


class Reader(HTMLParser):
    """What a page consists of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize("part", ["everything", "artist", "nil"])
def test_a_page_needs_nothing_but_itself(drawn: dict[str, Figures], part: str) -> None:
    page = pages.report(drawn[part]) if part == "everything" else pages.statement(drawn[part])
    reader = Reader()
    reader.feed(page)
    names = {tag for tag, _ in reader.tags}
    assert not names & {"script", "img", "link", "iframe", "object", "a", "form"}
    assert not [attrs for _, attrs in reader.tags if {"style", "src", "href", "onclick"} & attrs.keys()]
    policy = next(attrs["content"] for tag, attrs in reader.tags if tag == "meta" and "http-equiv" in attrs) or ""
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert f"'sha256-{base64.b64encode(sha256(style.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy
    assert "url(" not in style
    assert {attrs.get("lang") for tag, attrs in reader.tags if tag == "article"} == {"en", "zh-Hans"}
    ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_every_chart_has_words_and_a_table(drawn: dict[str, Figures]) -> None:
    page = pages.report(drawn["everything"])
    charts = re.findall(r'<svg class="chart"[^>]*role="img" aria-labelledby="(\S+) (\S+)"><title id="\1">', page)
    assert len(charts) == 2
    assert page.count("<details>") == 2
    assert page.count('class="share"') == page.count('aria-hidden="true"') > 10


def test_a_name_cannot_become_markup(drawn: dict[str, Figures]) -> None:
    evil = Group("<script>alert(1)</script>", 3, {"USD": 5}, {"w"})
    page = pages.report(msgspec.structs.replace(drawn["everything"], licensees=[evil], origin="<b>x"))
    assert "<script" not in page
    assert "<b>" not in page


def test_many_groups_are_named_or_counted(drawn: dict[str, Figures]) -> None:
    groups = [Group(f"art_{number:03}", 100 - number, {"USD": 1_000_000}, {f"w{number}"}) for number in range(60)]
    page = pages.report(msgspec.structs.replace(drawn["everything"], artists=groups))
    assert "art_019" in page
    assert "art_020" not in page
    assert "40 others" in page
    assert "其余 40 项" in page
    assert "40.00" in page


def test_both_languages_say_everything() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    for key, text in WORDS["en"].items():
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", WORDS["zh"][key])), key
        assert paper._printed(WORDS["zh"][key]) == WORDS["zh"][key]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_paper_has_every_posting_and_the_same_bytes_again(drawn: dict[str, Figures], language: str) -> None:
    pypdf = pytest.importorskip("pypdf")
    pytest.importorskip("typst")
    data = paper.statement(drawn["artist"], language)  # type: ignore[arg-type]
    assert data == paper.statement(drawn["artist"], language)  # type: ignore[arg-type]
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)
    for each in drawn["artist"].postings:
        assert money.written(each.amount, each.currency) in text
        assert each.source in text.replace("\u200b", "").replace("\n", "")
    assert WORDS[language]["postings"] in text  # type: ignore[index]


def test_a_character_that_the_font_lacks_is_marked_and_stops_nothing(drawn: dict[str, Figures]) -> None:
    pytest.importorskip("typst")
    assert paper._printed("registry.example/한글") == "registry.example/〓〓"
    strange = msgspec.structs.replace(drawn["nil"], origin="registry.example/한글𠀀")
    assert paper.statement(strange, "zh").startswith(b"%PDF-")


def test_a_closed_month_says_by_which_entry_and_where_its_lines_are(drawn: dict[str, Figures]) -> None:
    closed = msgspec.structs.replace(
        drawn["artist"], closed_by=77, placed=[PlacedLine("payee", "USD", 4, 1_000), PlacedLine("payee", "EUR", 0, 1)]
    )
    page = pages.statement(closed)
    for text in ("entry 77 of the public log", "USD, owed to you: line 5 of 1,000", "EUR, owed to you: line 1 of 1"):
        assert text in page
    assert "USD，应付给你：位于该总额树的第 5 行，共 1,000 行" in page
    pypdf = pytest.importorskip("pypdf")
    text = "".join(each.extract_text() for each in pypdf.PdfReader(io.BytesIO(paper.statement(closed, "en"))).pages)
    assert "line 5 of 1,000" in text.replace("\n", " ")


def test_a_report_says_nothing_of_what_it_has_not_looked_at(drawn: dict[str, Figures]) -> None:
    page = pages.report(drawn["everything"])
    assert "dut" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    assert "义务" not in page


def test_what_settlement_posts_is_told_in_words(stage: Stage, tmp_path: Path) -> None:
    records = settled(stage)
    records.about = records.about._replace(account=stage.people["Lantern Labs"].id)
    own = f"receivable:{records.about.account}"
    kept = [each for each in records.transfers if any(row.account == own for row in each[1])]
    records.transfers = kept
    found = figures(stage.write(records, tmp_path / "b.zip"), stage.trust)
    assert {"payment"} <= {each.kind for each in found.postings}
    page = pages.statement(found)
    assert "paid, owed by you" in page
    assert "已付款，你应付" in page
