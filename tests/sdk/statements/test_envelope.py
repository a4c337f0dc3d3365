"""Envelopes: the bytes of DSSE, and one spelling each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licet.canonical import encode, to_base64
from licet.errors import MalformedError, VerificationError
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.envelope import Envelope, Signature, pae
from licet.statements.keys import KeySet
from licet.statements.statement_file import SCHEMAS
from tests.sdk.statements.world import Account, Registry, key

ARTIST = Account(Registry(), "Su Tang")


def test_the_pre_authentication_encoding_is_that_of_the_protocol():
    # The test vector of DSSE v1 (protocol.md).
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("é", b"") == b"DSSEv1 2 \xc3\xa9 0 "


def test_sealed_envelopes_open_and_travel_in_one_form():
    envelope = envelopes.seal(ARTIST.consent(), ARTIST.key)
    again = envelopes.parse(envelopes.encode(envelope))
    assert again == envelope
    assert envelope.kind == "consent"
    assert envelopes.open_as(kinds.Consent, again, [ARTIST.key.keyid], KeySet([ARTIST.key.public])) == ARTIST.consent()


def test_a_countersignature_is_over_the_same_bytes_and_comes_last():
    grantor = key("grantor")
    once = envelopes.seal(ARTIST.licence(), ARTIST.key)
    twice = envelopes.countersign(once, grantor)
    assert twice == envelopes.seal(ARTIST.licence(), ARTIST.key, grantor)
    assert twice.payload_digest == once.payload_digest
    keys = KeySet([ARTIST.key.public, grantor.public])
    assert envelopes.open_as(kinds.Licence, twice, [ARTIST.key.keyid, grantor.keyid], keys) == ARTIST.licence()


def test_nobody_named_means_nothing_opens():
    unsigned = Envelope(envelopes.seal(ARTIST.consent()).payload, "application/vnd.licet.consent+json", [])
    with pytest.raises(VerificationError, match="expected to know who must have signed"):
        envelopes.open_as(kinds.Consent, unsigned, [], KeySet())


def test_every_kind_names_the_registry_and_its_own_type():
    for kind, schema in SCHEMAS.items():
        assert schema.__struct_config__.tag_field == "type"
        assert schema.__struct_config__.forbid_unknown_fields
        assert "registry" in schema.__struct_fields__
        assert kinds.PAYLOAD_TYPE.format(kind=kind) == f"application/vnd.licet.{kind}+json"
    assert len(SCHEMAS) == 28


@given(st.binary(max_size=200))
def test_foreign_bytes_are_an_envelope_or_malformed(data):
    try:
        envelope = envelopes.parse(data)
    except MalformedError:
        return
    assert envelopes.encode(envelope) == data


@given(
    st.binary(max_size=60) | st.just(envelopes.seal(ARTIST.consent()).body), st.text(max_size=50), st.text(max_size=20)
)
def test_reading_a_foreign_payload_raises_nothing_else(body, payload_type, sig):
    for kind in (payload_type, "application/vnd.licet.consent+json"):
        envelope = Envelope(to_base64(body), kind, [Signature(ARTIST.key.keyid, sig)])
        with pytest.raises((MalformedError, VerificationError)):
            envelopes.open_as(kinds.Consent, envelope, [ARTIST.key.keyid], KeySet([ARTIST.key.public]))


FIELDS = st.dictionaries(
    st.text(st.characters(max_codepoint=0x7F), max_size=5), st.integers(-9, 9) | st.text("abc", max_size=5), max_size=4
)


@given(st.sampled_from(sorted(SCHEMAS)), FIELDS)
def test_no_kind_parses_what_it_does_not_know(kind, fields):
    envelope = Envelope(to_base64(encode(fields)), kinds.PAYLOAD_TYPE.format(kind=kind), [])
    with pytest.raises(MalformedError):
        envelopes.read_as(SCHEMAS[kind], envelope)
