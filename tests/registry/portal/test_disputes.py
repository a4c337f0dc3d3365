"""Disputes at the portal: what is signed is shown, what cannot be disputed is said before; scripts are not needed."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
import pytest

from licet.canonical import from_base64, to_base64
from licet.statements.envelope import pae
from licet.statements.kinds import PAYLOAD_TYPE, DisputeStep
from licet.wire.disputes import DisputeShown
from registry.disputes import verification
from registry.portal.artists.alert_words import ALERTS
from registry.portal.frame.languages import LANGUAGES
from tests.registry.harness import Running
from tests.registry.keymaking import SAME_ORIGIN
from tests.registry.portal.people import HTML, Artist, Read, fields_of, joined
from tests.registry.portal.staff import employed
from tests.registry.portal.weighing import asked
from tests.registry.portal.whole import held_whole

pytestmark = pytest.mark.anyio


@pytest.fixture
async def parties(site: Running) -> tuple[Artist, Artist]:
    return await two_parties(site)


async def two_parties(site: Running) -> tuple[Artist, Artist]:
    """Return whoever says that a picture is hers, and whoever registered it."""
    hers, his = await joined(site, "Mei"), await joined(site, "Bao")
    await his.registers(1)
    form = await his.form(f"/en/terms?work={his.works[0]}")
    assert (await his.sends("/en/terms/sign", his.signed(form))).status_code == 303
    return hers, his


def signed(who: Artist, form: dict[str, list[str]]) -> dict[str, Any]:
    """Return the form with the signature of ``who`` over the bytes in it."""
    where = who.site.services.settings.site
    body = from_base64(form["payload"][0])
    challenge = sha256(pae(PAYLOAD_TYPE.format(kind="dispute-step"), body)).digest()
    signature, said = who.key.answer(challenge, origin=where.origins[0], rp_id=where.rp_id)
    return {
        **form,
        "keyid": [who.key.keyid],
        "sig": [to_base64(signature)],
        "authenticator": [said.authenticator_data],
        "client": [said.client_data],
    }


async def drafts(who: Artist, path: str, **fields: str) -> dict[str, list[str]]:
    """Fill the form at ``path`` in, and return that of the page that shows what would be signed."""
    own = (await who.form("/en/account"))["form"]
    shown = await who.sends(path, {"form": own, **fields})
    assert shown.status_code == 200, shown.text
    page = Read(shown.text)
    form = fields_of(shown.text)
    assert from_base64(form["payload"][0]).decode() in page.text  # the very bytes
    return form


async def opens(hers: Artist, his: Artist, *, scripts: bool = True) -> str:
    form = await drafts(hers, "/en/disputes/new", subject=his.works[0], text="I drew it.\r\nIn 2019.")
    done = await hers.sends("/en/disputes/sign", signed(hers, form) if scripts else form)
    assert done.status_code == 303, done.text
    return str(done.headers["location"]).removeprefix("/en")


async def shown(who: Artist, path: str) -> DisputeShown:
    answer = await who.http.get(f"/v1{path}")
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=DisputeShown)


async def test_a_page_with_all_that_was_said_asks_no_more_than_one_of_a_dispute_that_was_just_opened(
    site: Running, parties: tuple[Artist, Artist]
) -> None:
    hers, his = parties
    path = await opens(hers, his)
    operator = await employed(site, "operator", "Ola Berg")
    pages = ((his.http, f"/en{path}"), (operator.http, f"/en/operator{path}"))
    found: list[list[int]] = [[], []]
    with asked() as counted:
        for turn in range(2):
            for http, page in pages:
                assert (await http.get(page, headers=HTML)).status_code == 200
                counted.counted()
                assert (await http.get(page, headers=HTML)).status_code == 200
                found[turn].append(len(counted.counted()))
            if not turn:
                form = await drafts(his, f"/en{path}", step="answer", position="contest", text="Mine.")
                assert (await his.sends("/en/disputes/sign", signed(his, form))).status_code == 303
    assert found[0] == found[1]
    assert max(found[0]) <= 10, found


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_dispute_is_opened_answered_and_taken_back_by_passkeys(
    site: Running, parties: tuple[Artist, Artist], language: str
) -> None:
    hers, his = parties
    page = Read((await hers.http.get(f"/{language}/disputes/new?about={his.works[0]}", headers=HTML)).text)
    assert ("subject", his.works[0]) in page.fields
    path = await opens(hers, his)
    step = msgspec.json.decode(
        from_base64((await shown(hers, path)).steps[0].document.envelope.payload),  # type: ignore[union-attr]
        type=DisputeStep,
    )
    assert step.text == "I drew it.\nIn 2019."  # lines end as in statements
    for who in (hers, his):
        page = await held_whole(who.http, f"/{language}{path}", language)
        assert "In 2019." in page.text
        await held_whole(who.http, f"/{language}/disputes", language)
    assert (await (await joined(site, "Eve")).http.get(f"/en{path}", headers=HTML)).status_code == 404
    refused = await hers.sends(f"/en{path}", {"form": (await hers.form("/en/account"))["form"], "step": "decide"})
    assert refused.status_code == 400
    form = await drafts(his, f"/en{path}", step="answer", position="contest", text="No.", evidence=his.works[0])
    for _ in range(2):  # twice has one effect
        assert (await his.sends("/en/disputes/sign", signed(his, form))).status_code == 303
    page = await held_whole(hers.http, f"/{language}{path}", language)
    assert ("Waits for a decision" if language == "en" else "等裁决") in page.text
    form = await drafts(hers, f"/en{path}", step="withdraw", text="I was wrong.")
    assert (await hers.sends("/en/disputes/sign", signed(hers, form))).status_code == 303
    assert (await shown(his, path)).dispute.state == "withdrawn"
    told = (await his.http.get("/v1/events")).json()["items"]
    assert {"dispute-opened", "dispute-withdrawn"} <= {each["kind"] for each in told}
    home = Read((await his.http.get(f"/{language}/home", headers=HTML)).text)
    assert ("A dispute against you was taken back." if language == "en" else "一个针对你的争议撤回了。") in home.text


async def test_without_scripts_the_registry_attests_what_gives_nothing_up(
    site: Running, parties: tuple[Artist, Artist]
) -> None:
    hers, his = parties
    path = await opens(hers, his, scripts=False)
    (opening,) = (await shown(hers, path)).steps
    assert opening.document is not None
    (signature,) = opening.document.envelope.signatures
    assert (signature.keyid == hers.key.keyid, signature.webauthn) == (False, msgspec.UNSET)
    form = await drafts(his, f"/en{path}", step="answer", position="concede", text="Yes.")
    refused = await his.sends("/en/disputes/sign", form)
    assert (refused.status_code, "needs your own passkey" in refused.text) == (403, True)
    assert (await shown(his, path)).dispute.state == "open"
    form = await drafts(his, f"/en{path}", step="answer", position="contest", text="No.")
    assert (await his.sends("/en/disputes/sign", form)).status_code == 303
    form = await drafts(hers, f"/en{path}", step="withdraw", text="Never mind.")
    assert (await hers.sends("/en/disputes/sign", form)).status_code == 403
    assert (await shown(hers, path)).dispute.state == "answered"
    async with site.services.database.transaction(readonly=True) as conn:
        assert await verification.rebuild(conn) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"subject": "wrk_0000000000000000000000000a"}, "no such picture"),
        ({"subject": "nothing"}, "cannot be disputed"),
        ({"text": "  "}, "say in words"),
        ({"text": "x" * 4001}, "say in words"),
        ({"evidence": "a photograph"}, "numbers of things"),
        ({"evidence": "wrk_0000000000000000000000000a"}, "numbers of things"),
    ],
)
async def test_what_cannot_be_disputed_is_said_before_anything_is_signed(
    parties: tuple[Artist, Artist], fields: dict[str, str], words: str
) -> None:
    hers, his = parties
    own = (await hers.form("/en/account"))["form"]
    given = {"form": own, "subject": his.works[0], "text": "Mine.", **fields}
    refused = await hers.sends("/en/disputes/new", given)
    assert (refused.status_code, words in refused.text) == (400, True)
    assert 'name="payload"' not in refused.text
    assert ("subject", given["subject"]) in Read(refused.text).fields  # what was written stays
    theirs = await hers.sends("/zh/disputes/new", {**given, **fields})
    assert theirs.status_code == 400


async def test_ones_own_picture_cannot_be_disputed(parties: tuple[Artist, Artist]) -> None:
    _, his = parties
    own = (await his.form("/en/account"))["form"]
    refused = await his.sends("/en/disputes/new", {"form": own, "subject": his.works[0], "text": "Mine."})
    assert (refused.status_code, "cannot be disputed" in refused.text) == (400, True)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_operator_who_is_no_party_reads_both_and_decides(
    site: Running, parties: tuple[Artist, Artist], language: str
) -> None:
    hers, his = parties
    path = await opens(hers, his)
    opal = await employed(site, "operator", "Opal")
    page = await held_whole(opal.http, f"/{language}/operator{path}", language)
    assert "In 2019." in page.text
    queue = Read((await opal.http.get(f"/{language}/operator/disputes", headers=HTML)).text)
    assert f"/{language}/operator{path}" in queue.links()
    at = f"/{language}/operator{path}"
    assert not [each for _, each in page.elements if each.get("name") == "outcome"]
    assert ("The other party can answer until" if language == "en" else "对方可以答复到") in page.text
    early = await opal.sends(at, at, outcome="upheld", text="She shows her sketches.")
    assert (early.status_code, "can answer until" in early.text) == (400, True)
    assert "She shows her sketches." in early.text  # nothing that was written is lost
    form = await drafts(his, f"/en{path}", step="answer", position="contest", text="No.")
    assert (await his.sends("/en/disputes/sign", signed(his, form))).status_code == 303
    answered = await held_whole(opal.http, at, language)
    assert [each for _, each in answered.elements if each.get("name") == "outcome"]
    for wrong in ({"outcome": "both", "text": "x"}, {"outcome": "upheld", "text": " "}):
        assert (await opal.sends(at, at, **wrong)).status_code == 400
    for stranger in (hers, his):
        token = (await stranger.form("/en/account"))["form"]
        refused = await stranger.sends(at, {"form": token, "outcome": "upheld", "text": "Me."})
        assert refused.status_code == 404
    own = await opal.form(f"/en/operator{path}")
    for _ in range(2):  # twice has one effect
        done = await opal.http.post(
            at,
            data={"form": own, "outcome": "upheld", "text": "She shows her sketches."},
            headers={**HTML, **SAME_ORIGIN},
        )
        assert done.status_code == 303, done.text
    assert (await shown(his, path)).dispute.state == "decided"
    seen = await held_whole(his.http, f"/{language}{path}", language)
    assert "She shows her sketches." in seen.text
    ended = await held_whole(opal.http, at, language)
    assert not [each for _, each in ended.elements if each.get("name") == "outcome"]
    for who, ruled in ((hers, "ruled_for"), (his, "ruled_against")):
        told = Read((await who.http.get(f"/{language}/alerts", headers=HTML)).text)
        assert str(ALERTS[ruled][language == "zh"]) in told.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_auditors_read_disputes_without_forms_and_operators_are_led_to_theirs(
    site: Running, parties: tuple[Artist, Artist], language: str
) -> None:
    hers, his = parties
    path = await opens(hers, his)
    ada, opal = await employed(site, "auditor", "Ada", hers.id), await employed(site, "operator", "Opal")
    home = Read((await ada.http.get(f"/{language}/auditor", headers=HTML)).text)
    assert f"/{language}/disputes" in home.links()
    for each in ("/disputes", path):
        page = await held_whole(ada.http, f"/{language}{each}", language)
        assert f"/{language}/auditor/entries" in page.links()  # in their own frame
        assert f"/{language}/disputes/new" not in page.links()
        assert not {"step", "position", "text"} & {name for name, _ in page.fields}
        assert ("against you" if language == "en" else "对你") not in page.text
        led = await opal.http.get(f"/{language}{each}", headers=HTML)
        assert (led.status_code, led.headers["location"]) == (303, f"/{language}/operator{each}")
    for who in (ada, opal):
        assert (await who.http.get(f"/{language}/disputes/new", headers=HTML)).status_code == 404
