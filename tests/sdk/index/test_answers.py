"""Answers: the vectorised code says what the rules say, row by row, whatever the order and the layers."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet.decisions import CODES, Request, decide
from licet.errors import InputError
from licet.index import Index, Keys, WorkRecord, answer
from licet.terms import Price, preset
from tests.sdk.index.world import (
    REQUESTS,
    TERMS,
    Row,
    catalogues,
    digest,
    flipped,
    index_of,
    keys_of,
    naive_verdict,
    rows,
    uid,
    verdicts_by_row,
)

requests = st.sampled_from([*REQUESTS, REQUESTS[0], REQUESTS[0]])
modes = st.sampled_from(["exact", "near"])
batches = st.lists(rows, max_size=6)
held = st.dictionaries(
    st.integers(0, 9).map(lambda n: uid(1, n)), st.sets(st.sampled_from(["lic_a", "lic_b"]), min_size=1), max_size=5
)

accounts = st.sets(st.integers(0, 2).map(lambda n: uid(2, n)), max_size=2)

TRAIN = Request(uses=["train-gen"])
DENY, PAID, ALLOW, FREE = TERMS[0], TERMS[2], TERMS[6], TERMS[7]


def work(number: int = 0, **changes: Any) -> WorkRecord:
    """A well-claimed, signed work with file key 0."""
    given: dict[str, Any] = {
        "work": uid(1, number),
        "account": uid(2, number),
        "terms": PAID.encoded,
        "level": 3,
        "statement": uid(3, number),
        "sha256": digest("file", 0),
    }
    return WorkRecord(**given | changes)


def decided(catalogue: list[WorkRecord], row: Row, **options: Any) -> Any:
    """The verdict of one row, held against the plain reading of the rules on the way."""
    request = options.pop("request", TRAIN)
    match = options.pop("match", "near")
    [verdict] = verdicts_by_row(answer(index_of(catalogue), keys_of([row]), request, match=match, **options))
    assert verdict == naive_verdict(catalogue, row, request, match, **options)
    return verdict


FILE = Row(file=digest("file", 0)[:16])


@given(catalogues(), batches, requests, modes, st.integers(0, 4), held, accounts)
def test_equals_one_decision_at_a_time(
    catalogue: list[WorkRecord], batch: list[Row], request: Request, match: Any, level: int, licences: Any, style: Any
) -> None:
    options = {"min_claim_level": level, "licences": licences, "style": style}
    answers = answer(index_of(catalogue), keys_of(batch), request, match=match, **options)
    expected = [naive_verdict(catalogue, row, request, match, **options) for row in batch]
    assert verdicts_by_row(answers) == expected


@given(catalogues(), catalogues(), catalogues(4), batches, requests, modes)
@settings(max_examples=30)
def test_an_overlay_answers_as_a_snapshot_built_anew(
    base: list[WorkRecord],
    delta: list[WorkRecord],
    newest: list[WorkRecord],
    batch: list[Row],
    request: Request,
    match: Any,
) -> None:
    merged = {record.work: record for record in (*base, *delta, *newest)}
    rebuilt = answer(index_of(merged.values()), keys_of(batch), request, match=match)
    for layered in (
        index_of(base, delta, newest),
        index_of(base).with_overlay(delta).with_overlay(newest),
        Index([], base).with_overlay([*delta, *newest]),
    ):
        answers = answer(layered, keys_of(batch), request, match=match)
        assert verdicts_by_row(answers) == verdicts_by_row(rebuilt)
        assert len(layered.works) == len(merged)


@given(catalogues(), batches, requests, modes, st.randoms())
def test_neither_the_order_of_records_nor_of_rows_matters(
    catalogue: list[WorkRecord], batch: list[Row], request: Request, match: Any, random: Any
) -> None:
    straight = verdicts_by_row(answer(index_of(catalogue), keys_of(batch), request, match=match))
    order = list(range(len(batch)))
    random.shuffle(order)
    random.shuffle(catalogue)
    shuffled = answer(index_of(catalogue), keys_of([batch[at] for at in order]), request, match=match)
    assert verdicts_by_row(shuffled) == [straight[at] for at in order]


@given(catalogues(), batches, requests, modes, st.integers(0, 4))
def test_a_minimum_claim_level_never_loosens_a_match(
    catalogue: list[WorkRecord], batch: list[Row], request: Request, match: Any, level: int
) -> None:
    index, keys = index_of(catalogue), keys_of(batch)
    plain = answer(index, keys, request, match=match)
    careful = answer(index, keys, request, match=match, min_claim_level=level)
    assert (careful.verdict >= plain.verdict).all()


@given(catalogues(), catalogues(3), batches, requests, modes)
def test_one_more_work_never_loosens_what_was_matched(
    catalogue: list[WorkRecord], more: list[WorkRecord], batch: list[Row], request: Request, match: Any
) -> None:
    known = {record.work for record in catalogue}
    fewer = answer(index_of(catalogue), keys_of(batch), request, match=match)
    larger = index_of([*catalogue, *(record for record in more if record.work not in known)])
    matched = fewer.deciding >= 0
    assert (answer(larger, keys_of(batch), request, match=match).verdict >= fewer.verdict)[matched].all()


def test_rule_14_the_strictest_of_all_matches_wins_whatever_its_kind() -> None:
    near = flipped(0, range(20))
    catalogue = [
        work(0, terms=ALLOW.encoded),
        work(1, terms=DENY.encoded, sha256=digest("file", 1), pdq=near, quality=90),
    ]
    row = FILE._replace(pdq=(flipped(0, ()),) * 8, quality=80)
    verdict = decided(catalogue, row)
    assert (verdict.verdict, verdict.reason, verdict.deciding) == ("deny", "denied", uid(1, 1))
    assert decided(catalogue, row, match="exact").verdict == "allow"


def test_rule_14_unknown_says_whether_the_picture_was_looked_at() -> None:
    assert decided([work()], Row(file=digest("file", 3)[:16])).reason == "no-match"
    assert decided([work()], Row(url=digest("url", 3)[:16])).reason == "not-examined"
    assert decided([work()], Row()).reason == "not-examined"
    blurred = Row(pdq=(flipped(0, ()),) * 8, quality=49)
    assert decided([work()], blurred).reason == "not-examined"
    assert decided([work()], blurred._replace(quality=50)).reason == "no-match"
    assert decided([work()], blurred._replace(quality=50), match="exact").reason == "not-examined"


def test_rule_5_an_address_alone_neither_licenses_nor_allows() -> None:
    address = digest("url", 0)[:16]
    for terms in (PAID, ALLOW, FREE):
        catalogue = [work(terms=terms.encoded, urls=[address])]
        assert decided(catalogue, Row(url=address))[:2] == ("review", "url-only")
        assert decided(catalogue, FILE._replace(url=address)).verdict != "review"
    assert decided([work(terms=DENY.encoded, urls=[address])], Row(url=address)).verdict == "deny"


def test_rule_5_fingerprint_only_works_and_unsigned_keys_may_only_deny() -> None:
    assert decided([work(fingerprint_only=True)], FILE)[:2] == ("review", "fingerprint-only")
    assert decided([work(signed=False)], FILE)[:2] == ("review", "unsigned-key")
    assert decided([work(signed=False, terms=DENY.encoded)], FILE).verdict == "deny"


def test_rule_6_a_challenged_work_is_listed_without_effect() -> None:
    answers = answer(index_of([work(challenged=True, terms=DENY.encoded)]), keys_of([FILE]), TRAIN)
    assert len(answers.matches) == 1
    assert not answers.counts.any()
    assert verdicts_by_row(answers)[0][:3] == ("unknown", "no-match", None)


def test_rule_16_a_held_licence_covers_the_row() -> None:
    catalogue = [work(0), work(1)]
    assert not decided(catalogue, FILE, licences={uid(1, 0): {"lic_a"}}).covered
    verdict = decided(catalogue, FILE, licences={uid(1, 0): {"lic_a"}, uid(1, 1): {"lic_b", "lic_c"}})
    assert verdict.covered
    assert verdict.reason.startswith("licensed:")


def test_a_row_that_is_partly_held_gives_the_open_offer_as_its_reason() -> None:
    verdict = decided([work(0), work(1)], FILE, licences={uid(1, 0): {"lic_a"}})
    assert (verdict.reason, verdict.deciding) == ("offer", uid(1, 1))


def test_rule_18_each_account_is_paid_for_its_best_match() -> None:
    picture, close, far = flipped(0, ()), flipped(0, range(4)), flipped(0, range(9))
    other = {"sha256": digest("file", 1), "quality": 90}
    catalogue = [
        work(0, account=uid(2, 0), pdq=close, **other),
        work(1, account=uid(2, 0)),
        work(2, account=uid(2, 1), pdq=far, **other),
        work(3, account=uid(2, 1), pdq=close, **other),
        work(4, account=uid(2, 2), terms=ALLOW.encoded),
    ]
    verdict = decided(catalogue, FILE._replace(pdq=(picture,) * 8, quality=90))
    assert verdict.payable == {uid(1, 1), uid(1, 3)}


def test_rule_18_a_lesser_match_of_a_covered_account_decides_nothing() -> None:
    picture = flipped(0, ())
    catalogue = [work(0), work(1, account=uid(2, 0), sha256=digest("file", 1), pdq=picture, quality=90)]
    row = FILE._replace(pdq=(picture,) * 8, quality=90)
    verdict = decided(catalogue, row, licences={uid(1, 0): {"lic_a"}})
    assert (verdict.reason, verdict.deciding, verdict.covered) == ("licensed:lic_a", uid(1, 0), True)


def test_rule_18_an_account_is_paid_in_every_row_that_shows_its_work() -> None:
    answers = answer(index_of([work(0), work(1, account=uid(2, 0))]), keys_of([FILE, Row(), FILE, FILE]), TRAIN)
    assert answers.matches.row[answers.payable].tolist() == [0, 2, 3]


def test_rule_18_ties_go_to_the_lowest_work_id() -> None:
    catalogue = [work(number, account=uid(2, 0)) for number in range(5)]
    assert decided(catalogue, FILE).payable == {min(uid(1, number) for number in range(5))}


def test_nothing_is_payable_where_the_row_is_not_licensed() -> None:
    assert decided([work(0), work(1, terms=DENY.encoded)], FILE).payable == set()


def test_a_near_match_of_unknown_quality_restricts_but_does_not_earn() -> None:
    row = Row(pdq=(flipped(0, ()),) * 8)
    stored: dict[str, Any] = {"sha256": digest("file", 1), "pdq": flipped(0, ()), "quality": 100}
    assert decided([work(**stored)], row)[:2] == ("review", "quality")
    assert decided([work(terms=DENY.encoded, **stored)], row).verdict == "deny"


def test_a_work_whose_artist_has_said_nothing_is_for_review() -> None:
    assert decided([work(terms=b"")], FILE)[:2] == ("review", "no-terms")
    assert decided([work(terms=b"", withdrawn=True)], FILE)[:2] == ("deny", "withdrawn")


def test_terms_that_this_version_cannot_read_are_for_review() -> None:
    [verdict] = verdicts_by_row(answer(index_of([work(terms=b'{"terms":{},"vocab":99}')]), keys_of([FILE]), TRAIN))
    assert verdict[:2] == ("review", "unreadable-terms")


def test_below_the_minimum_level_an_offer_is_for_review_and_a_deny_stays() -> None:
    assert decided([work(level=1)], FILE, min_claim_level=2)[:2] == ("review", "min-claim-level")
    assert decided([work(level=1, terms=ALLOW.encoded)], FILE, min_claim_level=2).verdict == "review"
    assert decided([work(level=0, terms=DENY.encoded)], FILE, min_claim_level=4).verdict == "deny"
    assert decided([work(level=1)], FILE, min_claim_level=2, licences={uid(1, 0): ["lic_a"]}).covered


def test_without_the_near_tier_near_duplicates_are_not_looked_for() -> None:
    index = index_of([work(sha256=digest("file", 1), pdq=flipped(0, ()), quality=90)])
    keys = keys_of([Row(pdq=(flipped(0, ()),) * 8, quality=90)])
    assert verdicts_by_row(answer(index, keys, TRAIN))[0].verdict == "license"
    index.near = False
    assert verdicts_by_row(answer(index, keys, TRAIN))[0][:2] == ("unknown", "not-examined")


def test_an_empty_index_knows_nothing() -> None:
    answers = answer(Index(), keys_of([FILE, Row()]), TRAIN)
    assert [verdict[:2] for verdict in verdicts_by_row(answers)] == [
        ("unknown", "no-match"),
        ("unknown", "not-examined"),
    ]
    assert len(answer(Index(), Keys(0), TRAIN)) == 0


def test_matches_found_before_are_used_again() -> None:
    index, keys = index_of([work(0), work(1, terms=DENY.encoded)]), keys_of([FILE, Row()])
    again = answer(index, keys, TRAIN, matches=index.lookup(keys, "near"))
    assert verdicts_by_row(again) == verdicts_by_row(answer(index, keys, TRAIN))


def test_licences_by_another_kind_of_id_are_refused() -> None:
    with pytest.raises(InputError, match="licences"):
        answer(index_of([work()]), keys_of([FILE]), TRAIN, licences={"wrk_0": {"lic_a"}})  # type: ignore[dict-item]


def test_each_distinct_case_is_decided_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import licet.index.answers as module

    calls: list[Request] = []

    def counted(terms: Any, state: Any, request: Request) -> Any:
        calls.append(request)
        return decide(terms, state, request)

    monkeypatch.setattr(module, "decide", counted)
    catalogue = [work(number, sha256=digest("file", number)) for number in range(200)]
    keys = keys_of([Row(file=digest("file", number)[:16]) for number in range(len(catalogue))])
    answers = answer(index_of(catalogue), keys, TRAIN)
    assert (answers.verdict == CODES["license"]).all()
    assert len(calls) == 1


def test_many_prices_keep_their_own_decisions() -> None:
    catalogue = [
        msgspec.structs.replace(
            work(number, sha256=digest("file", number)),
            terms=preset("paid", Price(model="per-work", amount=f"0.{number + 1:03}", currency="USD")).encoded,
        )
        for number in range(60)
    ]
    answers = answer(
        index_of(catalogue), keys_of([Row(file=digest("file", number)[:16]) for number in range(len(catalogue))]), TRAIN
    )
    prices = [answers.decisions[at].price for at in answers.decision]
    assert [price and price.micro for price in prices] == [1000 * (number + 1) for number in range(60)]
    assert np.array_equal(answers.deciding, np.arange(60))
