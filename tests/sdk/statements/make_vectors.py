"""Writes ``vectors/*.json``: one statement that holds, and one for every way to lie about it.

Run it after a change of format (``python -m tests.sdk.statements.make_vectors``); a test makes them again and compares
every byte, so they never drift from this script.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from licet import canonical
from licet.canonical import from_base64, to_base64
from licet.log import note
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.envelope import Envelope, Signature, pae
from licet.statements.keys import SigningKey
from licet.statements.splits import draft_answer, draft_split
from licet.statements.webauthn import EDDSA, to_base64url
from licet.terms import preset
from licet.wire.common import StatementFile
from tests.sdk.statements.passkey import AT, BE, BS, ED, ORIGIN, UP, UV, Authenticator, sealed
from tests.sdk.statements.world import PAID, Account, Registry, identifier, key

FOLDER = Path(__file__).parent / "vectors"
MALFORMED, UNTRUE = "MalformedError", "VerificationError"
Case = dict[str, Any]


def _raw(value: Any) -> Any:
    return msgspec.to_builtins(value)


def _sealed(body: bytes, payload_type: str, *signers: SigningKey) -> dict[str, Any]:
    """An envelope over any bytes at all, as a liar would make it: correctly signed."""
    signed = pae(payload_type, body)
    signatures = [{"keyid": each.keyid, "sig": to_base64(each.sign(signed))} for each in signers]
    return {"payload": to_base64(body), "payloadType": payload_type, "signatures": signatures}


def envelope_cases() -> Iterator[Case]:
    """Yield envelopes of a consent (by ``artist``) and of a licence (by ``organisation``, then ``licence``)."""
    registry = Registry()
    artist, organisation = Account(registry, "Su Tang"), Account(registry, "acme", "organisation")
    stranger, grantor = key("stranger"), registry.working["licence"]
    payload = artist.consent()
    while len(canonical.encode(payload)) % 3 != 1:  # so that its base64 has spare bits under the padding
        payload = msgspec.structs.replace(payload, nonce=payload.nonce + "x")
    good = _raw(envelopes.seal(payload, artist.key))
    body, kind = canonical.encode(payload), good["payloadType"]
    fields = _raw(payload)
    licence = _raw(envelopes.seal(organisation.licence(), organisation.key, grantor))

    def case(name: str, value: Any, error: str | None, message: str = "", schema: str = "consent") -> Case:
        text = value if isinstance(value, str) else canonical.encode(value).decode()
        return {"name": name, "schema": schema, "error": error, "message": message, "text": text}

    def consent(name: str, error: str, message: str, **changes: Any) -> Case:
        return case(name, good | changes, error, message)

    def signed(name: str, error: str, message: str, forged: bytes, payload_type: str = kind) -> Case:
        return case(name, _sealed(forged, payload_type, artist.key), error, message)

    def second_spelling(text: str) -> str:
        """The same bytes in base64 with a bit set under the padding."""
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        last = text.rstrip("=")[-1]
        return text.replace(last + "=" * text.count("="), alphabet[alphabet.index(last) + 1] + "=" * text.count("="))

    signature = good["signatures"][0]
    yield case("consent-that-holds", good, None)
    yield case("licence-that-holds", licence, None, schema="licence")
    # The envelope as JSON.
    yield case("not-json", "{", MALFORMED, "bytes that do not parse")
    yield case("white-space", json.dumps(good), MALFORMED, "another spelling")
    yield case("duplicate-field", '{"payload":"",' + canonical.encode(good).decode()[1:], MALFORMED, "another spelling")
    yield consent("extra-field", MALFORMED, "note: expected no field of this name", note="x")
    yield case("missing-field", {"payload": good["payload"], "signatures": []}, MALFORMED, "payloadType")
    extra = [signature | {"cert": "x"}]
    yield consent("extra-field-in-signature", MALFORMED, "cert: expected no field of this name", signatures=extra)
    # One way to write bytes.
    yield consent("second-base64-of-payload", MALFORMED, "payload: ", payload=second_spelling(good["payload"]))
    yield consent("payload-without-padding", MALFORMED, "payload: ", payload=good["payload"].rstrip("="))
    yield consent("payload-with-newline", MALFORMED, "payload: ", payload=good["payload"] + "\n")
    respelt = [signature | {"sig": second_spelling(signature["sig"])}]
    yield consent("second-base64-of-signature", MALFORMED, "sig: ", signatures=respelt)
    # What the payload is.
    other_type = "application/vnd.licet.work-update+json"
    yield consent(
        "wrong-type", MALFORMED, "payloadType: expected application/vnd.licet.consent", payloadType=other_type
    )
    yield consent("foreign-type", MALFORMED, "payloadType: expected", payloadType="application/json")
    yield signed(
        "type-inside-disagrees",
        MALFORMED,
        "type: expected a value that is known here",
        canonical.encode(fields | {"type": "work-update"}),
    )
    yield signed(
        "extra-field-in-payload",
        MALFORMED,
        "note: expected no field of this name",
        canonical.encode(fields | {"note": 1}),
    )
    yield signed("payload-of-a-later-version", MALFORMED, "v: expected version 1", canonical.encode(fields | {"v": 2}))
    yield signed("payload-not-canonical", MALFORMED, "another spelling", json.dumps(fields).encode())
    yield signed("payload-with-duplicate-field", MALFORMED, "another spelling", b'{"account":"",' + body[1:])
    yield signed("payload-with-float", MALFORMED, "float", body.replace(b'"seq":1', b'"seq":1.5'))
    yield signed("payload-with-large-integer", MALFORMED, "2^53-1", body.replace(b'"seq":1', b'"seq":9007199254740992'))
    missing = canonical.encode({name: value for name, value in fields.items() if name != "registry"})
    yield signed("payload-names-no-registry", MALFORMED, "registry", missing)
    # Who signed.
    yield consent("no-signature", UNTRUE, "signatures: expected keys", signatures=[])
    by_stranger = envelopes.seal(payload, stranger)
    yield case("key-unknown", _raw(by_stranger), UNTRUE, "signatures: expected keys")
    yield case(
        "extra-signature", _raw(envelopes.seal(payload, artist.key, stranger)), UNTRUE, "signatures: expected keys"
    )
    yield case("signature-twice", _raw(envelopes.seal(payload, artist.key, artist.key)), UNTRUE, "expected keys")
    five = envelopes.seal(payload, *[artist.key] * 5)
    yield case("too-many-signatures", _raw(five), MALFORMED, "at most 4")
    lone = licence | {"signatures": licence["signatures"][:1]}
    yield case("missing-signature", lone, UNTRUE, "signatures: expected keys", "licence")
    turned = licence | {"signatures": licence["signatures"][::-1]}
    yield case("wrong-order", turned, UNTRUE, "signatures: expected keys", "licence")
    # What was signed.
    tampered = canonical.encode(fields | {"effect": "tighten"})
    yield consent("tampered-payload", UNTRUE, "does not hold", payload=to_base64(tampered))
    borrowed = [signature | {"sig": by_stranger.signatures[0].sig}]
    yield consent("signature-of-another-key", UNTRUE, "does not hold", signatures=borrowed)
    bare = [signature | {"sig": to_base64(artist.key.sign(body))}]
    yield consent("signature-over-the-bare-payload", UNTRUE, "does not hold", signatures=bare)
    retyped = [signature | {"sig": to_base64(artist.key.sign(pae(other_type, body)))}]
    yield consent("signature-for-another-type", UNTRUE, "does not hold", signatures=retyped)
    short = [signature | {"sig": to_base64(from_base64(signature["sig"])[:63])}]
    yield consent("short-signature", UNTRUE, "does not hold", signatures=short)
    order = 2**252 + 27742317777372353535851937790883648493
    raw = from_base64(signature["sig"])
    malleated = raw[:32] + (int.from_bytes(raw[32:], "little") + order).to_bytes(32, "little")
    yield consent(
        "second-signature-by-adding-the-order",
        UNTRUE,
        "does not hold",
        signatures=[signature | {"sig": to_base64(malleated)}],
    )


def passkey_cases() -> Iterator[Case]:
    """Yield consents that the passkey ``key`` signed: by both algorithms, then every lie about page and user."""
    artist = Account(Registry(), "Su Tang")
    payload = artist.consent()
    message = pae("application/vnd.licet.consent+json", canonical.encode(payload))
    signer = Authenticator("Su Tang")
    other = Authenticator("another")
    good = _raw(sealed(payload, signer))

    def case(name: str, error: str | None, message: str, envelope: Any, passkey: Any = signer.passkey) -> Case:
        return {
            "name": name,
            "error": error,
            "message": message,
            "key": _raw(passkey),
            "text": canonical.encode(envelope).decode(),
        }

    def lie(name: str, error: str | None, message: str = "", **lies: Any) -> Case:
        return case(name, error, message, sealed(payload, signer, **lies))

    def swapped(name: str, error: str, message: str, **changes: Any) -> Case:
        signature = good["signatures"][0] | changes
        return case(name, error, message, good | {"signatures": [signature]})

    eddsa = Authenticator("Su Tang", EDDSA)
    yield case("es256-that-holds", None, "", good)
    yield case("eddsa-that-holds", None, "", sealed(payload, eddsa), eddsa.passkey)
    yield lie("fields-of-a-later-level", None, other_keys_can_be_added_here="do not compare clientDataJSON", x=[{}])
    yield lie("a-client-that-says-nothing-of-frames", None, drop="crossOrigin")
    yield lie("synchronised", None, flags=UP | UV | BE | BS)
    yield lie("with-extensions", None, flags=UP | UV | ED, tail=b"\xa0")
    # The user.
    yield lie("user-not-verified", UNTRUE, "flag UV", flags=UP)
    yield lie("user-not-present", UNTRUE, "flag UP", flags=UV)
    # The page.
    yield lie(
        "made-by-another-page", UNTRUE, "origin: expected https://registry.example, got", origin="https://e.example"
    )
    yield lie("made-by-a-page-beside-it", UNTRUE, "origin: expected", origin="https://x.registry.example")
    yield lie("made-without-encryption", UNTRUE, "origin: expected", origin="http://registry.example")
    yield lie("made-in-a-frame", UNTRUE, "inside a page of another site", crossOrigin=True)
    yield lie("made-under-another-page", UNTRUE, "inside a page of another site", topOrigin="https://e.example")
    yield lie("made-under-a-page-of-ours", UNTRUE, "inside a page of another site", topOrigin=ORIGIN)
    yield lie("answer-for-another-site", UNTRUE, "expected an answer for registry.example", rp_id="e.example")
    # The ceremony.
    yield lie("a-registration", UNTRUE, "type: expected webauthn.get", type="webauthn.create")
    yield lie("a-payment", UNTRUE, "type: expected webauthn.get", type="payment.get")
    digest = sha256(message).digest()
    yield lie("another-challenge", UNTRUE, "challenge: expected the digest of this", challenge=to_base64url(bytes(32)))
    yield lie("the-statement-itself-as-challenge", UNTRUE, "challenge: expected", challenge=to_base64url(message))
    hexed = to_base64url(digest.hex().encode())
    yield lie("challenge-in-hex", UNTRUE, "challenge: expected the digest of this", challenge=hexed)
    padded = to_base64url(digest) + "="
    yield lie("challenge-with-padding", MALFORMED, "challenge: expected unpadded", challenge=padded)
    # One meaning.
    client = json.dumps({"type": "webauthn.get", "challenge": to_base64url(digest), "origin": ORIGIN}).encode()
    twice = client[:-1] + b',"origin":"https://e.example"}'
    yield lie("origin-twice", MALFORMED, "one key twice", client=twice)
    yield lie("client-data-not-json", MALFORMED, "clientDataJSON: expected a JSON object", client=client[:-1])
    yield lie("client-data-a-list", MALFORMED, "clientDataJSON: expected a JSON object", client=b"[%s]" % client)
    yield lie(
        "client-data-with-byte-order-mark", MALFORMED, "clientDataJSON: expected", client=b"\xef\xbb\xbf" + client
    )
    yield lie("client-data-not-utf-8", MALFORMED, "clientDataJSON: expected", client=client[:-1] + b',"x":"\xff"}')
    yield lie("client-data-too-long", MALFORMED, "at most 8192 bytes", x="x" * 8192)
    yield lie("frame-neither-true-nor-false", MALFORMED, "crossOrigin: expected true or false", crossOrigin="false")
    yield lie("top-origin-null", MALFORMED, "topOrigin: expected text", topOrigin=None)
    for name in ("type", "challenge", "origin"):
        yield lie(f"no-{name}", MALFORMED, f"{name}: expected text", drop=name)
    head = sha256(b"registry.example").digest()
    yield lie("authenticator-data-short", MALFORMED, "expected 37 to 4096 bytes, got 36", raw=head + b"\x05" + bytes(3))
    yield lie("authenticator-data-long", MALFORMED, "expected 37 to 4096", flags=UP | UV | ED, tail=b"\xa0" * 4060)
    yield lie("bytes-that-no-flag-announces", MALFORMED, "exactly if flag ED", tail=b"\xa0")
    yield lie("extensions-that-are-not-there", MALFORMED, "exactly if flag ED", flags=UP | UV | ED)
    yield lie("extensions-that-are-no-map", MALFORMED, "a CBOR map", flags=UP | UV | ED, tail=b"\x80")
    yield lie("with-a-new-credential", MALFORMED, "flag AT", flags=UP | UV | AT, tail=bytes(18))
    yield lie("backed-up-though-it-cannot-be", MALFORMED, "flag BS", flags=UP | UV | BS)
    # The signature.
    entry = good["signatures"][0]
    other_message = pae("application/vnd.licet.work-update+json", canonical.encode(payload))
    retyped = _raw(signer.endorse(other_message))
    yield case("signature-for-another-type", UNTRUE, "challenge: expected", good | {"signatures": [retyped]})
    tampered = to_base64(canonical.encode(_raw(payload) | {"effect": "tighten"}))
    yield case("tampered-payload", UNTRUE, "challenge: expected", good | {"payload": tampered})
    by_other = _raw(other.endorse(message)) | {"keyid": signer.keyid}
    yield case("signature-by-another-passkey", UNTRUE, "does not hold", good | {"signatures": [by_other]})
    yield case("another-passkey", UNTRUE, "expected keys", sealed(payload, other))
    bare = {name: value for name, value in entry.items() if name != "webauthn"}
    yield case("no-assertion", UNTRUE, "expected a passkey's assertion", good | {"signatures": [bare]})
    over_pae = bare | {"sig": to_base64(signer.sign(message))}
    yield case("bare-signature", UNTRUE, "expected a passkey's assertion", good | {"signatures": [over_pae]})
    yield swapped("bare-signature-beside-an-assertion", UNTRUE, "does not hold", sig=over_pae["sig"])
    der = from_base64(entry["sig"])
    yield swapped("signature-without-der", UNTRUE, "does not hold", sig=to_base64(_fixed(der)))
    yield swapped("signature-with-a-tail", UNTRUE, "does not hold", sig=to_base64(der + b"\x00"))
    long_form = to_base64(b"\x30\x81" + der[1:])
    yield swapped("length-of-the-signature-in-long-form", UNTRUE, "does not hold", sig=long_form)
    unencoded = entry["webauthn"] | {"authenticatorData": entry["webauthn"]["authenticatorData"][:-1] + "\n"}
    yield swapped("second-base64-of-authenticator-data", MALFORMED, "authenticatorData: ", webauthn=unencoded)
    more = entry["webauthn"] | {"userHandle": ""}
    yield swapped("more-in-the-assertion", MALFORMED, "userHandle: expected no field of this name", webauthn=more)
    yield swapped("assertion-null", MALFORMED, "webauthn", webauthn=None)
    # The key.
    moved = msgspec.structs.replace(signer.passkey, origins=["https://e.registry.example"])
    yield case("origins-of-another-registration", UNTRUE, "expected keys", good, moved)
    by_eddsa = _raw(eddsa.endorse(message)) | {"keyid": signer.keyid}
    yield case("signature-by-another-algorithm", UNTRUE, "does not hold", good | {"signatures": [by_eddsa]})


def _fixed(der: bytes) -> bytes:
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def statement_file_cases() -> Iterator[Case]:
    """Yield statement files with the trust to read them under: those that hold, then every lie."""
    yield from _honest_files()
    yield from _lies_about_the_effect()
    yield from _lies_about_the_log()
    yield from _lies_about_the_registry()
    yield from _rotated()
    yield from _lies_about_the_signer()
    yield from _lies_in_the_payload()
    yield from _disputed()


def _file(
    name: str, file: Any, registry: Registry | None, error: str | None = None, message: str = "", **more: Any
) -> Case:
    text = file if isinstance(file, str) else canonical.encode(file).decode()
    trust = None if registry is None else _raw(registry.trust)
    return {"name": name, "error": error, "message": message, "trust": trust, "text": text, **more}


def _consent_file(
    change: Callable[[Registry, Account], Envelope] | None = None,
) -> tuple[Registry, Account, StatementFile]:
    """A registry in which an artist's consent is the last entry."""
    registry = Registry()
    artist = Account(registry, "Su Tang")
    envelope = change(registry, artist) if change else envelopes.seal(artist.consent(), artist.key)
    return registry, artist, registry.file(registry.log.add(envelope), artist.genesis_index)


def _honest_files() -> Iterator[Case]:
    registry, artist, file = _consent_file()
    yield _file("consent-that-holds", file, registry, checks=5)
    yield _file("consent-without-a-pinned-root", file, None, checks=5)
    log = registry.log
    organisation = Account(registry, "acme", "organisation")
    licence = envelopes.seal(organisation.licence(), organisation.key, registry.working["licence"])
    withdraw = envelopes.seal(artist.withdraw(), artist.key)
    claim = kinds.Claim(registry.ref, artist.id, artist.genesis, 2, "domain su.example", "2026-11-22T12:00:00.000Z")
    second = key("Su Tang, second")
    added = envelopes.seal(artist.register(second), second, artist.key)
    at = {
        "licence": log.add(licence),
        "work-update": log.add(withdraw),
        "claim": log.add(envelopes.seal(claim, registry.working["office"])),
        "consent-mature": log.add(envelopes.seal(_matured(registry, artist), registry.working["office"])),
        "key-register": log.add(added),
        "snapshot": log.add(envelopes.seal(_snapshot(registry), registry.working["snapshot"])),
    }
    by_second = log.add(envelopes.seal(artist.consent(seq=2, prev="0" * 64), second))
    revoked = log.add(envelopes.seal(artist.revoke(artist.key.keyid), second))
    denial = artist.consent(preset("no-ai"), effect="tighten", seq=3, prev="0" * 64)
    after = log.add(envelopes.seal(denial, artist.key))
    history = (artist.genesis_index, at["key-register"])
    yield _file("licence-that-holds", registry.file(at["licence"], organisation.genesis_index), registry, checks=4)
    yield _file("withdrawal-that-holds", registry.file(at["work-update"], artist.genesis_index), registry, checks=3)
    yield _file("claim-that-holds", registry.file(at["claim"]), registry, checks=3)
    yield _file("maturing-that-holds", registry.file(at["consent-mature"]), registry, checks=3)
    yield _file("snapshot-that-holds", registry.file(at["snapshot"]), registry, checks=3)
    yield _file("genesis-that-holds", registry.file(artist.genesis_index), registry, checks=3)
    yield _file("second-key-that-holds", registry.file(at["key-register"], artist.genesis_index), registry, checks=3)
    yield _file("revocation-that-holds", registry.file(revoked, *history), registry, checks=3)
    yield _file("consent-by-the-second-key", registry.file(by_second, *history), registry, checks=5)
    yield _file("registry-key-that-holds", registry.file(2), registry, checks=2)
    ben = Account(registry, "Ben")
    shared = draft_split(
        registry=registry.ref, account=artist.id, genesis=artist.genesis, works={identifier("wrk", 0): "0" * 64},
        shares={artist.id: (artist.genesis, 6000), ben.id: (ben.genesis, 4000)}, replaces=None,
    )  # fmt: skip
    shared = msgspec.structs.replace(shared, split=identifier("spl", 1), issued_at=claim.issued_at, nonce="0" * 32)
    yes = draft_answer(
        shared, sha256(canonical.encode(shared)).hexdigest(), account=ben.id, genesis=ben.genesis, answer="accept"
    )
    yes = msgspec.structs.replace(yes, issued_at=claim.issued_at, nonce="1" * 32)
    split, answer = log.add(envelopes.seal(shared, second)), log.add(envelopes.seal(yes, ben.key))
    yield _file("split-that-holds", registry.file(split, *history), registry, checks=3)
    yield _file("answer-to-a-split-that-holds", registry.file(answer, ben.genesis_index), registry, checks=3)
    borrowed = log.add(envelopes.seal(yes, second))
    yield _file(
        "answer-by-the-key-of-who-proposed", registry.file(borrowed, ben.genesis_index), registry, UNTRUE,
        "expected a key of art_",
    )  # fmt: skip
    late = log.add(envelopes.seal(shared, artist.key))
    yield _file("split-by-a-revoked-key", registry.file(late, *history, revoked), registry, UNTRUE, "may only tighten")
    yield _file("tightening-by-a-revoked-key", registry.file(after, *history, revoked), registry, checks=6)


def _lies_about_the_effect() -> Iterator[Case]:
    for effect in ("tighten", "loosen"):

        def mislabelled(registry: Registry, artist: Account, effect: str = effect) -> Envelope:
            return envelopes.seal(artist.consent(effect=effect), artist.key)

        registry, _, file = _consent_file(mislabelled)
        yield _file(f"first-consent-that-says-{effect}", file, registry, UNTRUE, "effect: expected initial, by what")


def _matured(registry: Registry, artist: Account) -> kinds.ConsentMature:
    at = "2026-11-23T12:00:00.000Z"
    return kinds.ConsentMature(registry.ref, artist.id, artist.genesis, identifier("stm", 1), 0, None, at)


def _snapshot(registry: Registry) -> kinds.Snapshot:
    root = "0" * 64
    at, until = "2026-12-01T00:10:00.000Z", "2026-12-02T00:10:00.000Z"
    return kinds.Snapshot(registry.ref, 1, None, 1, 5, root, at, until, [], 0, root)


def _lies_about_the_log() -> Iterator[Case]:
    registry, artist, file = _consent_file()
    raw = _raw(file)
    other = registry.log.evidence(artist.genesis_index)

    def lie(name: str, error: str, message: str, **changes: Any) -> Case:
        return _file(name, raw | changes, registry, error, message)

    index = len(registry.key_indices) + 1
    yield lie("swapped-proof", UNTRUE, "inclusion proof", proof=other.proof)
    yield lie("swapped-entry", UNTRUE, "kind consent, got key-register", entry=other.entry)
    yield lie("swapped-salt", UNTRUE, "commits to another statement or salt", salt=other.salt)
    yield lie("missing-salt", MALFORMED, "salt: expected a salt of 32 bytes", salt=None)
    yield lie("short-salt", MALFORMED, "salt: expected a salt of 32 bytes", salt="AAAA")
    yield lie("another-index", UNTRUE, "inclusion proof", proof=file.proof.replace(f"index {index}\n", "index 1\n"))
    yield lie(
        "index-beyond-the-tree",
        UNTRUE,
        "index below the tree size",
        proof=file.proof.replace(f"index {index}\n", "index 99\n"),
    )
    yield lie("extra-data-in-the-proof", MALFORMED, "no extra data", proof=registry.log.proof(index, extra=b"trust me"))
    witness = note.Signer("witness.example", key("witness").seed)
    yield lie(
        "signature-line-nobody-checks",
        UNTRUE,
        "signature line by an unknown key",
        proof=registry.log.proof(index, witness),
    )
    impostor = note.Signer(registry.origin, key("impostor").seed)
    yield lie(
        "second-line-in-the-name-of-the-log",
        UNTRUE,
        "signature line by an unknown key",
        proof=registry.log.proof(index, impostor),
    )
    head, _, checkpoint = file.proof.partition("\n\n")
    lines = checkpoint.split("\n")
    false = lines[-2][:-8] + ("A" if lines[-2][-8] != "A" else "B") + lines[-2][-7:]
    yield lie(
        "checkpoint-signature-that-fails",
        UNTRUE,
        "does not hold",
        proof="\n".join([f"{head}\n", *lines[:-2], false, ""]),
    )
    forked = Registry()
    forked.log.add(envelopes.seal(Account(forked, "Su Tang").withdraw(), artist.key))
    two_views = [_raw(each) for each in (*forked.keys(), *file.keys[4:])]
    yield lie("keys-out-of-another-view-of-the-log", UNTRUE, "two different roots for the tree size", keys=two_views)
    grown = "\n".join([lines[0], str(int(lines[1]) + 1), *lines[2:]])
    yield lie("checkpoint-of-another-size", UNTRUE, "does not hold", proof=f"{head}\n\n{grown}")
    yield lie("entry-that-is-no-entry", MALFORMED, "canonical JSON", entry=to_base64(b"{}x"))
    yield _file("not-canonical", json.dumps(raw), registry, MALFORMED, "another spelling")
    yield lie("unknown-member", MALFORMED, "works: expected no field of this name", works=[])
    yield _file(
        "duplicate-member",
        '{"salt":null,' + canonical.encode(raw).decode()[1:],
        registry,
        MALFORMED,
        "another spelling",
    )
    mislogged = Registry()
    artist = Account(mislogged, "Su Tang")
    at = mislogged.log.add(envelopes.seal(artist.consent(), artist.key), kind="work-update")
    yield _file(
        "logged-as-another-kind",
        mislogged.file(at, artist.genesis_index),
        mislogged,
        UNTRUE,
        "kind consent, got work-update",
    )


def _lies_about_the_registry() -> Iterator[Case]:
    registry, artist, file = _consent_file()
    other = Registry("two")
    stranger = Account(other, "Su Tang")
    foreign = other.file(other.log.add(envelopes.seal(stranger.consent(), stranger.key)), stranger.genesis_index)
    yield _file(
        "another-registrys-file-whole", foreign, registry, UNTRUE, "expected a key of the registry registry.example/one"
    )
    mixed = msgspec.structs.replace(file, keys=[*other.keys(), *file.keys[4:]])
    yield _file(
        "keys-of-another-registry", mixed, registry, UNTRUE, "expected a key of the registry registry.example/one"
    )
    without = msgspec.structs.replace(file, keys=file.keys[4:])
    yield _file("no-registry-keys", without, registry, UNTRUE, "expected 1 to 1024 registry keys, got 0")
    unnamed = msgspec.structs.replace(file, keys=file.keys[1:])
    yield _file("no-log-key", unnamed, registry, UNTRUE, "expected a registry key for log")
    turned = msgspec.structs.replace(file, keys=[*file.keys[4:], *file.keys[:4]])
    yield _file(
        "keys-in-another-order", turned, registry, MALFORMED, "keys: expected the registry's keys, then the signer's"
    )
    swapped = msgspec.structs.replace(file, keys=[file.keys[0], file.keys[2], file.keys[1], *file.keys[3:]])
    yield _file("registry-keys-out-of-log-order", swapped, registry, UNTRUE, "registry keys in log order")
    doubled = msgspec.structs.replace(file, keys=[*file.keys[:2], *file.keys[1:]])
    yield _file("registry-key-twice", doubled, registry, UNTRUE, "a different key for each purpose")

    self_named = Registry()
    bad = self_named.name_key("licence", key("impostor"), signer=self_named.working["log"])
    self_named.key_indices.append(bad)
    artist = Account(self_named, "Su Tang")
    at = self_named.log.add(envelopes.seal(artist.consent(), artist.key))
    yield _file(
        "key-that-the-root-did-not-sign",
        self_named.file(at, artist.genesis_index),
        self_named,
        UNTRUE,
        "signatures: expected keys",
    )

    shared = Registry()
    shared.key_indices.append(shared.name_key("office", shared.working["licence"]))
    artist = Account(shared, "Su Tang")
    at = shared.log.add(envelopes.seal(artist.consent(), artist.key))
    yield _file(
        "one-key-for-two-purposes",
        shared.file(at, artist.genesis_index),
        shared,
        UNTRUE,
        "a different key for each purpose",
    )

    stale = Registry()
    stale.key_indices.append(stale.name_key("licence", key("newer licence")))
    stale.key_indices.append(stale.end_key(stale.working["licence"].keyid))
    organisation = Account(stale, "acme", "organisation")
    at = stale.log.add(envelopes.seal(organisation.licence(), organisation.key, stale.working["licence"]))
    yield _file(
        "licence-by-a-replaced-key",
        stale.file(at, organisation.genesis_index),
        stale,
        UNTRUE,
        "it was retired at log index 5",
    )

    ended = Registry()
    until = "2026-12-01T00:05:30.000Z"
    ended.key_indices.append(ended.name_key("licence", key("short licence"), valid_until=until))
    organisation = Account(ended, "acme", "organisation")
    at = ended.log.add(envelopes.seal(organisation.licence(), organisation.key, key("short licence")))
    yield _file("licence-by-a-stale-key", ended.file(at, organisation.genesis_index), ended, UNTRUE, "it is valid from")

    early = Registry()
    organisation = Account(early, "acme", "organisation")
    at = early.log.add(envelopes.seal(organisation.licence(), organisation.key, key("later licence")))
    early.key_indices = [0, 1, 3, early.name_key("licence", key("later licence"))]
    yield _file(
        "licence-before-its-key-was-named",
        early.file(at, organisation.genesis_index),
        early,
        UNTRUE,
        "it was named at log index 6",
    )

    wrong = Registry()
    at = wrong.log.add(envelopes.seal(_snapshot(wrong), wrong.working["licence"]))
    yield _file("snapshot-by-the-licence-key", wrong.file(at), wrong, UNTRUE, "signatures: expected keys")
    artist = Account(wrong, "Su Tang")
    claim = kinds.Claim(wrong.ref, artist.id, artist.genesis, 4, "because", "2026-11-22T12:00:00.000Z")
    at = wrong.log.add(envelopes.seal(claim, artist.key))
    yield _file("claim-by-the-artist-herself", wrong.file(at), wrong, UNTRUE, "signatures: expected keys")
    matured = wrong.log.add(envelopes.seal(_matured(wrong, artist), artist.key))
    yield _file("maturing-by-the-artist-herself", wrong.file(matured), wrong, UNTRUE, "signatures: expected keys")
    yield _file(
        "account-keys-beside-a-claim", wrong.file(at, artist.genesis_index), wrong, MALFORMED, "keys: expected none"
    )


def _rotated() -> Iterator[Case]:
    """A second log key beside the first, which is retired after a while; office keys that come and go."""
    registry = Registry()
    newer, log = key("newer log"), registry.log
    artist = Account(registry, "Su Tang")
    at = log.add(envelopes.seal(artist.consent(), artist.key))
    before = registry.file(at, artist.genesis_index)
    newer_signer = note.Signer(registry.origin, newer.seed)
    older_signer = log.signer
    log.signer = newer_signer
    early = log.evidence(at)
    yield _file(
        "tree-by-a-log-key-that-was-not-named",
        msgspec.structs.replace(before, proof=early.proof),
        registry,
        UNTRUE,
        "expected a signature by registry.example/one, got none",
    )
    registry.key_indices.append(registry.name_key("log", newer))
    too_early = msgspec.structs.replace(registry.file(at, artist.genesis_index), proof=early.proof)
    yield _file(
        "tree-by-a-log-key-before-it-was-named",
        too_early,
        registry,
        UNTRUE,
        "counts for, from 7 entries on, got one of 6",
    )
    yield _file("tree-by-the-newer-log-key", registry.file(at, artist.genesis_index), registry, checks=5)
    log.signer = older_signer
    yield _file("tree-by-the-older-log-key", registry.file(at, artist.genesis_index), registry, checks=5)
    registry.key_indices.append(registry.end_key(registry.working["log"].keyid))
    log.signer = newer_signer
    by_newer = registry.file(at, artist.genesis_index)
    yield _file(
        "receipt-from-before-the-rotation", msgspec.structs.replace(by_newer, proof=before.proof), registry, checks=5
    )
    log.signer = older_signer
    yield _file(
        "tree-by-a-retired-log-key",
        msgspec.structs.replace(by_newer, proof=log.evidence(at).proof),
        registry,
        UNTRUE,
        "counts for, from 0 entries to 7, got one of 8",
    )
    hidden = registry.file(at, artist.genesis_index)
    yield _file(
        "retired-log-key-proves-its-own-end", hidden, registry, UNTRUE, "counts for, from 0 entries to 7, got one of 8"
    )
    log.signer = note.Signer(registry.origin, registry.working["office"].seed)
    yield _file(
        "tree-by-the-office-key",
        msgspec.structs.replace(by_newer, proof=log.evidence(at).proof),
        registry,
        UNTRUE,
        "a signature line by an unknown key",
    )

    offices = Registry()
    claim = kinds.Claim(offices.ref, artist.id, artist.genesis, 2, "domain su.example", "2026-11-22T12:00:00.000Z")
    older = offices.working["office"]
    by_older = offices.log.add(envelopes.seal(claim, older))
    offices.key_indices.append(offices.name_key("office", key("newer office")))
    beside = offices.log.add(envelopes.seal(claim, older))
    by_newer_key = offices.log.add(envelopes.seal(claim, key("newer office")))
    offices.key_indices.append(offices.end_key(older.keyid, "compromised"))
    stolen = offices.log.add(envelopes.seal(claim, older))
    for name, index in (
        ("claim-from-before-the-theft", by_older),
        ("claim-by-the-older-of-two", beside),
        ("claim-by-the-newer-of-two", by_newer_key),
    ):
        yield _file(name, offices.file(index), offices, checks=3)
    yield _file("claim-by-a-stolen-key", offices.file(stolen), offices, UNTRUE, "it was revoked at log index 8")
    yield _file("end-of-a-key-that-holds", offices.file(8), offices, checks=2)

    for name, change, message in (
        ("end-of-a-key-twice", lambda it: it.end_key(older.keyid), "which has ended"),
        ("end-of-a-key-that-nobody-named", lambda it: it.end_key(key("nobody").keyid), "which was not named"),
        (
            "end-that-the-root-did-not-sign",
            lambda it: it.end_key(key("newer office").keyid, signer=key("newer office")),
            "signatures: expected keys",
        ),
        (
            "key-by-another-registrys-root",
            lambda it: it.name_key("office", key("planted"), signer=key("two root")),
            "signatures: expected keys",
        ),
        (
            "one-key-named-again",
            lambda it: it.name_key("office", key("newer office")),
            "a different key for each purpose",
        ),
        (
            "ed25519-key-as-a-cosignature",
            lambda it: it.name_key("cosignature", key("not ml-dsa")),
            "expected ml-dsa-44 for cosignature",
        ),
    ):
        kept = list(offices.key_indices)
        offices.key_indices.append(change(offices))
        yield _file(name, offices.file(by_older), offices, UNTRUE, message)
        offices.key_indices[:] = kept


def _lies_about_the_signer() -> Iterator[Case]:
    def lie(name: str, message: str, change: Callable[[Registry, Account], Envelope]) -> Case:
        registry, _, file = _consent_file(change)
        return _file(name, file, registry, UNTRUE, message)

    yield lie(
        "consent-by-a-stranger",
        "expected a key of art_",
        lambda _, artist: envelopes.seal(artist.consent(), key("stranger")),
    )
    yield lie(
        "consent-by-the-registry",
        "expected a key of art_",
        lambda registry, artist: envelopes.seal(artist.consent(), registry.root),
    )
    yield lie(
        "consent-with-two-signatures",
        "signatures: expected keys",
        lambda _, artist: envelopes.seal(artist.consent(), artist.key, key("x")),
    )
    yield lie(
        "genesis-of-another-account",
        "genesis: expected",
        lambda _, artist: envelopes.seal(artist.consent(genesis="0" * 64), artist.key),
    )
    yield lie(
        "consent-in-another-name",
        "expected the key history of",
        lambda _, artist: envelopes.seal(artist.consent(account=identifier("art", 7)), artist.key),
    )

    registry, artist, file = _consent_file()
    bare = msgspec.structs.replace(file, keys=file.keys[:4])
    yield _file("no-key-history", bare, registry, UNTRUE, "expected 1 to 1024 key statements, got 0")
    unsigned = msgspec.structs.replace(file.envelope, signatures=[])
    at = registry.log.add(unsigned)
    yield _file(
        "consent-that-nobody-signed",
        registry.file(at, artist.genesis_index),
        registry,
        UNTRUE,
        "expected a signature by",
    )
    twice = registry.file(at - 1, artist.genesis_index, artist.genesis_index)
    yield _file("genesis-twice", twice, registry, UNTRUE, "key statements in log order")

    def later_key(
        name: str, message: str, key_class: str, *signers: str, terms: Any = PAID, minute: int | None = None
    ) -> Case:
        registry = Registry()
        artist = Account(registry, "Su Tang")
        office = registry.working["office"]
        named = {"old": artist.key, "new": key("new"), "stranger": key("stranger"), "office": office}
        added = registry.log.add(
            envelopes.seal(artist.register(key("new"), key_class), *(named[each] for each in signers))
        )
        at = registry.log.add(envelopes.seal(artist.consent(terms), key("new")), minute=minute)
        return _file(
            name, registry.file(at, artist.genesis_index, added), registry, UNTRUE if message else None, message
        )

    yield later_key("second-key-that-no-root-signed", "expected a signature by a live root key", "root", "new")
    yield later_key("second-key-without-possession", "signatures: expected keys", "root", "old", "old")
    yield later_key(
        "second-key-signed-by-a-stranger", "expected a signature by a live root key", "root", "new", "stranger"
    )
    yield later_key("second-key-that-the-office-signed", "by a live root key", "root", "new", "office")
    yield later_key("second-key-attested", "got class attested", "attested", "new", "old")
    yield later_key("offer-by-a-delegate-without-delegation", "expected a delegation", "delegate", "new", "old")
    yield later_key("offer-by-a-key-just-recovered", "may only tighten (recovered at", "recovered", "new", "office")
    yield later_key("denial-by-a-key-just-recovered", "", "recovered", "new", "office", terms=preset("no-ai"))
    yield later_key("offer-by-a-key-recovered-a-week-ago", "", "recovered", "new", "office", minute=7 * 1440 + 60)
    yield later_key("recovered-by-the-old-key", "that the registry's office has signed", "recovered", "new", "old")
    yield from _delegates()
    yield from _attested()
    yield from _updates()
    yield from _passkeys_in_files()

    registry, artist, file = _consent_file()
    second = key("Su Tang, second")
    before = registry.log.add(envelopes.seal(artist.consent(), second))
    added = registry.log.add(envelopes.seal(artist.register(second), second, artist.key))
    revoked = registry.log.add(envelopes.seal(artist.revoke(second.keyid), artist.key))
    after = registry.log.add(envelopes.seal(artist.consent(), second))
    third = registry.log.add(envelopes.seal(artist.register(key("third")), key("third"), second))
    history = (artist.genesis_index, added, revoked)
    yield _file(
        "consent-before-its-key-was-registered",
        registry.file(before, *history),
        registry,
        UNTRUE,
        "expected a key of art_",
    )
    yield _file(
        "offer-by-a-revoked-key",
        registry.file(after, *history),
        registry,
        UNTRUE,
        "may only tighten (revoked from log index",
    )
    yield _file(
        "revoked-key-adds-another",
        registry.file(third, *history),
        registry,
        UNTRUE,
        "expected a signature by a live root key",
    )
    turned = registry.file(after, artist.genesis_index, revoked, added)
    yield _file("key-statements-out-of-order", turned, registry, UNTRUE, "keyid: expected a key of")
    headless = registry.file(after, added, revoked)
    yield _file("key-history-without-its-beginning", headless, registry, UNTRUE, "begins with a genesis")

    yield from _histories_with_gaps()

    registry = Registry()
    organisation = Account(registry, "acme", "organisation")
    half = registry.log.add(envelopes.seal(organisation.licence(), organisation.key))
    turned_over = registry.log.add(
        envelopes.seal(organisation.licence(), registry.working["licence"], organisation.key)
    )
    by_office = registry.log.add(envelopes.seal(organisation.licence(), organisation.key, registry.working["office"]))
    for name, at, message in (
        ("licence-that-was-not-granted", half, "signatures: expected keys"),
        ("licence-granted-before-accepted", turned_over, "expected a key of org_"),
        ("licence-granted-by-the-office", by_office, "signatures: expected keys"),
    ):
        yield _file(name, registry.file(at, organisation.genesis_index), registry, UNTRUE, message)


def _histories_with_gaps() -> Iterator[Case]:
    """Key statements that name the one in front of them: none can be left out but the last."""
    registry = Registry()
    artist = Account(registry, "Su Tang")
    second, third = key("Su Tang, second"), key("Su Tang, third")
    head = artist.genesis
    places = [artist.genesis_index]
    for payload, *signers in (
        (artist.register(second), second, artist.key),
        (artist.revoke(second.keyid), artist.key),
        (artist.register(third), third, artist.key),
    ):
        linked = envelopes.seal(msgspec.structs.replace(payload, prev=head), *signers)
        head = linked.payload_digest
        places.append(registry.log.add(linked))
    after = registry.log.add(envelopes.seal(artist.consent(), second))
    later = registry.log.add(envelopes.seal(artist.consent(), third))
    genesis, added, _, last = places
    left_out = "one is left out between them"
    yield _file("key-history-linked", registry.file(later, *places), registry, None, "")
    yield _file(
        "key-history-without-a-revocation", registry.file(after, genesis, added, last), registry, UNTRUE, left_out
    )
    yield _file("key-history-without-a-key", registry.file(later, genesis, last), registry, UNTRUE, left_out)
    yield _file("key-history-linked-shows-the-end", registry.file(after, *places), registry, UNTRUE, "may only tighten")
    begun = msgspec.structs.replace(artist.register(artist.key), genesis=None, prev="0" * 64)
    before = registry.log.add(envelopes.seal(begun, artist.key))
    yield _file(
        "genesis-that-names-another", registry.file(before), registry, UNTRUE, "prev: expected none in a genesis"
    )


def _delegates() -> Iterator[Case]:
    def delegated(name: str, message: str, scope: str = "consent", terms: Any = PAID, **more: Any) -> Case:
        registry = Registry()
        artist = Account(registry, "Su Tang")
        agency, log = key("agency"), registry.log
        told = [artist.genesis_index]
        told.append(log.add(envelopes.seal(artist.register(agency, "delegate"), agency, artist.key)))
        signer = agency if more.pop("own", False) else artist.key
        revoked, early = more.pop("revoked", False), more.pop("early", False)
        minute = more.pop("minute", None)
        statement = envelopes.seal(artist.consent(terms), agency)
        at = log.add(statement) if early else -1
        told.append(log.add(envelopes.seal(artist.delegate(agency.keyid, scope, **more), signer)))
        if revoked:
            told.append(log.add(envelopes.seal(artist.revoke(agency.keyid), artist.key)))
        at = at if early else log.add(statement, minute=minute)
        return _file(name, registry.file(at, *told), registry, UNTRUE if message else None, message)

    yield delegated("offer-by-a-delegate", "")
    yield delegated("offer-by-a-delegate-for-as-many-works-as-allowed", "", limit=kinds.Limit(3, []))
    yield delegated("offer-by-a-delegate-for-too-many-works", "expected at most 2 works", limit=kinds.Limit(2, []))
    yield delegated("offer-by-a-delegate-for-withdrawals", "of a kind that was delegated", scope="work-update")
    yield delegated("offer-after-the-delegation", "expected a delegation that is in force", minute=30 * 1440 + 60)
    yield delegated("offer-before-the-delegation", "expected a delegation beside", early=True)
    yield delegated("offer-by-a-revoked-delegate", "may only tighten (revoked from", revoked=True)
    yield delegated("denial-by-a-revoked-delegate", "", revoked=True, terms=preset("no-ai"))
    yield delegated("delegation-by-the-delegate", "expected a signature by a live root key", own=True)
    late = "2027-03-02T00:00:00.000Z"
    yield delegated("delegation-for-longer-than-90-days", "at most 90 days", valid_until=late)
    yield delegated("delegation-of-keys", "scope: expected some of", scope="key-register")
    yield delegated("delegation-of-delegations", "scope: expected some of", scope="delegation")


def _attested() -> Iterator[Case]:
    registry = Registry()
    artist = Account(registry, "Su Tang")
    office, log = registry.working["office"], registry.log
    for name, statement, message in (
        ("denial-attested-by-the-registry", artist.consent(preset("no-ai")), ""),
        ("withdrawal-attested-by-the-registry", artist.withdraw(), ""),
        ("offer-attested-by-the-registry", artist.consent(), "may only tighten (attested by the registry"),
        ("loosening-attested-by-the-registry", artist.consent(effect="loosen"), "may only tighten (attested"),
    ):
        at = log.add(envelopes.seal(statement, office))
        yield _file(name, registry.file(at, artist.genesis_index), registry, UNTRUE if message else None, message)
    at = log.add(envelopes.seal(artist.consent(preset("no-ai")), registry.working["licence"]))
    yield _file(
        "denial-attested-by-another-key-of-the-registry",
        registry.file(at, artist.genesis_index),
        registry,
        UNTRUE,
        "expected a key of art_",
    )


def _updates() -> Iterator[Case]:
    """New keys of works: a delegate may add them, whoever may only tighten may not, and both roots are there."""
    registry = Registry()
    artist = Account(registry, "Su Tang")
    log, office, agency, second = registry.log, registry.working["office"], key("agency"), key("Su Tang, second")
    update = artist.update()
    raw = msgspec.json.decode(canonical.encode(update))
    told = [
        artist.genesis_index,
        log.add(envelopes.seal(artist.register(agency, "delegate"), agency, artist.key)),
        log.add(envelopes.seal(artist.delegate(agency.keyid, "work-update", limit=kinds.Limit(3, [])), artist.key)),
        log.add(envelopes.seal(artist.register(second), second, artist.key)),
    ]
    revoked = envelopes.seal(artist.revoke(second.keyid), artist.key)
    for name, envelope, fault, message in (
        ("update-that-holds", envelopes.seal(update, artist.key), None, ""),
        ("update-by-a-delegate", envelopes.seal(update, agency), None, ""),
        ("update-attested-by-the-registry", envelopes.seal(update, office), UNTRUE, "may only tighten (attested"),
        ("update-by-a-revoked-key", envelopes.seal(update, second), UNTRUE, "may only tighten (revoked from"),
        (
            "update-without-the-digests-before",
            _sealed_raw({name: value for name, value in raw.items() if name != "before"}, artist),
            MALFORMED,
            "before: expected a root beside new keys",
        ),
        (
            "withdrawal-with-digests-before",
            _sealed_raw(raw | {"change": "withdraw"}, artist),
            MALFORMED,
            "before: expected a root beside new keys",
        ),
        ("update-of-another-kind", _sealed_raw(raw | {"change": "sell"}, artist), MALFORMED, "change"),
    ):
        if name == "update-by-a-revoked-key":
            told.append(log.add(revoked))
        yield _file(name, registry.file(log.add(envelope), *told), registry, fault, message)


def _sealed_raw(payload: dict[str, Any], artist: Account, tag: str = "work-update") -> Envelope:
    """Return ``payload``, which no Struct holds, signed as a work-update, or another kind."""
    data, kind = canonical.encode(payload), f"application/vnd.licet.{tag}+json"
    signature = Signature(artist.key.keyid, to_base64(artist.key.sign(pae(kind, data))))
    return Envelope(payload=to_base64(data), payload_type=kind, signatures=[signature])


def _passkeys_in_files() -> Iterator[Case]:
    registry = Registry()
    first, second = Authenticator("Su Tang"), Authenticator("Su Tang, her phone", EDDSA)
    artist = Account(registry, "Su Tang", first=first)
    log = registry.log
    added = log.add(sealed(artist.register(second), second, first))
    rotated = log.add(sealed(artist.rotate(first.keyid, key("desk")), key("desk"), second))
    history = (artist.genesis_index, added, rotated)
    by_second = log.add(sealed(artist.consent(), second))
    by_desk = log.add(sealed(artist.consent(), key("desk")))
    by_first = log.add(sealed(artist.consent(), first))
    unverified = log.add(sealed(artist.consent(), second, flags=UP))
    elsewhere = log.add(sealed(artist.consent(), second, origin="https://e.example"))
    yield _file("consent-by-a-passkey", registry.file(by_second, *history), registry, checks=5)
    yield _file("consent-by-a-rotated-key", registry.file(by_desk, *history), registry, checks=5)
    yield _file("rotation-that-holds", registry.file(rotated, *history), registry, checks=3)
    for name, at, message in (
        ("consent-by-a-passkey-that-was-replaced", by_first, "may only tighten (revoked from log index"),
        ("consent-by-a-passkey-without-its-user", unverified, "flag UV"),
        ("consent-by-a-passkey-on-another-page", elsewhere, "origin: expected https://registry.example"),
    ):
        yield _file(name, registry.file(at, *history), registry, UNTRUE, message)
    hidden = registry.file(by_second, artist.genesis_index, rotated)
    yield _file("a-key-statement-left-out", hidden, registry, UNTRUE, "expected a signature by a live root key")


def _lies_in_the_payload() -> Iterator[Case]:
    def lie(name: str, error: str, message: str, **changes: Any) -> Case:
        def change(_: Registry, artist: Account) -> Envelope:
            return envelopes.seal(msgspec.structs.replace(artist.consent(), **changes), artist.key)

        registry, _, file = _consent_file(change)
        return _file(name, file, registry, error, message)

    terms = PAID.to_json()
    elsewhere = kinds.RegistryRef("registry.example/two", key("two root").keyid)
    yield lie("meant-for-another-registry", UNTRUE, "expected a statement for the registry", registry=elsewhere)
    yield lie("terms-hash-of-other-terms", UNTRUE, "terms_hash: expected", terms_hash=preset("no-ai").hash)
    fewer = {atom: rule for atom, rule in terms.items() if atom != "search"}
    yield lie("nine-uses", MALFORMED, "terms: search: expected a value", terms=fewer)
    more = terms | {"dream": {"permission": "deny"}}
    yield lie("eleven-uses", MALFORMED, "terms: terms: expected only uses out of", terms=more)
    yield lie("terms-in-another-spelling", MALFORMED, "canonical form", terms=terms | {"index": "deny"})
    yield lie("terms-of-a-later-vocabulary", MALFORMED, "vocab: expected version 1", vocab=2)


def _disputed() -> Iterator[Case]:
    """Steps of a dispute: those of a party under its key, the decision under the office's and no other."""
    registry = Registry()
    artist = Account(registry, "Su Tang")
    office, log = registry.working["office"], registry.log
    opened = kinds.DisputeStep(
        registry=registry.ref,
        dispute=identifier("dsp", 1),
        step="open",
        subject=identifier("wrk", 1),
        document=None,
        account=artist.id,
        genesis=artist.genesis,
        position=None,
        outcome=None,
        text="I drew this in 2019.",
        evidence=["log:3", identifier("wrk", 2)],
        issued_at="2026-11-22T12:00:00.000Z",
        nonce="a step of a dispute",
    )
    later = {"step": "answer", "document": "d" * 64, "position": "contest"}
    conceded = msgspec.structs.replace(opened, **{**later, "position": "concede"})
    withdrawn = msgspec.structs.replace(opened, step="withdraw", document="d" * 64)
    decision = msgspec.structs.replace(
        opened, step="decide", document="d" * 64, account=identifier("opr", 1), genesis=None, outcome="upheld"
    )
    other = msgspec.structs.replace(decision, account=artist.id)
    for name, step, signer, keys, message in (
        ("dispute-opened", opened, artist.key, [artist.genesis_index], ""),
        ("dispute-answered", msgspec.structs.replace(opened, **later), artist.key, [artist.genesis_index], ""),
        ("dispute-decided", decision, office, [], ""),
        ("dispute-opened-by-the-registry", opened, office, [artist.genesis_index], ""),  # in a page without scripts
        ("dispute-conceded-by-the-registry", conceded, office, [artist.genesis_index], "may only tighten (attested"),
        ("dispute-withdrawn-by-the-registry", withdrawn, office, [artist.genesis_index], "may only tighten (attested"),
        ("dispute-decided-by-a-party", other, artist.key, [], "signatures"),
        ("dispute-decided-by-another-key", decision, registry.working["licence"], [], "signatures"),
    ):
        at = log.add(envelopes.seal(step, signer))
        yield _file(name, registry.file(at, *keys), registry, UNTRUE if message else None, message)
    at = log.add(envelopes.seal(decision, office))
    yield _file(
        "dispute-decided-beside-a-party's-keys",
        registry.file(at, artist.genesis_index),
        registry,
        MALFORMED,
        "keys: expected none of an account beside a decision",
    )
    for name, message, changes in (
        ("dispute-opened-with-an-outcome", "outcome: expected none", {"outcome": "upheld"}),
        ("dispute-answered-without-a-position", "position: expected one", later | {"position": None}),
        ("dispute-that-names-no-document", "document: expected one", later | {"document": None}),
        ("dispute-about-a-licence", "subject: expected a work", {"subject": identifier("lic", 1)}),
        ("dispute-without-a-word", "text: expected 1 to", {"text": " "}),
        ("dispute-with-hidden-characters", "text: expected printable", {"text": "mine\u202e"}),
        ("dispute-with-evidence-twice", "evidence: expected each", {"evidence": ["log:3", "log:3"]}),
        ("dispute-with-a-link-for-evidence", "evidence[0]: expected", {"evidence": ["https://x.example"]}),
    ):
        at = log.add(_sealed_raw(_raw(opened) | changes, artist, "dispute-step"))
        yield _file(name, registry.file(at, artist.genesis_index), registry, MALFORMED, message)
    yield from _appeal_cases(registry, artist, opened, decision)


def _appeal_cases(
    registry: Registry, artist: Account, opened: kinds.DisputeStep, decision: kinds.DisputeStep
) -> Iterator[Case]:
    """What follows a decision: of whoever lost under its key, of another operator or the office under the office's."""
    office, log, own = registry.working["office"], registry.log, [artist.genesis_index]
    appealable = msgspec.structs.replace(decision, appeal_until="2026-12-06T12:00:00.000Z")
    reviewed = msgspec.structs.replace(decision, step="review", account=identifier("opr", 2), outcome="dismissed")
    unappealed = msgspec.structs.replace(decision, step="end")
    appeal = msgspec.structs.replace(opened, step="appeal", document="d" * 64)
    accepted = msgspec.structs.replace(appeal, step="accept", outcome="dismissed")
    for name, step, signer, keys, message in (
        ("dispute-decided-until-an-appeal", appealable, office, [], ""),
        ("dispute-appealed", appeal, artist.key, own, ""),
        ("dispute-appealed-by-the-registry", appeal, office, own, ""),  # in a page without scripts
        ("dispute-accepted", accepted, artist.key, own, ""),
        ("dispute-accepted-by-the-registry", accepted, office, own, "may only tighten (attested"),
        ("dispute-reviewed", reviewed, office, [], ""),
        ("dispute-ended", unappealed, office, [], ""),
        ("dispute-reviewed-by-a-party", reviewed, artist.key, [], "signatures"),
        ("dispute-ended-by-a-party", unappealed, artist.key, [], "signatures"),
    ):
        at = log.add(envelopes.seal(step, signer))
        yield _file(name, registry.file(at, *keys), registry, UNTRUE if message else None, message)
    for name, message, step, changes in (
        ("dispute-appealed-with-an-outcome", "outcome: expected none", appeal, {"outcome": "upheld"}),
        ("dispute-accepted-without-an-outcome", "outcome: expected one", accepted, {"outcome": None}),
        ("dispute-opened-until-an-appeal", "appeal_until: expected none", opened, {"appeal_until": opened.issued_at}),
        ("dispute-decided-until-some-day", "appeal_until: expected RFC 3339", decision, {"appeal_until": "soon"}),
        ("dispute-reviewed-by-an-account", "genesis: expected none", reviewed, {"genesis": artist.genesis}),
    ):
        at = log.add(_sealed_raw(_raw(step) | changes, artist, "dispute-step"))
        yield _file(name, registry.file(at, artist.genesis_index), registry, MALFORMED, message)


def split_cases() -> Iterator[Case]:
    """Yield logs of splits and answers with the shares that are in force at their end (null: none), or their lie."""
    ada, ben, cay = (identifier("art", number) for number in (1, 2, 3))
    geneses = {ada: "a" * 64, ben: "b" * 64, cay: "c" * 64}
    ref = Registry().ref
    names = iter(range(1, 1000))

    def split(whose: dict[str, int], replaces: Any = None, **changes: Any) -> dict[str, Any]:
        parts = [{"account": each, "genesis": geneses[each], "bps": bps} for each, bps in sorted(whose.items())]
        fields = {
            "type": "split",
            "registry": _raw(ref),
            "split": identifier("spl", next(names)),
            "account": ada,
            "genesis": geneses[ada],
            "works": [{"work": identifier("wrk", 1), "digest": "1" * 64}],
            "shares": parts,
            "replaces": None if replaces is None else _digest(replaces),
            "issued_at": "2026-11-22T12:00:00.000Z",
            "nonce": "a split of two",
            "v": 1,
        }
        return fields | changes

    def answer(to: dict[str, Any], by: str, said: str = "accept", **changes: Any) -> dict[str, Any]:
        fields = {
            "type": "split-answer",
            "registry": _raw(ref),
            "split": to["split"],
            "document": _digest(to),
            "account": by,
            "genesis": geneses[by],
            "answer": said,
            "issued_at": "2026-11-22T12:00:00.000Z",
            "nonce": f"an answer of {by}",
            "v": 1,
        }
        return fields | changes

    def case(
        name: str, *told: dict[str, Any], shares: dict[str, int] | None = None, error: str | None = None,
        message: str = "", days: int = 0,
    ) -> Case:  # fmt: skip
        """``days``: how long after the first one the last one is logged, beside a second for each."""
        log = []
        for place, payload in enumerate(told):
            day = days if place == len(told) - 1 else 0
            time = f"{'2026-12' if day < 31 else '2027-01'}-{1 + day % 31:02d}T00:00:{place:02d}.000Z"
            log.append({"index": 10 + place, "time": time, "payload": payload})
        return {"name": name, "error": error, "message": message, "shares": shares, "log": log}

    two = split({ada: 6000, ben: 4000})
    three = split({ada: 5000, ben: 3000, cay: 2000})
    yield case("everybody-has-signed", two, answer(two, ben), shares={ada: 6000, ben: 4000})
    yield case("one-of-three-has-not-signed", three, answer(three, ben))
    yield case("one-signed-twice-and-one-never", three, answer(three, ben), answer(three, ben, nonce="once more again"))
    yield case("declined-and-then-signed", two, answer(two, ben, "decline"), answer(two, ben))
    yield case("taken-back-by-who-proposed-it", two, answer(two, ada, "decline"), answer(two, ben))
    yield case("signed-on-the-thirtieth-day", two, answer(two, ben), shares={ada: 6000, ben: 4000}, days=29)
    yield case("signed-too-late", two, answer(two, ben), days=30)
    without = split({ada: 6000, cay: 4000}, two)
    before = (two, answer(two, ben))
    yield case("cut-without-being-asked", *before, without, answer(without, cay), shares={ada: 6000, ben: 4000})
    yield case(
        "cut-by-consent", *before, without, answer(without, cay), answer(without, ben), shares={ada: 6000, cay: 4000}
    )
    beside = split({ada: 1000, ben: 9000})
    yield case(
        "replaces-what-is-not-in-force-any-more", beside, *before, answer(beside, ben), shares={ada: 6000, ben: 4000}
    )

    def lie(name: str, error: str, message: str, *told: dict[str, Any]) -> Case:
        return case(name, *told, error=error, message=message)

    share = two["shares"]
    yield lie("shares-below-the-whole", MALFORMED, "shares: expected 10000", split({ada: 6000, ben: 3999}))
    yield lie("shares-above-the-whole", MALFORMED, "shares: expected 10000", split({ada: 6000, ben: 4001}))
    yield lie("a-share-of-nothing", MALFORMED, "shares[1].bps: expected 1 to", split({ada: 10_000, ben: 0}))
    yield lie("a-share-below-nothing", MALFORMED, "shares[0].bps: expected 1 to", split({ada: 11_000, ben: -1000}))
    yield lie("one-account-twice", MALFORMED, "each account once", split({}, shares=[share[0] | {"bps": 5000}] * 2))
    yield lie("accounts-in-another-order", MALFORMED, "in rising order", split({}, shares=share[::-1]))
    yield lie("no-shares", MALFORMED, "shares: expected 1 to 100", split({}))
    yield lie("no-works", MALFORMED, "works: expected 1 to 1000", split({ada: 6000, ben: 4000}, works=[]))
    yield lie(
        "one-work-twice", MALFORMED, "works: expected each work", split({ada: 6000, ben: 4000}, works=two["works"] * 2)
    )
    yield lie("shared-with-oneself", UNTRUE, "expected somebody to share with", split({ada: 10_000}))
    other = [each | {"genesis": "d" * 64} for each in share]
    yield lie("another-genesis-of-who-proposes", UNTRUE, "that it signs by", split({}, shares=other))
    moved = split({ada: 5000, ben: 5000}, two, shares=[share[0], share[1] | {"genesis": "d" * 64}])
    yield lie("another-genesis-than-before", UNTRUE, "that it had", *before, moved)
    yield lie(
        "replaces-what-was-never-agreed", UNTRUE, "expected to replace a split", two, split({ada: 6000, ben: 4000}, two)
    )
    yield lie("replaces-what-is-nowhere", UNTRUE, "none of digest", split({ada: 6000, ben: 4000}, replaces="e" * 64))
    yield lie("answer-to-nothing", UNTRUE, "none of digest", two, answer(two, ben, document="e" * 64))
    yield lie(
        "answer-to-another-name", UNTRUE, "expected an answer to", two, answer(two, ben, split=identifier("spl", 0))
    )
    yield lie("answer-by-a-stranger", UNTRUE, "an answer of who has a share", two, answer(two, cay))
    yield lie("answer-by-who-proposed", UNTRUE, "an answer of who has a share", two, answer(two, ada))
    yield lie("answer-by-another-genesis", UNTRUE, "an answer of who has", two, answer(two, ben, genesis="d" * 64))
    yield lie("an-answer-that-is-neither", MALFORMED, "answer", two, answer(two, ben, "perhaps"))
    yield lie("one-document-twice", UNTRUE, "got two", two, two)
    yield lie("one-name-for-two-documents", UNTRUE, "got two", two, split({ada: 1, ben: 9999}, split=two["split"]))


def _digest(payload: Any) -> str:
    return payload if isinstance(payload, str) else sha256(canonical.encode(payload)).hexdigest()


def write() -> dict[str, str]:
    """Return the content of every vector file by name."""
    parts = {
        "envelopes.json": envelope_cases(),
        "passkeys.json": passkey_cases(),
        "splits.json": split_cases(),
        "statement_files.json": statement_file_cases(),
    }
    return {name: json.dumps(list(cases), ensure_ascii=False, indent=1) + "\n" for name, cases in parts.items()}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, content in write().items():
        (FOLDER / name).write_text(content, encoding="utf-8")
