"""Open duties, in the register and on its pages, for as long as they are open; nobody is named who caused one."""

from __future__ import annotations

import pytest

from registry.portal.register.pages import ROOM
from tests.registry.duties.talks import done, revocable_terms, revoke
from tests.registry.harness import Running
from tests.registry.market import shelf, trainer
from tests.registry.register.test_register import dataset, trained

pytestmark = pytest.mark.anyio


async def test_what_is_due_is_in_the_register_until_it_is_done(site: Running, snapshot: str):
    mine, lab = await shelf(site, revocable_terms(0, "retire-model"), 2), await trainer(site, "Wick Labs")
    licence = await lab.license(mine.wanted())
    made = await dataset(lab, snapshot, name="wicks", licences=[licence.licence])
    await trained(lab, made, snapshot, model="acme/lantern", version="1", licences=[licence.licence])
    await trained(lab, made, snapshot, model="acme/candle", version="7")
    models = {each["name"]: each["model"] for each in (await lab.http.get("/v1/models")).json()["items"]}
    duty = await revoke(mine, licence)
    due = {"effect": "retire-model", "works": 2, "due_at": duty.due_at, "overdue": True}

    async def told() -> list[object]:
        return [
            (await site.http.get(f"/v1/register/datasets/{made[0]}")).json()["duties"],
            *[
                (await site.http.get(f"/v1/register/models/{models[name]}/versions")).json()["items"][0]["duties"]
                for name in ("acme/lantern", "acme/candle")
            ],
        ]

    assert await told() == [[due], [due], []]
    for language in ("en", "zh"):
        w = ROOM.speaks(language)
        for path in (f"datasets/{made[0]}", f"models/{models['acme/lantern']}"):
            page = (await site.http.get(f"/{language}/register/{path}")).text
            for name in ("duties", "retire-model", "overdue"):
                assert w(name) in page
            assert mine.owner.id not in page
        other = (await site.http.get(f"/{language}/register/models/{models['acme/candle']}")).text
        assert w("duties") not in other
    await done(lab, duty)
    assert await told() == [[], [], []]
