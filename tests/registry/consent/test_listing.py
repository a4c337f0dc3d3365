"""Pages of one's own works are planned for the filters that are asked for, however often they were asked before."""

from __future__ import annotations

import pytest

from tests.registry.catalogue import artist
from tests.registry.harness import Running

pytestmark = pytest.mark.anyio

_PLANS = """
select coalesce(sum(generic_plans), 0) as generic, coalesce(sum(custom_plans), 0) as custom
from pg_prepared_statements
where statement like '%order by w.registered_at desc%limit%' and statement not like '%pg_prepared_statements%'
"""


async def test_no_page_of_works_is_read_by_a_plan_for_all_filters(site: Running) -> None:
    ada = await artist(site, "Ada")
    for _ in range(8):  # a server takes one plan for all from the sixth time on, where it looks no dearer
        assert (await ada.http.get("/v1/works?withdrawn=false&limit=7")).status_code == 200
    async with site.services.database.acquire() as conn:
        plans = await conn.fetchrow(_PLANS)
    assert plans is not None
    assert (plans["generic"], plans["custom"] >= 8) == (0, True), dict(plans)
