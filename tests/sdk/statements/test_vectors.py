"""Every way to lie in an envelope or a statement file, one vector each: what holds is accepted, no lie is."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from licet import canonical, errors
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.keys import KeySet
from licet.statements.splits import Splits
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import Trust
from licet.statements.webauthn import Passkey
from licet.wire.common import StatementFile
from tests.sdk.statements import make_vectors
from tests.sdk.statements.world import key

ENVELOPES: list[Any] = json.loads((make_vectors.FOLDER / "envelopes.json").read_text("utf-8"))
PASSKEYS: list[Any] = json.loads((make_vectors.FOLDER / "passkeys.json").read_text("utf-8"))
SPLITS: list[Any] = json.loads((make_vectors.FOLDER / "splits.json").read_text("utf-8"))
FILES: list[Any] = json.loads((make_vectors.FOLDER / "statement_files.json").read_text("utf-8"))
SIGNERS = {"consent": ["Su Tang"], "licence": ["acme", "one licence"]}
SCHEMAS: dict[str, Any] = {"consent": kinds.Consent, "licence": kinds.Licence}


def test_the_committed_vectors_are_what_their_script_writes():
    assert {path.name for path in make_vectors.FOLDER.iterdir()} == set(make_vectors.write())
    for name, content in make_vectors.write().items():
        assert (make_vectors.FOLDER / name).read_text("utf-8") == content, f"{name}: run the script again"


def test_no_two_vectors_have_one_name():
    for cases in (ENVELOPES, PASSKEYS, SPLITS, FILES):
        assert len({case["name"] for case in cases}) == len(cases)


@pytest.mark.parametrize("case", ENVELOPES, ids=lambda case: case["name"])
def test_an_envelope_is_opened_only_if_everything_about_it_holds(case):
    signers = [key(name) for name in SIGNERS[case["schema"]]]

    def opened() -> Any:
        envelope = envelopes.parse(case["text"].encode())
        keys = KeySet(signer.public for signer in signers)
        return envelopes.open_as(SCHEMAS[case["schema"]], envelope, [signer.keyid for signer in signers], keys)

    if case["error"] is None:
        assert isinstance(opened(), SCHEMAS[case["schema"]])
        return
    with pytest.raises(getattr(errors, case["error"])) as caught:
        opened()
    assert type(caught.value).__name__ == case["error"]
    assert case["message"] in str(caught.value)


@pytest.mark.parametrize("case", PASSKEYS, ids=lambda case: case["name"])
def test_a_passkeys_signature_holds_only_if_the_user_signed_this_on_our_page(case):
    def opened() -> Any:
        envelope = envelopes.parse(case["text"].encode())
        keys = KeySet()
        keyid = keys.learn(msgspec.convert(case["key"], Passkey))
        return envelopes.open_as(kinds.Consent, envelope, [keyid], keys)

    if case["error"] is None:
        assert isinstance(opened(), kinds.Consent)
        return
    with pytest.raises(getattr(errors, case["error"])) as caught:
        opened()
    assert type(caught.value).__name__ == case["error"]
    assert case["message"] in str(caught.value)


@pytest.mark.parametrize("case", SPLITS, ids=lambda case: case["name"])
def test_a_split_is_in_force_only_if_everybody_signed_that_document(case):
    schemas: dict[str, Any] = {"split": kinds.Split, "split-answer": kinds.SplitAnswer}

    def replayed() -> Any:
        splits = Splits()
        for each in case["log"]:
            body = canonical.encode(each["payload"])
            kind = each["payload"]["type"]
            envelope = envelopes.Envelope(canonical.to_base64(body), kinds.PAYLOAD_TYPE.format(kind=kind), [])
            payload = envelopes.read_as(schemas[kind], envelope)
            splits.take(payload, envelope.payload_digest, each["index"], each["time"])
        found = splits.in_force(case["log"][0]["payload"]["works"][0]["work"], case["log"][-1]["index"] + 1)
        return None if found is None else {each.account: each.bps for each in found.shares}

    if case["error"] is None:
        assert replayed() == case["shares"]
        return
    with pytest.raises(getattr(errors, case["error"])) as caught:
        replayed()
    assert type(caught.value).__name__ == case["error"]
    assert case["message"] in str(caught.value)


@pytest.mark.parametrize("case", FILES, ids=lambda case: case["name"])
def test_a_statement_file_is_believed_only_if_everything_about_it_holds(case):
    trust = None if case["trust"] is None else Trust(**case["trust"])

    def verified() -> Any:
        file = canonical.decode_as(StatementFile, case["text"].encode())
        return verify_statement_file(file, trust)

    if case["error"] is None:
        statement = verified()
        assert statement.anchored is (trust is not None)
        assert type(statement.payload).__struct_config__.tag == statement.kind
        assert len(statement.checks) == case.get("checks", len(statement.checks))
        assert ("not anchored" in statement.checks[0]) is (trust is None)
        return
    with pytest.raises(getattr(errors, case["error"])) as caught:
        verified()
    assert type(caught.value).__name__ == case["error"]
    assert case["message"] in str(caught.value)
