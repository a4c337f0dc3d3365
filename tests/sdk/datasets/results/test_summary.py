"""The EU's summary of training content: filled from the register, blank with a name where it cannot know."""

from __future__ import annotations

import re

import msgspec
import pytest

from licet.datasets.results import summary
from licet.datasets.results.summary import summary_of, to_html
from licet.errors import InputError
from licet.wire.register import Base, Card, ModelVersionInfo
from tests.sdk.datasets.results.test_croissant import ENTRY

URL = "https://registry.example"
VERSION = ModelVersionInfo(
    model="mdl_01m8fw89z4es5anmk2s7649n82",
    name="acme/lantern",
    version="2",
    status="released",
    listed=True,
    stated_at="2026-11-28T12:00:00.000Z",
    card=Card(
        card="crd_01m8fw89z4es5anmk2s7649n82",
        status="released",
        listed=True,
        dated="2026-11-28",
        family=None,
        summary=None,
        card_url=None,
        open_weights=None,
        base=Base("Aurora <XL>", "1", None, "https://aurora.example"),
        issued_at="2026-11-28T12:00:00.000Z",
        log_index=3,
    ),
    cards=1,
    runs=2,
    datasets=1,
    trained_on=[],
)


def lines(found: summary.Summary) -> dict[str, summary.Answer]:
    return {each.id: each for part in found.parts for each in part.answers}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_the_register_knows_is_filled_in_and_the_rest_is_a_named_blank(language: summary.Language) -> None:
    found = summary_of([ENTRY], URL, version=VERSION, provider="Lantern Labs", language=language)
    said = lines(found)
    assert said["1.2.model"].value == "acme/lantern@2"
    assert said["1.2.dependencies"].value == "Aurora <XL>@1 https://aurora.example"
    assert "38" in (said["1.3.rows"].value or "")
    assert "49" in (said["1.3.rows"].value or "")
    assert {"en": "10 deny", "zh": "作者不同意 10 行"}[language] in (said["3.1.found"].value or "")
    assert said["1.2.status"].value == {"en": "released", "zh": "已发布"}[language]
    if language == "zh":  # of what the register names, nothing is left in English
        for line in ("2.2.terms", "3.1.measures", "3.1.found"):
            own = (said[line].value or "").replace(ENTRY.name, "")
            assert not re.search("[a-z]{3}", own), (line, own)
    assert "9" in (said["2.2.terms"].value or "")
    assert said["3.1.proof"].value == f"{URL}/v1/register/statements/{ENTRY.dataset}"
    assert {"1.1.contact", "1.2.market", "2.1.used", "2.4.used", "3.2.measures"} <= set(found.blanks)
    assert all((each.value is None) == (each.id in found.blanks) == (each.source is None) for each in said.values())
    page = to_html(found)
    assert sorted(re.findall(r'data-line="([^"]+)"', page)) == sorted(found.blanks)
    assert "Aurora &lt;XL&gt;" in page
    assert "<script" not in page
    assert "http" not in re.sub(r"https://(registry|aurora)\.example", "", page)  # nothing from elsewhere is loaded


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_run_that_came_with_a_licence_is_counted_and_claims_no_check_of_its_own(language: summary.Language) -> None:
    version = msgspec.structs.replace(VERSION, runs=3, granted=1)
    said = lines(summary_of([ENTRY], URL, version=version, language=language))["3.1.measures"].value or ""
    assert {"en": "3 in all, 1 of them the first of a licence", "zh": "共 3 次，其中 1 次是随许可而来"}[
        language
    ] in said
    plain = lines(summary_of([ENTRY], URL, version=VERSION, language=language))["3.1.measures"].value or ""
    assert {"en": "Each training run, 2 in all, re-checked", "zh": "每次训练（共 2 次）都"}[language] in plain


def test_a_dataset_alone_has_no_model_and_claims_no_run() -> None:
    found = summary_of([ENTRY], URL)
    assert {"1.2.model", "1.2.dependencies", "1.1.name"} <= set(found.blanks)
    assert "re-checked" not in (lines(found)["3.1.measures"].value or "")


def test_the_provider_fills_in_blanks_and_nothing_that_is_known() -> None:
    found = summary_of([ENTRY], URL, version=VERSION, said={"1.1.contact": "ai@acme.example"})
    assert (lines(found)["1.1.contact"].value, lines(found)["1.1.contact"].source) == ("ai@acme.example", "provider")
    for said in ({"1.3.rows": "none"}, {"9.9": "x"}):
        with pytest.raises(InputError):
            summary_of([ENTRY], URL, version=VERSION, said=said)


def test_terms_that_nobody_wrote_down_leave_a_blank() -> None:
    bare = msgspec.structs.replace(ENTRY, terms={}, licences=None, unknown_policy=None, match=None)
    found = lines(summary_of([bare], URL))
    assert found["2.2.terms"].value is None
    assert found["3.1.unknown"].value is not None
