"""Who may sign for an account (semantics 1 to 3): what the service accepts, an outsider verifies; and nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from licet import times
from licet.canonical import from_base64
from licet.errors import VerificationError
from licet.statements import envelope as envelopes
from licet.statements import kinds
from licet.statements.envelope import Envelope
from licet.statements.keys import SigningKey, keyid_of
from licet.statements.kinds import Consent
from licet.statements.statement_file import VerifiedStatement, verify_statement_file
from licet.statements.trust import Trust
from licet.statements.webauthn import EDDSA
from licet.terms import Terms
from licet.wire.accounts import AccountCreated, DelegationInfo, EventInfo, KeyInfo, Me, Recovered
from licet.wire.common import Page, StatementFile
from registry import translog
from tests.registry import keymaking as make
from tests.registry.catalogue import NO_AI, PAID, RESEARCH, Artist, accepted, artist, fingerprinted
from tests.registry.harness import Account, Running, genesis

pytestmark = pytest.mark.anyio


async def two_works(ada: Artist) -> list[str]:
    return [outcome.work for outcome in await ada.register(fingerprinted(1), fingerprinted(2))]


async def stated(ada: Artist, works: Sequence[str], terms: Terms, key: make.Key) -> Any:
    drafted = await ada.draft(works, terms)
    payload = msgspec.json.decode(from_base64(drafted.payload), type=Consent)
    return await ada.submit(make.signed(ada.site, payload, key), works)


async def proven(site: Running, statement: str) -> VerifiedStatement:
    """What a stranger who knows only the root makes of the statement's file."""
    file = msgspec.json.decode((await site.http.get(f"/v1/statements/{statement}")).content, type=StatementFile)
    ref = site.services.keys
    return verify_statement_file(file, Trust(ref.origin, ref.root.public.hex()))


@pytest.mark.parametrize("cose", [-7, -8])
async def test_rule_1_an_account_can_be_opened_and_spoken_for_by_a_passkey_alone(site: Running, cose: int) -> None:
    hers = make.passkey(site, cose=cose)
    ref = site.services.keys.ref
    plain = envelopes.read_as(kinds.KeyRegister, genesis(ref, SigningKey.generate()))
    envelope = make.signed(site, msgspec.structs.replace(plain, key=hers.passkey), hers)
    answer = await site.post("/v1/accounts", {"name": "Mei", "envelope": msgspec.to_builtins(envelope)})
    assert answer.status_code == 201, answer.text
    created = msgspec.json.decode(answer.content, type=AccountCreated)
    token = created.token.token
    mei = Artist(site, Account(created.account, created.genesis, SigningKey.generate(), token, site.client(token)))
    works = await two_works(mei)
    verified = await proven(site, accepted(await stated(mei, works, PAID, hers)).statement)
    assert verified.anchored
    me = msgspec.json.decode((await mei.http.get("/v1/me")).content, type=Me)
    assert [(key.keyid, key.alg) for key in me.keys] == [(hers.keyid, "webauthn")]
    refused = await stated(mei, works, NO_AI, make.passkey(site))
    assert refused.status_code == 403


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"rp_id": "e.example", "origins": ["https://e.example"]}, "/key/rp_id"),
        ({"origins": ["http://localhost:1"]}, "/key/origins"),
    ],
)
async def test_a_passkey_of_another_site_is_no_key_here(site: Running, change: dict[str, Any], expected: str) -> None:
    ada = await artist(site)
    hers = make.passkey(site)
    hers.passkey = msgspec.structs.replace(hers.passkey, **change)
    hers.keyid = keyid_of(hers.passkey)
    envelope = make.signed(
        site,
        make.registration(site, ada.account, hers),
        hers,
        ada.account.key,
        origin=hers.passkey.origins[0],
        rp_id=hers.passkey.rp_id,
    )
    refused = await make.post(site, ada.account, "/v1/keys", envelope)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == expected


async def test_rule_1_a_further_key_is_signed_by_itself_and_by_a_live_root_key(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    second, passkey = SigningKey.generate(), make.passkey(site, cose=EDDSA)
    payload = make.registration(site, ada.account, second)
    for keys in ((second,), (ada.account.key,), (ada.account.key, second), (second, eve.account.key), (second, second)):
        refused = await make.send(site, ada.account, "/v1/keys", payload, *keys)
        assert refused.status_code == 403, keys
    envelope = make.signed(site, payload, second, ada.account.key)
    first = make.kept(await make.post(site, ada.account, "/v1/keys", envelope))
    again = make.kept(await make.post(site, ada.account, "/v1/keys", envelope))
    assert (again.statement, again.log_index, again.keyid) == (first.statement, first.log_index, second.keyid)
    stolen = await make.post(site, eve.account, "/v1/keys", envelope)
    assert stolen.status_code == 409
    by_second = make.registration(site, ada.account, passkey)
    added = make.kept(await make.send(site, ada.account, "/v1/keys", by_second, passkey, second))
    assert (await proven(site, added.statement)).kind == "key-register"
    works = await two_works(ada)
    verified = await proven(site, accepted(await stated(ada, works, PAID, passkey)).statement)
    assert any(passkey.keyid in check for check in verified.checks)
    hers = make.registration(site, eve.account, second)
    taken = await make.send(site, eve.account, "/v1/keys", hers, second, eve.account.key)
    assert taken.status_code == 409


async def test_a_key_statement_follows_the_last_one_or_is_signed_anew(site: Running) -> None:
    ada = await artist(site)
    keys = [SigningKey.generate() for _ in range(3)]
    head = ada.account.genesis
    for key in keys[:2]:
        payload = make.registration(site, ada.account, key, prev=head)
        envelope = make.signed(site, payload, key, ada.account.key)
        added = make.kept(await make.post(site, ada.account, "/v1/keys", envelope))
        head = envelope.payload_digest
    stale = make.registration(site, ada.account, keys[2], prev=ada.account.genesis)
    refused = await make.send(site, ada.account, "/v1/keys", stale, keys[2], ada.account.key)
    assert (refused.status_code, refused.json()["detail"][:5]) == (409, "prev:")
    file = msgspec.json.decode((await site.http.get(f"/v1/statements/{added.statement}")).content, type=StatementFile)
    trust = Trust(site.services.keys.origin, site.services.keys.root.public.hex())
    checks = verify_statement_file(file, trust).checks
    assert "which has 3 statements, each naming the one before it" in checks[-1]
    history = [each for each in file.keys if each.envelope.kind == "key-register"]
    lying = msgspec.structs.replace(file, keys=[each for each in file.keys if each is not history[1]])
    with pytest.raises(VerificationError, match="one is left out between them"):
        verify_statement_file(lying, trust)


async def test_a_key_of_the_registry_is_nobodys(site: Running) -> None:
    ada = await artist(site)
    office = site.services.keys.office
    payload = make.registration(site, ada.account, office)
    refused = await make.send(site, ada.account, "/v1/keys", payload, office, ada.account.key)
    assert refused.status_code == 403
    founded = genesis(site.services.keys.ref, office)
    refused = await site.post("/v1/accounts", {"name": "Eve", "envelope": msgspec.to_builtins(founded)})
    assert refused.status_code == 400


async def test_rule_3_a_revoked_key_counts_only_where_it_tightens(site: Running) -> None:
    ada = await artist(site)
    works = await two_works(ada)
    second = SigningKey.generate()
    await make.add(site, ada.account, second)
    path = f"/v1/keys/{second.keyid}/revoke"
    other = await make.send(
        site, ada.account, path, make.revocation(site, ada.account, ada.account.key.keyid), ada.account.key
    )
    assert other.status_code == 400
    revoked = make.kept(
        await make.send(site, ada.account, path, make.revocation(site, ada.account, second.keyid), ada.account.key)
    )
    assert (await stated(ada, works, PAID, second)).status_code == 403
    tightened = accepted(await stated(ada, works, NO_AI, second))
    assert tightened.log_index > revoked.log_index
    verified = await proven(site, tightened.statement)
    assert "counts only where it tightens" in verified.checks
    page = msgspec.json.decode((await ada.http.get("/v1/keys?active=false")).content, type=Page[KeyInfo])
    assert [(key.keyid, key.revoked_from) for key in page.items] == [(second.keyid, revoked.log_index)]
    adding = make.registration(site, ada.account, third := SigningKey.generate())
    assert (await make.send(site, ada.account, "/v1/keys", adding, third, second)).status_code == 403


async def test_rule_3_a_revocation_reaches_back_to_the_last_tightening_at_most(site: Running) -> None:
    ada = await artist(site)
    works = await two_works(ada)
    second = SigningKey.generate()
    await make.add(site, ada.account, second)
    initial = accepted(await stated(ada, works, PAID, second))
    tightened = accepted(await stated(ada, works, NO_AI, ada.account.key))
    path = f"/v1/keys/{second.keyid}/revoke"
    for start in (0, initial.log_index, tightened.log_index):
        payload = make.revocation(site, ada.account, second.keyid, start)
        refused = await make.send(site, ada.account, path, payload, ada.account.key)
        assert refused.status_code == 400, start
        assert refused.json()["errors"][0]["pointer"] == "/from_index"
    for start in (-1, 10**9):
        payload = make.revocation(site, ada.account, second.keyid, start)
        assert (await make.send(site, ada.account, path, payload, ada.account.key)).status_code == 400
    payload = make.revocation(site, ada.account, second.keyid, tightened.log_index + 1)
    make.kept(await make.send(site, ada.account, path, payload, ada.account.key))
    page = msgspec.json.decode((await ada.http.get("/v1/keys?active=false")).content, type=Page[KeyInfo])
    assert page.items[0].revoked_from == tightened.log_index + 1
    assert (await proven(site, initial.statement)).anchored


async def test_a_rotated_key_gives_way_at_once(site: Running) -> None:
    ada = await artist(site)
    works = await two_works(ada)
    old, new = ada.account.key, SigningKey.generate()
    payload = make.rotation(site, ada.account, old.keyid, new)
    wrong = await make.send(site, ada.account, f"/v1/keys/{new.keyid}/rotate", payload, new, old)
    assert wrong.status_code == 400
    rotated = make.kept(await make.send(site, ada.account, f"/v1/keys/{old.keyid}/rotate", payload, new, old))
    assert rotated.keyid == new.keyid
    assert (await stated(ada, works, PAID, old)).status_code == 403
    verified = await proven(site, accepted(await stated(ada, works, PAID, new)).statement)
    assert verified.anchored
    assert (await proven(site, rotated.statement)).kind == "key-rotate"


async def test_rule_2_a_delegate_acts_inside_its_delegation_and_the_artist_is_told(site: Running) -> None:
    ada = await artist(site)
    works = await two_works(ada)
    agency = SigningKey.generate()
    await make.add(site, ada.account, agency, "delegate")
    assert (await stated(ada, works, RESEARCH, agency)).status_code == 403

    async def delegate(*scope: str, key: SigningKey = ada.account.key, **more: Any) -> Any:
        payload = make.delegation(site, ada.account, agency.keyid, *scope, **more)
        return await make.send(site, ada.account, "/v1/delegations", payload, key)

    assert (await delegate("consent", key=agency)).status_code == 403
    assert (await delegate("consent", days=91)).status_code == 403
    assert (await delegate("key-register")).status_code == 403
    given = make.kept(await delegate("consent", works=1))
    assert (await stated(ada, works, RESEARCH, agency)).status_code == 403
    assert (
        await ada.submit(make.signed(site, *[await _withdrawal(ada, works[:1])], agency), works[:1])
    ).status_code == 403
    make.kept(await delegate("consent", works=2))
    first = accepted(await stated(ada, works, RESEARCH, agency))
    verified = await proven(site, first.statement)
    assert any("within what was delegated" in check for check in verified.checks)
    loosened = accepted(await stated(ada, works, PAID, agency))
    assert (loosened.effect, loosened.pending_until is not None) == ("loosen", True)
    events = msgspec.json.decode(
        (await ada.http.get("/v1/events?kind=delegate-signed")).content, type=Page[EventInfo]
    ).items
    assert [event.subject for event in events] == [loosened.statement, first.statement]
    assert agency.keyid in events[0].detail
    third = make.registration(site, ada.account, other := SigningKey.generate())
    assert (await make.send(site, ada.account, "/v1/keys", third, other, agency)).status_code == 403
    page = msgspec.json.decode((await ada.http.get("/v1/delegations")).content, type=Page[DelegationInfo])
    assert [(each.works, each.scope) for each in page.items] == [(2, ["consent"]), (1, ["consent"])]
    assert page.items[1].statement == given.statement
    assert (await proven(site, given.statement)).kind == "delegation"


async def test_rule_2_a_delegation_about_to_end_carries_no_statement(
    site: Running,
) -> None:
    ada = await artist(site)
    works = await two_works(ada)
    agency = SigningKey.generate()
    await make.add(site, ada.account, agency, "delegate")
    payload = make.delegation(site, ada.account, agency.keyid, "consent", days=4 / 1440)
    make.kept(await make.send(site, ada.account, "/v1/delegations", payload, ada.account.key))
    refused = await stated(ada, works, NO_AI, agency)
    assert refused.status_code == 403
    assert "for 5 minutes more" in refused.json()["detail"]


async def test_rule_2_what_the_registry_attests_only_tightens(site: Running) -> None:
    ada = await artist(site)
    works = await two_works(ada)

    async def attest(terms: Terms, http: Any = None, **changes: Any) -> Any:
        drafted = await ada.draft(works, terms)
        body = {
            "envelope": {"payload": drafted.payload, "payloadType": drafted.payload_type, "signatures": [], **changes},
            "works": works,
        }
        return await site.post("/v1/statements/attest", body, http=http or ada.http)

    assert (await attest(PAID)).status_code == 403
    signature = {"keyid": ada.account.key.keyid, "sig": "AAAA"}
    assert (await attest(NO_AI, signatures=[signature])).status_code == 400
    eve = await artist(site, "Eve")
    assert (await attest(NO_AI, http=eve.http)).status_code == 400
    denied = accepted(await attest(NO_AI))
    verified = await proven(site, denied.statement)
    assert any("attested by the registry" in check for check in verified.checks)
    assert (await attest(RESEARCH)).status_code == 403
    by_her = accepted(await stated(ada, works, RESEARCH, ada.account.key))
    assert by_her.effect == "loosen"
    assert accepted(await attest(NO_AI)).effect == "tighten"


async def test_rule_1_a_recovered_key_may_only_tighten_and_every_verification_says_so(site: Running) -> None:
    ada = await artist(site)
    works = await two_works(ada)
    codes = ["0000-1111-2222-3333-4444-555" + digit for digit in "67"]
    digests = sorted(sha256(code.encode()).hexdigest() for code in codes)

    async def keep(*keys: make.Key, age: int = 0, **changes: Any) -> Any:
        issued = times.to_text(times.now() - timedelta(seconds=age))
        payload = msgspec.structs.replace(make.codes(site, ada.account, *codes), issued_at=issued, **changes)
        return await make.send(site, ada.account, "/v1/recovery-codes", payload, *keys)

    agency = SigningKey.generate()
    await make.add(site, ada.account, agency, "delegate")
    assert (await keep(SigningKey.generate())).status_code == 403
    assert (await keep(agency)).status_code == 403
    assert (await keep(ada.account.key, digests=digests[::-1])).status_code == 400
    assert (await keep(ada.account.key, account="art_" + "0" * 26)).status_code == 400
    kept = await keep(ada.account.key)
    assert (kept.status_code, kept.json()) == (201, {"codes": 2})
    assert (await keep(ada.account.key, age=60)).status_code == 409

    async def recover(code: str, envelope: Envelope) -> Any:
        body = {"account": ada.id, "code": code, "envelope": msgspec.to_builtins(envelope)}
        return await site.post("/v1/recoveries", body)

    new = SigningKey.generate()
    envelope = make.signed(site, make.registration(site, ada.account, new, "recovered"), new)
    assert (await recover("0000-1111-2222-3333-4444-5558", envelope)).status_code == 403
    assert (await recover("nonsense", envelope)).status_code == 400
    root = make.signed(site, make.registration(site, ada.account, new, "root"), new)
    assert (await recover(codes[0], root)).status_code == 400
    forged = make.signed(site, make.registration(site, ada.account, new, "recovered"), agency)
    assert (await recover(codes[0], forged)).status_code == 403
    answer = await recover(codes[0], envelope)
    assert answer.status_code == 201, answer.text
    recovered = msgspec.json.decode(answer.content, type=Recovered)
    again = msgspec.json.decode((await recover(codes[0], envelope)).content, type=Recovered)
    assert (again.key.statement, again.token.id) == (recovered.key.statement, recovered.token.id)
    other = make.signed(site, make.registration(site, ada.account, late := SigningKey.generate(), "recovered"), late)
    assert (await recover(codes[0], other)).status_code == 403

    back = Artist(site, Account(ada.id, ada.account.genesis, new, again.token.token, site.client(again.token.token)))
    assert (await stated(back, works, PAID, new)).status_code == 403
    verified = await proven(site, accepted(await stated(back, works, NO_AI, new)).statement)
    assert any("recovered at" in check for check in verified.checks)
    taking = make.revocation(site, ada.account, ada.account.key.keyid)
    path = f"/v1/keys/{ada.account.key.keyid}/revoke"
    assert (await make.send(site, back.account, path, taking, new)).status_code == 403
    events = msgspec.json.decode((await ada.http.get("/v1/events")).content, type=Page[EventInfo]).items
    assert events[0].kind == "key-recovered"


async def test_rule_3_no_loosening_gets_an_index_after_the_revocation_of_its_key(site: Running) -> None:
    ada = await artist(site)
    works = await two_works(ada)
    for _ in range(8):
        key = SigningKey.generate()
        await make.add(site, ada.account, key)
        path = f"/v1/keys/{key.keyid}/revoke"
        signed, revoked = await asyncio.gather(
            stated(ada, works, PAID, key),
            make.send(site, ada.account, path, make.revocation(site, ada.account, key.keyid), ada.account.key),
        )
        make.kept(revoked)
        if signed.status_code == 201:
            assert (await proven(site, accepted(signed).statement)).anchored
        else:
            assert signed.status_code == 403
        accepted(await stated(ada, works, NO_AI, ada.account.key))


async def test_rule_3_nothing_gets_between_the_place_of_a_revocation_in_the_log_and_its_commit(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await artist(site)
    works = await two_works(ada)
    key = SigningKey.generate()
    await make.add(site, ada.account, key)
    honest, signing = translog.submit, list[asyncio.Task[Any]]()

    async def submit(conn: Any, kind: str, *arguments: Any) -> int:
        pending = await honest(conn, kind, *arguments)
        if kind == "key-revoke":
            signing.append(asyncio.create_task(stated(ada, works, PAID, key)))
            await asyncio.wait(signing, timeout=1)
        return pending

    monkeypatch.setattr(translog, "submit", submit)
    path = f"/v1/keys/{key.keyid}/revoke"
    revocation = make.revocation(site, ada.account, key.keyid)
    make.kept(await make.send(site, ada.account, path, revocation, ada.account.key))
    assert (await signing[0]).status_code == 403


async def test_two_keys_that_end_each_other_at_once_leave_one(site: Running) -> None:
    ada = await artist(site)
    for _ in range(4):
        second = SigningKey.generate()
        await make.add(site, ada.account, second)
        first = ada.account.key
        ended = await asyncio.gather(
            *(
                make.send(
                    site,
                    ada.account,
                    f"/v1/keys/{key.keyid}/revoke",
                    make.revocation(site, ada.account, key.keyid),
                    key,
                )
                for key in (first, second)
            )
        )
        assert sorted(each.status_code for each in ended) == [201, 409]
        left = first if ended[0].status_code == 409 else second
        ada = Artist(site, replace(ada.account, key=left))
    page = msgspec.json.decode((await ada.http.get("/v1/keys?active=true")).content, type=Page[KeyInfo])
    assert [key.keyid for key in page.items] == [ada.account.key.keyid]


async def test_a_false_file_of_ours_is_still_refused(site: Running) -> None:
    ada = await artist(site)
    second = SigningKey.generate()
    added = await make.add(site, ada.account, second)
    file = msgspec.json.decode((await site.http.get(f"/v1/statements/{added.statement}")).content, type=StatementFile)
    ref = site.services.keys
    forged = msgspec.structs.replace(file, keys=[*file.keys[:4], file.keys[-1]])
    with pytest.raises(VerificationError):
        verify_statement_file(forged, Trust(ref.origin, ref.root.public.hex()))


async def _withdrawal(ada: Artist, works: Sequence[str]) -> Any:
    return msgspec.json.decode(from_base64((await ada.withdrawal(works)).payload), type=kinds.WorkUpdate)
