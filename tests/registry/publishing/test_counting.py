"""What is published of a work is never looser than a decision about it, whatever its terms, state and dialect."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licet import times
from licet.decisions import Request, State, decide
from licet.decisions.matches import for_match
from licet.signals import combined_mask
from licet.signals.combining import with_policy
from licet.signals.files import read_file
from licet.signals.readers.c2pa import training_mining
from licet.signals.readers.headers import read_headers
from licet.signals.readers.odrl import read_odrl
from licet.signals.readers.rsl import read_rsl
from licet.signals.readers.tdmrep import read_tdmrep
from licet.signals.strictness import permission_on
from licet.signals.types import Signal
from licet.terms import ATOMS, PRICE_MODELS, Price, Terms
from licet.terms.atoms import AUDIENCES
from licet.terms.countries import CODES
from licet.terms.rules import ALLOW, DENY, Attribution, Rule, Territory
from licet.wire.publishing import PublishedTerms
from registry.consent.shown import Shown
from registry.publishing.counting import counted, together
from registry.publishing.documents import JSON, NAMES, as_published, document

NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)
URL = "https://reg.example"
AT = "https://art.example/works/heron.png"
DAYS = [None, -400, -2, 0, 1, 2, 400]


def _moment(days: int | None) -> str | None:
    return None if days is None else times.to_text(NOW + timedelta(days=days))


def _offer(model: str, audience: Any, territory: Any, window: tuple[int | None, int | None], **more: Any) -> Rule:
    figures: dict[str, Any] = {"model": model}
    if model in ("per-work", "per-training-run", "per-output", "subscription"):
        figures |= {"amount": "0.05", "currency": "USD"}
    figures |= {"period": "P1M"} if model == "subscription" else {}
    figures |= {"currency": "EUR"} if model == "pool" else {}
    figures |= {"share_bps": 250} if model == "revenue-share" else {}
    since, until = window
    return Rule(
        permission="license",
        price=Price.model_validate(figures),
        audience=audience,
        territory=territory,
        valid_from=_moment(since),
        valid_until=_moment(until),
        attribution=Attribution(text="Su Tang") if model == "attribution" else None,
        **more,
    )


_RULES: st.SearchStrategy[Rule] = st.one_of(
    st.just(DENY),
    st.just(ALLOW),
    st.builds(
        _offer,
        st.sampled_from(PRICE_MODELS),
        st.sampled_from([None, ("commercial",), ("non-commercial", "research")]),
        st.sampled_from([None, Territory(allow=("EU", "JP")), Territory(deny=("US",))]),
        st.sampled_from([(a, b) for a in DAYS for b in DAYS if a is None or b is None or a < b]),
        open_weights=st.sampled_from([None, False]),
        model_scope=st.sampled_from([None, "one-version"]),
    ),
)
_TERMS = st.one_of(
    st.builds(lambda rules: Terms(dict(zip(ATOMS, rules, strict=True))), st.lists(_RULES, min_size=10, max_size=10)),
    _RULES.map(lambda rule: Terms(dict.fromkeys(ATOMS, rule))),
)
_RARE = st.sampled_from([False, False, False, True])
_WORKS = st.builds(
    lambda terms, level, mode, site, proven, **flags: Shown(
        work="wrk_01kb71zvjge01t2kxpzfr2vxk3",
        title="Heron",
        artist='Su "<Tang>"',
        created=None,
        site=site,
        site_proven=proven if site else None,
        level=level,
        account=UUID(int=1),
        mode=mode,
        statement="stm_01kb71zvjge01t2kxpzfr2vxk3",
        terms=terms,
        signed_at=NOW - timedelta(days=500),
        log_index=7,
        **flags,
    ),
    _TERMS,
    st.integers(0, 4),
    st.sampled_from(["upload", "upload", "fingerprint-only"]),
    st.sampled_from([None, None, None, "art.example/works"]),
    st.booleans(),
    contested=_RARE,
    challenged=_RARE,
    held=_RARE,
    disputed=_RARE,
    lost_at=st.sampled_from([None, None, None, NOW]),
    withdrawn=_RARE,
    signed=st.sampled_from([True, True, True, False]),
    by_address=_RARE,
)


def _asked(rule: Rule, use: str) -> Request:
    """A request for a use that meets every condition of its rule: the best that anybody can hope for."""
    audience = rule.audience or AUDIENCES
    countries = rule.territory.countries if rule.territory else frozenset(CODES) - {"EU"}
    return Request(
        uses=(use,),
        purpose=("commercial",) if "commercial" in audience else ("non-commercial",),
        model="a/b@1",
        model_scope="one-version",
        open_weights=False,
        territory=(min(countries),),
        sublicense=False,
        exclusive=rule.exclusive,
        at=times.to_text(NOW),
    )


def _verdict(work: Shown, use: str) -> str:
    """The loosest verdict that anybody gets of a file that is the work's, by its strongest key."""
    rule = work.terms.rules[use]
    if work.contested or work.challenged or (work.site is not None and not work.site_proven):
        return "deny"  # the other claim may say anything; a rule of a site without a domain is none
    state = State(work.level, work.contested, work.challenged, work.held, work.withdrawn)
    decision = for_match(
        decide(work.terms, state, _asked(rule, use)),
        kind="exact",
        key="url" if work.by_address else "file",
        fingerprint_only=work.mode == "fingerprint-only",
        signed=work.signed,
        quality=100,
    )
    return decision.verdict


def _signals(name: str, body: bytes, documents: dict[str, bytes]) -> tuple[Signal, ...]:
    at = f"{URL}/works/wrk_01kb71zvjge01t2kxpzfr2vxk3/{name}"
    if name == "terms.rsl.xml":
        return read_rsl(body, AT, at=at)
    if name == "terms.tdmrep.json":
        return _followed(read_tdmrep(body, AT), documents)
    if name == "terms.tdm-policy.json":
        return _followed(read_tdmrep(documents["terms.tdmrep.json"], AT), documents)
    if name == "terms.cawg.json":
        return tuple(training_mining(json.loads(body), "cawg.training-mining"))
    return read_file(body)


def _followed(signals: tuple[Signal, ...], documents: dict[str, bytes]) -> tuple[Signal, ...]:
    found: list[Signal] = []
    for each in signals:
        name = (each.awaits or "").rpartition("/")[2]
        if name == "terms.tdm-policy.json":
            found += with_policy(each, read_odrl(documents[name], at=each.awaits or ""))
        elif name == "terms.rsl.xml":
            found += read_rsl(documents[name], AT, at=each.awaits or "")
        else:
            assert each.awaits is None
            found.append(each)
    return tuple(found)


@given(_WORKS)
@settings(max_examples=150, deadline=None)
def test_no_document_and_no_header_is_looser_than_the_decision(work: Shown) -> None:
    found = as_published(work, URL, NOW)
    documents = {name: document(found, name, URL).content for name in (JSON, *NAMES)}
    told = PublishedTerms(**json.loads(documents[JSON]))
    spoken = {name: _signals(name, documents[name], documents) for name in NAMES}
    spoken["headers"] = _followed(read_headers(document(found, JSON, URL).headers, AT, picture=True), documents)
    for use in ATOMS:
        verdict = _verdict(work, use)
        allowed = {"allow": {"allow", "license"}, "license": {"license"}}.get(verdict, set()) | {"deny", "unset"}
        assert told.terms[use]["permission"] in allowed, (use, verdict)
        for name, signals in spoken.items():
            assert not [each for each in signals if each.unreadable], name
            assert permission_on(combined_mask(signals), use) in allowed, (name, use, verdict)
        if verdict == "deny" and use in ("train-gen", "train-nongen", "finetune-style", "mine", "input"):
            assert permission_on(combined_mask(spoken["terms.rsl.xml"]), use) == "deny"
            assert permission_on(combined_mask(spoken["headers"]), use) == "deny"


@given(_WORKS)
@settings(max_examples=100, deadline=None)
def test_what_is_denied_beyond_the_terms_is_told_why(work: Shown) -> None:
    found = counted(work, times.to_text(NOW), times.to_text(NOW + timedelta(days=1)))
    for use in ATOMS:
        stated, counts = work.terms.rules[use], found.terms.rules[use]
        assert (use in found.reasons) == (stated != counts)
        assert counts in (stated, DENY)
    assert found.unsaid <= {"search"} & set(found.reasons)


@given(st.lists(_WORKS, min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_a_site_says_what_holds_for_each_of_its_works(works: list[Shown]) -> None:
    each = [counted(work, times.to_text(NOW), times.to_text(NOW)) for work in works]
    site = together(each)
    for use in ATOMS:
        said = site.terms.rules[use].permission
        if any(one.terms.rules[use].permission == "deny" for one in each):
            assert said == "deny"
    for use in site.unsaid:
        assert not any(work.terms.rules[use].permission == "deny" for work in works)


@pytest.mark.parametrize("level", [0, 2])
def test_search_is_said_where_it_counts_and_left_open_where_it_does_not_yet(level: int) -> None:
    terms = Terms({**dict.fromkeys(ATOMS, DENY), "search": ALLOW})
    work = Shown(
        work="wrk_01kb71zvjge01t2kxpzfr2vxk3", title=None, artist="Su", created=None, site=None, site_proven=None,
        level=level, account=UUID(int=1), mode="upload", statement="stm_01kb71zvjge01t2kxpzfr2vxk3", terms=terms,
        signed_at=NOW, log_index=7, contested=False, challenged=False, held=False, disputed=False, lost_at=None,
        withdrawn=False, signed=True, by_address=False,
    )  # fmt: skip
    headers = dict(document(as_published(work, URL, NOW), JSON, URL).headers)
    assert headers["Content-Usage"] == ("train-ai=n" if level == 0 else "train-ai=n, search=y")
    assert (
        headers["Content-Signal"] == "ai-input=no, ai-train=no"
        if level == 0
        else "search=yes, ai-input=no, ai-train=no"
    )
    assert headers["X-Robots-Tag"] == "noai, noimageai"
    assert headers["tdm-reservation"] == "1"
    gone = as_published(work._replace(contested=True), URL, NOW)
    assert dict(document(gone, JSON, URL).headers)["Content-Usage"] == "train-ai=n, search=n"
