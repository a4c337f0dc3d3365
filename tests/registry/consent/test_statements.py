"""Accepting statements: in force from COMMIT, provable to strangers, and refused where one part does not hold."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from licet import identifiers, times
from licet.canonical import from_base64, to_base64
from licet.statements import envelope as envelopes
from licet.statements.envelope import Envelope, Signature
from licet.statements.keys import SigningKey
from licet.statements.kinds import CatalogueScope, Consent, RegistryRef, Shown, WorksScope
from licet.statements.receipt import verify_receipt
from licet.statements.statement_file import verify_statement_file
from licet.statements.trust import Trust, verify_registry_keys
from licet.wire.common import StatementFile
from licet.wire.works import WorkOutcome
from tests.registry.catalogue import (
    NO_AI,
    PAID,
    PAID_LESS,
    PAID_MORE,
    RESEARCH,
    Artist,
    accepted,
    artist,
    fingerprinted,
    picture,
    reader_of,
    signed,
)
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio


async def two_works(ada: Artist) -> list[str]:
    outcomes: list[WorkOutcome] = await ada.register(fingerprinted(1), fingerprinted(2))
    return [outcome.work for outcome in outcomes]


async def test_a_statement_is_proven_to_a_stranger_who_knows_only_the_root(site: Running) -> None:
    ada = await artist(site)
    works = await two_works(ada)
    drafted = await ada.draft(works, RESEARCH, "zh-Hans")
    envelope = signed(drafted, ada.account.key)
    answer = accepted(await ada.submit(envelope, works))
    assert (answer.effect, answer.works, answer.pending_until) == ("initial", 2, None)
    assert answer.receipt.id == answer.statement
    assert answer.receipt.in_snapshot_by is not None

    file = msgspec.json.decode((await site.http.get(f"/v1/statements/{answer.statement}")).content, type=StatementFile)
    trust = Trust(site.services.keys.origin, site.services.keys.root.public.hex())
    proven = verify_statement_file(file, trust)
    assert (proven.kind, proven.log_index, proven.anchored) == ("consent", answer.log_index, True)
    of_registry = [each for each in file.keys if each.envelope.kind == "registry-key"]
    assert verify_receipt(answer.receipt, envelope, verify_registry_keys(trust, of_registry)) == answer.log_index


async def test_a_statement_sent_again_is_the_same_statement(site: Running) -> None:
    ada = await artist(site)
    works = await two_works(ada)
    envelope = signed(await ada.draft(works, NO_AI), ada.account.key)
    first, again = [accepted(await ada.submit(envelope, works)) for _ in range(2)]
    assert (first.statement, first.log_index) == (again.statement, again.log_index)
    withdrawal = await ada.withdrawal(works)
    first, again = [accepted(await ada.submit(withdrawal, works)) for _ in range(2)]
    assert first.statement == again.statement


async def test_a_tighten_is_in_the_index_that_the_very_next_question_gets(site: Running) -> None:
    ada = await artist(site)
    work = (await ada.picture(picture(1))).work
    await ada.state([work], PAID)
    before, _, _ = await reader_of(site.services).current()
    answer = await ada.state([work], NO_AI)
    assert (answer.effect, answer.pending_until) == ("tighten", None)
    index, version, size = await reader_of(site.services).current()
    found, old = index.work(work), before.work(work)
    assert found is not None
    assert old is not None
    assert (old.terms, found.terms) == (PAID.encoded, NO_AI.encoded)
    assert found.log_index == answer.log_index < size
    assert version > 0


async def test_a_loosening_waits_and_an_undo_cancels_it(site: Running) -> None:
    ada = await artist(site)
    works = await two_works(ada)
    first = await ada.state(works, NO_AI)
    loosened = await ada.state(works, PAID)
    assert loosened.effect == "loosen"
    entered = times.from_text(msgspec.json.decode(from_base64(loosened.receipt.entry))["time"])
    hold = site.services.settings.loosening_hold
    assert loosened.pending_until == times.to_text(entered + hold)
    shown = (await ada.http.get("/v1/statements")).json()["items"]
    assert [each["pending_until"] is not None for each in shown] == [True, False]
    assert (await ada.work(works[0])).terms_hash == NO_AI.hash
    assert (await ada.work(works[0])).statement == first.statement

    undone = await ada.state(works, NO_AI)  # the same terms once more
    assert (undone.effect, undone.pending_until) == ("tighten", None)
    shown = (await ada.http.get("/v1/statements")).json()["items"]
    assert [each["pending_until"] for each in shown] == [None, None, None]


@pytest.mark.parametrize(
    ("old", "new", "effect"),
    [
        (PAID, PAID_MORE, "tighten"),
        (PAID, PAID_LESS, "loosen"),
        (PAID, PAID, "tighten"),
        (NO_AI, RESEARCH, "loosen"),
        (RESEARCH, PAID, "loosen"),  # they do not compare
    ],
)
async def test_the_effect_is_what_decisions_say(site: Running, old: Any, new: Any, effect: str) -> None:
    ada = await artist(site)
    works = await two_works(ada)
    await ada.state(works, old)
    wrong = {"tighten": "loosen", "loosen": "tighten"}[effect]
    for label in (wrong, "initial"):
        refused = await ada.submit(signed(await ada.draft(works, new), ada.account.key, effect=label), works)
        assert refused.status_code == 400
        error = refused.json()["errors"][0]
        assert error["pointer"] == "/effect"
        assert error["expected"].startswith(effect)
        assert error["got"] == repr(label)
    assert (await ada.state(works, new)).effect == effect


async def test_one_statement_acts_on_each_work_by_what_it_had(site: Running) -> None:
    ada = await artist(site)
    tight, loose, none = [outcome.work for outcome in await ada.register(*(fingerprinted(n) for n in range(3)))]
    await ada.state([tight], PAID_MORE)
    await ada.state([loose], PAID_LESS)
    answer = await ada.state([tight, loose, none], PAID)
    assert answer.effect == "loosen"
    hashes = [(await ada.work(work)).terms_hash for work in (tight, loose, none)]
    assert hashes == [PAID_MORE.hash, PAID.hash, PAID.hash]


@pytest.fixture(scope="module")
async def unsigned(site: Running) -> tuple[Artist, list[str]]:
    """An artist with two works who has signed nothing, and whose statements are all refused."""
    ada = await artist(site)
    return ada, await two_works(ada)


class Tampering:
    """Ways to bend a statement, each with the status that it gets and a word of the answer."""

    other = SigningKey.generate()

    @staticmethod
    def resealed(field: str, value: Any) -> Any:
        def change(ada: Artist, envelope: Envelope) -> Envelope:
            payload = envelopes.read_as(Consent, envelope)
            return envelopes.seal(msgspec.structs.replace(payload, **{field: value}), ada.account.key)

        return change

    @staticmethod
    def body(ada: Artist, envelope: Envelope) -> Envelope:
        body = envelope.body.replace(b'"effect":"initial"', b'"effect":"tighten"')
        return msgspec.structs.replace(envelope, payload=to_base64(body))

    @staticmethod
    def spelling(ada: Artist, envelope: Envelope) -> Envelope:
        return msgspec.structs.replace(envelope, payload=to_base64(envelope.body.replace(b",", b", ", 1)))

    @staticmethod
    def unsigned(ada: Artist, envelope: Envelope) -> Envelope:
        return msgspec.structs.replace(envelope, signatures=[])

    @staticmethod
    def twice(ada: Artist, envelope: Envelope) -> Envelope:
        return msgspec.structs.replace(envelope, signatures=envelope.signatures * 2)

    @staticmethod
    def stranger(ada: Artist, envelope: Envelope) -> Envelope:
        return envelopes.seal(envelopes.read_as(Consent, envelope), Tampering.other)

    @staticmethod
    def borrowed(ada: Artist, envelope: Envelope) -> Envelope:
        forged = envelopes.seal(envelopes.read_as(Consent, envelope), Tampering.other).signatures[0].sig
        return msgspec.structs.replace(envelope, signatures=[Signature(ada.account.key.keyid, forged)])

    @staticmethod
    def kind(ada: Artist, envelope: Envelope) -> Envelope:
        return msgspec.structs.replace(envelope, payload_type="application/vnd.licet.licence+json")


@pytest.mark.parametrize(
    ("tamper", "status", "word"),
    [
        (Tampering.body, 400, "signature"),
        (Tampering.spelling, 400, "canonical"),
        (Tampering.unsigned, 400, "signatures"),
        (Tampering.twice, 400, "signatures"),
        (Tampering.stranger, 403, "key of this account"),
        (Tampering.borrowed, 400, "signature"),
        (Tampering.kind, 400, "payloadType"),
        (Tampering.resealed("registry", RegistryRef("elsewhere/licet", "0" * 64)), 400, "registry"),
        (Tampering.resealed("account", identifiers.new_id("art")), 400, "account"),
        (Tampering.resealed("genesis", "0" * 64), 400, "genesis"),
        (Tampering.resealed("seq", 2), 409, "seq 1"),
        (Tampering.resealed("prev", "0" * 64), 409, "seq 1"),
        (Tampering.resealed("scope", WorksScope(2, "0" * 64)), 400, "root"),
        (Tampering.resealed("scope", WorksScope(3, "0" * 64)), 400, "2 works"),
        (Tampering.resealed("scope", CatalogueScope()), 400, "works"),
        (Tampering.resealed("terms_hash", "0" * 64), 400, "terms_hash"),
        (Tampering.resealed("terms", {"search": {"permission": "allow"}}), 400, "terms"),
        (Tampering.resealed("terms", {**NO_AI.to_json(), "mine": "deny"}), 400, "canonical"),
        (Tampering.resealed("terms", PAID.to_json()), 400, "terms_hash"),
        (Tampering.resealed("shown", Shown("en", "0" * 64)), 400, "text_hash"),
        (Tampering.resealed("shown", Shown("zh-Hans", "0" * 64)), 400, "text_hash"),
        (Tampering.resealed("nonce", "short"), 400, "nonce"),
        (Tampering.resealed("issued_at", "yesterday"), 400, "issued_at"),
        (
            Tampering.resealed("issued_at", "2099-01-01T00:00:00.000Z"),
            400,
            "issued_at: expected a time that is not to come",
        ),
        (Tampering.resealed("vocab", 2), 400, "vocab"),
        (Tampering.resealed("v", 2), 400, "v"),
    ],
)
async def test_a_bent_statement_is_refused_and_leaves_no_trace(
    unsigned: tuple[Artist, list[str]], tamper: Any, status: int, word: str
) -> None:
    ada, works = unsigned
    envelope = tamper(ada, signed(await ada.draft(works, NO_AI), ada.account.key))
    refused = await ada.submit(envelope, works)
    assert refused.status_code == status, refused.text
    assert word in refused.json()["detail"]
    assert (await ada.http.get("/v1/statements")).json()["items"] == []
    assert (await ada.work(works[0])).statement is None


async def test_a_statement_may_be_of_any_past_and_of_a_clock_that_is_a_little_ahead(
    unsigned: tuple[Artist, list[str]],
) -> None:
    ada, works = unsigned
    for issued_at in ("1999-01-01T00:00:00.000Z", times.to_text(times.now() + timedelta(minutes=4))):
        bent = Tampering.resealed("issued_at", issued_at)(ada, signed(await ada.draft(works, NO_AI), ada.account.key))
        assert (await ada.submit(bent, works)).status_code == 201
    late = Tampering.resealed("issued_at", times.to_text(times.now() + timedelta(minutes=6)))
    refused = await ada.submit(late(ada, signed(await ada.draft(works, NO_AI), ada.account.key)), works)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "/issued_at"
    assert "set the clock" in refused.json()["detail"]


async def test_only_exactly_ones_own_standing_works_can_be_named(site: Running) -> None:
    ada, eve = await artist(site), await artist(site, "Eve")
    works = await two_works(ada)
    theirs = (await eve.register(fingerprinted(9)))[0].work
    drafted = await ada.draft(works, NO_AI)
    for named in ([*works, theirs], [*works, identifiers.new_id("wrk")], works[:1], [*works, works[0]], []):
        refused = await ada.submit(signed(drafted, ada.account.key), named)
        assert refused.status_code == 400, named
    body = {"works": [theirs], "terms": NO_AI.to_json()}
    assert (await ada.http.post("/v1/statements/draft", json=body)).status_code == 400
    await ada.state(works, NO_AI)
    await ada.withdraw(works[:1])
    later = await ada.draft(works[1:], NO_AI)
    assert (await ada.submit(signed(later, ada.account.key), works)).status_code == 400


async def test_of_two_statements_with_one_place_in_the_chain_one_is_told_to_draft_again(site: Running) -> None:
    ada = await artist(site)
    works = await two_works(ada)
    drafts = [await ada.draft(works[:1], NO_AI), await ada.draft(works[1:], NO_AI)]
    answers = await asyncio.gather(
        *(ada.submit(signed(drafted, ada.account.key), [work]) for drafted, work in zip(drafts, works, strict=True))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_statements_need_the_scope_register(site: Running) -> None:
    ada = await artist(site)
    works = await two_works(ada)
    envelope = signed(await ada.draft(works, NO_AI), ada.account.key)
    body = {"envelope": msgspec.to_builtins(envelope), "works": works}
    assert (await site.post("/v1/statements", body)).status_code == 401
    made = await site.post("/v1/tokens", {"scopes": ["query"]}, http=ada.http)
    narrow = site.client(made.json()["token"])
    assert (await site.post("/v1/statements", body, http=narrow)).status_code == 403


async def test_a_withdrawn_work_denies_and_says_so(site: Running) -> None:
    ada = await artist(site)
    works = await two_works(ada)
    await ada.state(works, PAID)
    answer = await ada.withdraw(works[:1])
    assert (answer.effect, answer.works) == ("withdraw", 1)
    index, _, _ = await reader_of(site.services).current()
    gone, there = index.work(works[0]), index.work(works[1])
    assert gone is not None
    assert there is not None
    assert (gone.withdrawn, there.withdrawn) == (True, False)
    assert identifiers.from_uuid("stm", UUID(bytes=gone.statement)) == answer.statement
    assert (await ada.work(works[0])).withdrawn


@pytest.mark.parametrize(
    "changes",
    [{"scope": WorksScope(2, "0" * 64)}, {"genesis": "0" * 64}, {"account": "art_0000000000000000000000000"}],
)
async def test_a_bent_withdrawal_is_refused(site: Running, changes: dict[str, Any]) -> None:
    ada = await artist(site)
    works = await two_works(ada)
    refused = await ada.submit(await ada.withdrawal(works, **changes), works)
    assert refused.status_code == 400
    assert not (await ada.work(works[0])).withdrawn


async def test_the_name_of_the_account_is_in_what_is_read(site: Running) -> None:
    ada = await artist(site, "苏堂")
    works = await two_works(ada)
    assert "苏堂" in (await ada.draft(works, NO_AI, "zh-Hans")).text
    assert "2" in (await ada.draft(works, NO_AI)).text
