"""Licences and events: both sides build the same bytes from the same quote."""

from __future__ import annotations

import hmac
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet import canonical, identifiers
from licet.errors import InputError
from licet.log import merkle
from licet.statements.kinds import Budget, Event, LicenceLine, Total
from licet.statements.licences import (
    event_id,
    event_leaf,
    events_root,
    licence_lines_root,
    licence_payload,
    quote_digest,
)
from licet.wire.licensing import Quote
from tests.sdk.statements.world import SIGNED_AT, Account, Registry, identifier

ORGANISATION = Account(Registry(), "acme", "organisation")
USE = ORGANISATION.licence().use


def _line(number: int, terms: str = "b" * 64, amount: int = 50_000) -> LicenceLine:
    return LicenceLine(
        identifier("wrk", number), "art_x", "stm_x", terms, "train-gen", "per-work", "USD", amount, "exact", False
    )


def _quote(**changes: Any) -> Quote:
    lines = [_line(1), _line(2, "a" * 64)]
    totals = [Total("USD", 100_000, 2)]
    fields: dict[str, Any] = {
        "quote": identifier("quo", 9),
        "organisation": ORGANISATION.id,
        "use": USE,
        "dataset": None,
        "run": "1",
        "lines": lines,
        "left_out": [],
        "totals": totals,
        "budget": [Budget("USD", 10**8)],
        "over_budget": False,
        "fee_bps": 1000,
        "issued_at": SIGNED_AT,
        "expires_at": SIGNED_AT,
        "digest": "",
    }
    quote = Quote(**(fields | changes))
    return msgspec.structs.replace(quote, digest=quote_digest(quote))


def _licence(quote: Quote) -> Any:
    return licence_payload(
        registry=ORGANISATION.registry.ref,
        genesis=ORGANISATION.genesis,
        quote=quote.quote,
        digest=quote.digest,
        organisation=quote.organisation,
        use=quote.use,
        dataset=quote.dataset,
        run=quote.run,
        lines=quote.lines,
        totals=quote.totals,
        budget=quote.budget,
        fee_bps=quote.fee_bps,
        issued_at=quote.issued_at,
    )


def test_rule_22_one_quote_gives_one_licence_to_the_byte():
    quote = _quote()
    travelled = msgspec.json.decode(msgspec.json.encode(quote), type=Quote)
    assert canonical.encode(_licence(quote)) == canonical.encode(_licence(travelled))
    licence = _licence(quote)
    assert licence.licence == identifiers.from_uuid("lic", identifiers.to_uuid(quote.quote, "quo"))
    assert (licence.quote, licence.nonce, licence.issued_at) == (quote.digest, quote.digest, quote.issued_at)
    assert licence.terms == ["a" * 64, "b" * 64]
    assert licence.count == 2


def test_rule_22_the_digest_covers_every_field_of_the_quote_but_itself():
    quote = _quote()
    assert quote_digest(msgspec.structs.replace(quote, digest="x")) == quote.digest
    for change in ({"fee_bps": 1}, {"run": "2"}, {"lines": [_line(1, amount=1)]}, {"over_budget": True}):
        assert _quote(**change).digest != quote.digest


def test_lines_are_sorted_by_work_and_each_work_stands_once():
    lines = [_line(number) for number in range(4)]
    root = merkle.root(merkle.leaf_hash(canonical.encode(line)) for line in lines).hex()
    assert licence_lines_root(lines) == licence_lines_root(lines[::-1]) == root
    assert licence_lines_root([_line(0, amount=1), *lines[1:]]) != root
    with pytest.raises(InputError, match="lines: expected each once"):
        licence_lines_root([_line(1), _line(1, amount=1)])
    with pytest.raises(InputError, match="quote: expected quo_"):
        _licence(_quote(quote=identifier("lic", 9)))


def _event(number: int, **changes: Any) -> Event:
    fields: dict[str, Any] = {
        "licence": "lic_x",
        "statement": None,
        "work": identifier("wrk", number),
        "atom": "train-gen",
        "run": "1",
        "unit": "run",
        "seq": 0,
        "quantity": 1,
        "at": SIGNED_AT,
        "match": "exact",
    } | changes
    name = event_id(
        "org_x", fields["licence"], fields["work"], fields["run"], fields["atom"], fields["unit"], fields["seq"]
    )
    return Event(id=name, **fields)


def test_rule_20_the_same_use_has_the_same_id_and_any_other_another():
    base: dict[str, Any] = {
        "organisation": "org_x",
        "source": "lic_x",
        "work": "wrk_x",
        "run": "1",
        "atom": "mine",
        "unit": "work",
        "seq": 0,
    }
    changed = [base | {name: 1 if name == "seq" else "other"} for name in base]
    ids = {event_id(**fields) for fields in (base, *changed)}
    assert len(ids) == len(base) + 1
    assert _event(1).id == _event(1, quantity=5, match="near").id
    assert event_id("a", "bc", "d", "1", "mine", "work", 0) != event_id("ab", "c", "d", "1", "mine", "work", 0)


@given(st.binary(min_size=32, max_size=32), st.permutations(range(5)))
def test_events_are_salted_and_their_root_does_not_depend_on_order(secret, order):
    events = [_event(number) for number in range(5)]
    assert events_root(secret, [events[place] for place in order]) == events_root(secret, events)
    leaf = event_leaf(secret, events[0])
    assert leaf[:32] == hmac.digest(secret, events[0].id.encode(), "sha256")
    assert canonical.decode_as(Event, leaf[32:]) == events[0]
    other = bytes([secret[0] ^ 1]) + secret[1:]
    assert events_root(other, events) != events_root(secret, events)


def test_an_event_twice_and_a_short_secret_are_refused():
    with pytest.raises(InputError, match="events: expected each once"):
        events_root(bytes(32), [_event(1), _event(1)])
    with pytest.raises(InputError, match="secret: expected 32 bytes"):
        event_leaf(b"short", _event(1))
