"""`verify` finds whatever does not follow from its source, and finds nothing in an honest registry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256

import pytest

from licet.log import checkpoint as checkpoints
from licet.log import tiles
from registry.auditing import Difference, examine, types, verify
from registry.services import Services
from registry.snapshots.publication import segments_folder
from registry.snapshots.publisher import publish
from tests.registry.auditing.month import PER_RUN, Month
from tests.registry.catalogue import NO_AI, PAID, PAID_MORE
from tests.registry.market import shelf

pytestmark = pytest.mark.anyio


@pytest.fixture
async def changed(month: Month) -> AsyncIterator[Changed]:
    """Change rows that the database itself would not let anybody change; everything is put back afterwards."""
    changing = Changed(month.site.services)
    try:
        yield changing
    finally:
        await changing.restore()


class Changed:
    """Statements run with triggers switched off, each with the one that takes it back."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._back: list[str] = []

    async def run(self, statement: str, back: str) -> list[Difference]:
        """Return what `verify` finds after ``statement``."""
        self._back.append(back)
        assert await self._execute(statement) != "UPDATE 0"
        return await verify(self._services)

    async def restore(self) -> None:
        """Take back everything."""
        for statement in reversed(self._back):
            await self._execute(statement)
        assert await verify(self._services) == []

    async def _execute(self, statement: str) -> str:
        async with self._services.database.transaction() as conn:
            await conn.execute("set local session_replication_role = replica")
            return await conn.execute(statement)


async def test_an_honest_registry_has_no_differences(month: Month):
    assert await verify(month.site.services) == []


WORK = "(select work from work_states where own is not null and not withdrawn order by work limit 1)"
LIES = {
    "an entry": (
        "log",
        (
            "update log_entries set entry = replace(convert_from(entry, 'UTF8'), 'consent', 'licence')::bytea"
            " where index = (select min(index) from log_entries where entry like '%\"consent\"%')"
        ),
        (
            "update log_entries e set entry = replace(convert_from(entry, 'UTF8'), 'licence', 'consent')::bytea"
            " from log_pending p where p.id = e.pending and p.kind = 'consent' and entry like '%\"licence\"%'"
        ),
    ),
    "a leaf hash": (
        "log",
        "update log_entries set leaf_hash = sha256(leaf_hash) where index = 5",
        "update log_entries set leaf_hash = sha256('\\x00'::bytea || entry) where index = 5",
    ),
    "a salt": (
        "log",
        "update log_pending set salt = set_byte(salt, 0, 255 - get_byte(salt, 0)) where id = 7",
        "update log_pending set salt = set_byte(salt, 0, 255 - get_byte(salt, 0)) where id = 7",
    ),
    "a tile": (
        "log",
        "update log_tiles set hashes = set_byte(hashes, 40, 255 - get_byte(hashes, 40))",
        "update log_tiles set hashes = set_byte(hashes, 40, 255 - get_byte(hashes, 40))",
    ),
    "the head": (
        "log",
        "update log_head set root = set_byte(root, 0, 255 - get_byte(root, 0))",
        "update log_head set root = set_byte(root, 0, 255 - get_byte(root, 0))",
    ),
    "the right edge": (
        "log",
        "update log_head set frontier = set_byte(frontier, 12, 255 - get_byte(frontier, 12))",
        "update log_head set frontier = set_byte(frontier, 12, 255 - get_byte(frontier, 12))",
    ),
    "the checkpoint": (
        "log",
        "update log_head set checkpoint = replace(checkpoint, chr(8212), '-')",
        "update log_head set checkpoint = regexp_replace(checkpoint, E'\\n- ', E'\\n' || chr(8212) || ' ')",
    ),
    "a claim level": (
        "accounts",
        "update accounts set level = 4 where level = 3",
        "update accounts set level = 3 where level = 4",
    ),
    "an identity": (
        "accounts",
        "update accounts set genesis = reverse(genesis) where id = (select min(id::text)::uuid from accounts)",
        "update accounts set genesis = reverse(genesis) where id = (select min(id::text)::uuid from accounts)",
    ),
    "a fingerprint": (
        "works",
        (
            "update works set sha256 = set_byte(sha256, 0, 255 - get_byte(sha256, 0))"
            " where id = (select min(id::text)::uuid from works)"
        ),
        (
            "update works set sha256 = set_byte(sha256, 0, 255 - get_byte(sha256, 0))"
            " where id = (select min(id::text)::uuid from works)"
        ),
    ),
    "the terms of a work": (
        "consent",
        f"update work_states set terms = (select max(own) from work_states where own <> terms) where work = {WORK}",
        f"update work_states set terms = own where work = {WORK}",
    ),
    "terms that nobody stated": (
        "consent",
        (
            f"update work_states set own = o.own, terms = o.own from (select max(own) as own from work_states) o"
            f" where work = {WORK}"
        ),
        (
            "update work_states s set own = c.terms, terms = c.terms from statements c where c.id = s.statement"
            f" and work = {WORK}"
        ),
    ),
    "a catalogue that is passed over": (
        "consent",
        "update work_states set catalogue = null, terms = own where catalogue is not null",
        "update work_states s set catalogue = c.terms, terms = c.terms from catalogues c where c.account = s.account",
    ),
    "a statement filed as another": (
        "consent",
        "update statements set effect = 'tighten' where effect = 'initial' and scope = 'catalogue'",
        "update statements set effect = 'initial' where effect = 'tighten' and scope = 'catalogue'",
    ),
    "a work withdrawn in one place": (
        "consent",
        f"update work_states set withdrawn = true where work = {WORK}",
        "update work_states set withdrawn = false",
    ),
    "a version that stayed behind": (
        "consent",
        "update consent_version set version = version - 1000000",
        "update consent_version set version = version + 1000000",
    ),
    "a line of a licence": (
        "licences",
        "update licence_works set amount = amount + 1 where model = 'per-output'",
        "update licence_works set amount = amount - 1 where model = 'per-output'",
    ),
    "an event": (
        "usage",
        "update usage_events set quantity = 7 where unit = 'output' and corrects is null",
        "update usage_events set quantity = 1000003 where unit = 'output' and corrects is null",
    ),
    "an amount": (
        "licences",
        "update usage_events set amount = amount + 1 where unit = 'output' and corrects is null",
        "update usage_events set amount = amount - 1 where unit = 'output' and corrects is null",
    ),
    "an entry of the ledger": (
        "ledger",
        (
            "update entries set amount = amount + 1 where transfer = (select min(id::text)::uuid from transfers)"
            " and amount > 0"
        ),
        (
            "update entries set amount = amount - 1 where transfer = (select min(id::text)::uuid from transfers)"
            " and amount > 0"
        ),
    ),
}


ONE_WORK = "where id = (select min(id::text)::uuid from works)"
FLIP = "set_byte({0}, 0, 255 - get_byte({0}, 0))"
# Column → how it is changed, and changed back, and how the line that is told begins.
COPIES = {
    "the checkpoint that was let out": (
        "log",
        "update log_head set published_checkpoint = replace(published_checkpoint, chr(8212), '-')",
        "update log_head set published_checkpoint = checkpoint",
        "log_head: published_checkpoint",
    ),
    "a statement that is lost": (
        "log",
        "insert into log_queue select pending from log_entries where index = 3",
        "delete from log_queue where pending = (select pending from log_entries where index = 3)",
        "log_pending ",
    ),
    "a key": (
        "accounts",
        f"update account_keys set public = {FLIP.format('public')}",
        f"update account_keys set public = {FLIP.format('public')}",
        "account_keys ",
    ),
    "words to search in": (
        "works",
        f"update works set haystack = 'x' || haystack {ONE_WORK}",
        f"update works set haystack = substr(haystack, 2) {ONE_WORK}",
        "works wrk_",
    ),
    "pieces to search by": (
        "works",
        f"update works set grams = array_append(grams, 'zz') {ONE_WORK}",
        f"update works set grams = array_remove(grams, 'zz') {ONE_WORK}",
        "works wrk_",
    ),
    "a conflict": (
        "works",
        f"update work_states set contested = not contested where work = {WORK}",
        f"update work_states set contested = not contested where work = {WORK}",
        "work_states wrk_",
    ),
    "a match of works that differ": (
        "works",
        (
            "insert into work_matches (work, other, account, other_account, key, distance)"
            " select a.id, b.id, a.account, b.account, 'file', 0 from works a join works b on a.account <> b.account"
            " where a.sha256 <> b.sha256 order by a.id, b.id limit 1"
        ),
        "delete from work_matches where claimed_at is null and key = 'file' and distance = 0",
        "work_matches wrk_",
    ),
    "the end of a chain": (
        "consent",
        "update consent_heads set seq = seq + 1",
        "update consent_heads set seq = seq - 1",
        "consent_heads ",
    ),
    "a catalogue's statement": (
        "consent",
        "update statements set scope = 'works' where scope = 'catalogue'",
        "update statements set scope = 'catalogue' where id in (select statement from catalogues)",
        "catalogues ",
    ),
    "how many works a statement covers": (
        "consent",
        "update statements set works = works + 1 where scope = 'works'",
        "update statements set works = works - 1 where scope = 'works'",
        "statements stm_",
    ),
    "a snapshot's version": (
        "snapshots",
        "update snapshots set consent_version = consent_version + 1",
        "update snapshots set consent_version = consent_version - 1",
        "snapshots ",
    ),
    "a snapshot's segments": (
        "snapshots",
        "update snapshot_segments set size = size + 1",
        "update snapshot_segments set size = size - 1",
        "snapshot_segments ",
    ),
    "what a licence covers": (
        "licences",
        f"update licences set use_key = {FLIP.format('use_key')}",
        f"update licences set use_key = {FLIP.format('use_key')}",
        "licences lic_",
    ),
    "the fee of a licence": (
        "licences",
        "update licences set fee_bps = fee_bps + 1",
        "update licences set fee_bps = fee_bps - 1",
        "licences lic_",
    ),
    "the rows of a dataset": (
        "licences",
        "update datasets set rows = rows + 1",
        "update datasets set rows = rows - 1",
        "datasets dst_",
    ),
    "the model of a run": (
        "licences",
        "update runs set model = model || 'x'",
        "update runs set model = left(model, -1)",
        "runs run_",
    ),
    "the totals of a batch": (
        "licences",
        "update usage_batches set totals = totals || '[1]'",
        "update usage_batches set totals = totals - -1",
        "usage_batches bat_",
    ),
}


@pytest.mark.parametrize("copy", COPIES)
async def test_it_names_table_and_row_of(changed: Changed, copy: str):
    part, statement, back, begins = COPIES[copy]
    found = await changed.run(statement, back)
    named = [difference for difference in found if difference.message.startswith(begins)]
    assert named, found
    assert {difference.part for difference in named} == {part}
    assert all("expected" in difference.message for difference in named)


async def test_it_finds_a_segment_that_is_not_what_its_name_says(month: Month):
    (path, *_) = sorted(segments_folder(month.site.services).iterdir())
    honest = path.read_bytes()
    try:
        path.write_bytes(honest[:-1] + bytes([honest[-1] ^ 1]))
        found = await verify(month.site.services)
        assert [str(each) for each in found if each.part == "snapshots"] == [
            (
                f"snapshots: file snapshots/segments/{path.name}: expected bytes of this digest, "
                f"got {sha256(path.read_bytes()).hexdigest()}"
            )
        ]
        path.unlink()
        assert [each.part for each in await verify(month.site.services)] == ["snapshots"]
    finally:
        path.write_bytes(honest)


async def test_it_finds_a_snapshot_that_says_other_than_the_tables(month: Month, changed: Changed):
    await publish(month.site.services)
    flip = f"update work_states set pending = not pending, waiting = null where work = {WORK} and waiting is null"
    back = (
        f"update work_states set pending = false where work = {WORK}; "
        "alter table work_states add constraint work_states_check check (not pending or waiting is not null)"
    )
    assert await verify(month.site.services) == []
    found = await changed.run(f"alter table work_states drop constraint work_states_check; {flip}", back)
    assert any("state_root" in each.message for each in found), found


@pytest.mark.parametrize("lie", LIES)
async def test_it_finds(changed: Changed, lie: str):
    part, statement, back = LIES[lie]
    found = await changed.run(statement, back)
    assert part in {difference.part for difference in found}, found
    assert all(str(difference) == f"{difference.part}: {difference.message}" for difference in found)


async def test_it_finds_a_published_file_that_is_not_the_log(month: Month):
    log = month.site.services.public / "log"
    size = checkpoints.parse((log / "checkpoint").read_text().partition("\n\n")[0] + "\n").size
    path = log / tiles.entries_path((size - 1) // tiles.WIDTH, (size - 1) % tiles.WIDTH + 1)
    honest = path.read_bytes()
    try:
        path.write_bytes(honest.replace(b"consent", b"licence", 1))
        found = await verify(month.site.services)
        assert [difference.part for difference in found] == ["log"]
        assert found[0].message.startswith("published log: ")
        path.unlink()
        assert [difference.part for difference in await verify(month.site.services)] == ["log"]
    finally:
        path.write_bytes(honest)
    assert await verify(month.site.services) == []


async def test_it_finds_a_restriction_that_was_passed_over(month: Month, changed: Changed):
    works = await shelf(month.site, PER_RUN, 2)
    await works.owner.state(works.works, NO_AI)
    assert await verify(month.site.services) == []
    back = (
        "update work_states s set own = c.terms, terms = c.terms, statement = c.id from statements c"
        f" where c.account = s.account and s.account = '{works.owner.uuid}' and c.effect = "
    )
    found = await changed.run(f"{back}'initial'", f"{back}'tighten'")
    assert [difference.part for difference in found] == ["consent"]
    assert "because it restricts" in found[0].message


async def test_a_loosening_that_waits_is_no_difference(month: Month):
    works = await shelf(month.site, PAID_MORE, 2)
    waiting = await works.owner.state(works.works, PAID)
    assert waiting.pending_until is not None
    await works.owner.withdraw(works.works[:1])
    await works.owner.state(None, NO_AI)
    assert await verify(month.site.services) == []


async def test_every_part_says_how_much_it_read(month: Month):
    parts = await examine(month.site.services)
    assert [part.part for part in parts] == [
        "log", "accounts", "works", "consent", "snapshots", "parts", "licences", "usage", "register", "ledger",
        "months", "settlement",
    ]  # fmt: skip
    idle = {"parts", "months", "settlement"}  # no worker made segments, no month was closed, nobody was invoiced
    assert all(part.examined > 0 for part in parts if part.part not in idle), parts


async def test_words_of_an_older_form_are_named_and_not_compared(month: Month, changed: Changed):
    back = "update works set words = 1, haystack = substr(haystack, 2) where words = 0"
    assert await changed.run("update works set words = 0, haystack = 'x' || haystack where words = 1", back) == []
    (works,) = [part for part in await examine(month.site.services) if part.part == "works"]
    assert "kept in an older form" in works.unexamined[0]


async def test_more_differences_than_are_told_are_counted(month: Month, changed: Changed, monkeypatch):
    monkeypatch.setattr(types, "MOST_TOLD", 3)
    flip = f"update works set sha256 = {FLIP.format('sha256')}"
    assert len([each for each in await changed.run(flip, flip) if each.part == "works"]) == 3
    (works,) = [part for part in await examine(month.site.services) if part.part == "works"]
    async with month.site.services.database.transaction() as conn:
        assert works.wrong >= await conn.fetchval("select count(*) from works") > 3
