"""Consents: what is drafted is what was shown, and says of itself what is true."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import canonical, times
from licet.errors import InputError, MalformedError, VerificationError
from licet.log import merkle
from licet.statements.consent import consent_terms, draft_consent
from licet.statements.kinds import CatalogueScope, FileDigest, WorkDigest, WorksScope
from licet.statements.works import grown, work_digest, work_proof, works_root, works_scope
from licet.terms import plain_text, preset, text_hash
from tests.sdk.statements.world import PAID, Account, Registry
from tests.sdk.terms.strategies import terms

ARTIST = Account(Registry(), "Su Tang")


def _draft(works, chosen=PAID, old=(), seq=0, prev=None, lang="en"):
    return draft_consent(
        registry=ARTIST.registry.ref,
        account=ARTIST.id,
        genesis=ARTIST.genesis,
        head_seq=seq,
        head_digest=prev,
        works=works,
        terms=chosen,
        old_terms=list(old),
        lang=lang,
        who="Su Tang",
    )


def test_what_is_signed_is_what_was_shown():
    works = ARTIST.works(3)
    consent, text = _draft(works)
    assert text == plain_text(PAID, "en", "Su Tang", 3)
    assert consent.shown.text_hash == text_hash(text)
    assert (consent.seq, consent.prev, consent.effect) == (1, None, "initial")
    assert consent_terms(consent) == PAID
    assert times.from_text(consent.issued_at) <= times.now()
    assert _draft(works)[0].nonce != consent.nonce
    assert _draft(works, lang="zh-Hans")[0].shown.lang == "zh-Hans"


def test_consents_form_a_chain():
    consent, _ = _draft(ARTIST.works(1), seq=4, prev="a" * 64, old=[preset("no-ai")])
    assert (consent.seq, consent.prev, consent.effect) == (5, "a" * 64, "loosen")
    for seq, prev in ((0, "a" * 64), (1, None), (-1, None)):
        with pytest.raises(InputError, match="head_digest: expected"):
            _draft(ARTIST.works(1), seq=seq, prev=prev)


def test_a_catalogue_covers_all_pictures():
    consent, text = _draft(None)
    assert consent.scope == CatalogueScope()
    assert "all works under my account" in text


@given(terms())
def test_any_terms_survive_a_consent(chosen):
    assert consent_terms(_draft(ARTIST.works(1), chosen)[0]) == chosen


def test_terms_that_are_not_what_they_say_are_refused():
    consent, _ = _draft(ARTIST.works(1))
    for change, error in (
        ({"terms_hash": preset("no-ai").hash}, VerificationError),
        ({"terms": consent.terms | {"search": "allow"}}, MalformedError),
        ({"terms": {}}, MalformedError),
        ({"vocab": 2}, MalformedError),
    ):
        with pytest.raises(error):
            consent_terms(msgspec.structs.replace(consent, **change))


@given(st.permutations(range(5)))
def test_rule_08_a_scope_is_over_works_sorted_by_id(order):
    works = ARTIST.works(5)
    scope = works_scope([works[place] for place in order])
    assert scope == WorksScope(5, works_root(work_digest(work) for work in works))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8])
def test_rule_08_each_work_has_its_own_path_to_the_signed_root(count):
    works = ARTIST.works(count)
    root = bytes.fromhex(works_scope(works).root)
    for work in works:
        index, proof = work_proof(works[::-1], work.work)
        merkle.verify_inclusion(merkle.leaf_hash(work_digest(work)), index, count, proof, root)
    with pytest.raises(InputError, match="work: expected a work under this scope"):
        work_proof(works, "wrk_none")


def test_rule_09_every_key_that_matches_is_under_the_digest():
    work = ARTIST.works(1)[0]
    changes = (
        {"sha256": "1" * 64},
        {"pixels": "1" * 64},
        {"pdq": "1" * 64},
        {"iscc": "KACY"},
        {"url": ["https://su.example/1.png"]},
        {"mode": "fingerprint-only"},
        {"account": "art_other"},
        {"work": "wrk_other"},
        {"files": [FileDigest("1" * 64, None, None)]},
        {"site": "su.example/gallery"},
    )
    digests = {work_digest(msgspec.structs.replace(work, **change)) for change in changes} | {work_digest(work)}
    assert len(digests) == len(changes) + 1
    assert {name for change in changes for name in change} | {"v"} == set(work.__struct_fields__)


KEY = st.sampled_from([f"{number:064x}" for number in range(6)])
ADDED = st.tuples(
    st.none() | st.builds(FileDigest, KEY, st.none() | KEY, st.none() | KEY),
    st.lists(st.sampled_from(["https://su.example/1", "https://su.example/2", "https://su.example/3"])),
)


def files_of(work: WorkDigest) -> set[str | None]:
    return {work.sha256, *(each.sha256 for each in work.files or ())}


@given(st.lists(ADDED, max_size=6))
def test_a_work_that_grows_keeps_every_key_that_it_had_and_has_each_once(added):
    work = ARTIST.works(1)[0]
    for file, urls in added:
        after = grown(work, file, urls)
        assert files_of(work) | ({file.sha256} if file else set()) == files_of(after)
        assert set(work.url) | set(urls) == set(after.url)
        for name in ("files", "url"):
            values = getattr(after, name) or []
            names = [each.sha256 if isinstance(each, FileDigest) else each for each in values]
            assert names == sorted(set(names))
        assert (after == work) == (files_of(after) == files_of(work) and after.url == work.url)
        assert canonical.encode(after) == canonical.encode(grown(after, file, urls))
        work = after
    assert (b'"files"' in canonical.encode(work)) == (len(files_of(work)) > 1)


def test_no_works_and_one_work_twice_are_refused():
    work = ARTIST.works(1)[0]
    with pytest.raises(InputError, match="works: expected one or more works"):
        _draft([])
    with pytest.raises(InputError, match="works: expected each work once"):
        works_scope([work, msgspec.structs.replace(work, mode="fingerprint-only")])
