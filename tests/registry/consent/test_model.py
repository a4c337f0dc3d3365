"""Consent against a plain model: whatever artists do and in whatever order, the service knows what they said.

The model is written from the rules, a work at a time, without groups, plans or SQL. After every step each record must
be the model's, and a mirror that is only ever fed ``changed_since`` must equal a rebuild.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from msgspec.structs import replace as replace_struct

from licet import identifiers, times
from licet.index import WorkRecord
from licet.statements.effect import effect, effect_over
from licet.terms import Terms, merge
from licet.wire.works import WorkChange, WorkIn
from registry import consent
from registry.accounts.identity import Caller
from registry.consent import conflicts
from registry.consent.drafting import draft
from registry.consent.intake import checked
from registry.consent.maturing import mature_due
from registry.consent.planning import DENY_ALL
from registry.consent.service import accept
from registry.errors import Conflict
from registry.services import Services
from registry.works.changing import change
from registry.works.service import register
from tests.conftest import TIMES
from tests.registry.catalogue import (
    NO_AI,
    PAID,
    PAID_MORE,
    RESEARCH,
    Artist,
    artist,
    reader_of,
    registry,
    signed,
)
from tests.registry.harness import Running
from tests.registry.servers import Server

ARTISTS = 3
PICTURES = 2
TERMS = {"no-ai": NO_AI, "research": RESEARCH, "paid": PAID, "dearer": PAID_MORE, "nothing": DENY_ALL}

_worlds = itertools.count(1)


@dataclass
class Work:
    owner: int
    picture: int
    own: Terms | None = None
    catalogue: Terms | None = None
    waits: tuple[str, Terms, int] | None = None  # (own or catalogue, terms, statement)
    pending: bool = False
    withdrawn: bool = False
    statement: int = 0  # the one that speaks for it, counted
    fought: tuple[bool, bool] = (False, False)  # contested and challenged when it was withdrawn, or since

    @property
    def stated(self) -> bool:
        return self.own is not None or self.catalogue is not None

    @property
    def terms(self) -> Terms:
        return merge([terms for terms in (self.own, self.catalogue) if terms is not None])


@dataclass
class Model:
    """What the rules say, as plainly as it can be said."""

    levels: list[int] = field(default_factory=lambda: [0] * ARTISTS)
    catalogues: list[Terms | None] = field(default_factory=lambda: [None] * ARTISTS)
    waiting: list[Terms | None] = field(default_factory=lambda: [None] * ARTISTS)
    speaking: list[int] = field(default_factory=lambda: [0] * ARTISTS)  # the catalogue statement in force
    coming: list[int] = field(default_factory=lambda: [0] * ARTISTS)  # and the one that waits
    statements: int = 0
    works: dict[str, Work] = field(default_factory=dict)
    pairs: set[tuple[str, str]] = field(default_factory=set)

    def copied(self) -> Model:
        works = {name: replace(work) for name, work in self.works.items()}
        return replace(
            self,
            levels=[*self.levels],
            catalogues=[*self.catalogues],
            waiting=[*self.waiting],
            speaking=[*self.speaking],
            coming=[*self.coming],
            works=works,
            pairs=set(self.pairs),
        )

    def standing(self, who: int) -> list[str]:
        return sorted(name for name, work in self.works.items() if work.owner == who and not work.withdrawn)

    def register(self, name: str, who: int, picture: int) -> None:
        catalogue, waiting = self.catalogues[who], self.waiting[who]
        waits = None if waiting is None else ("catalogue", waiting, self.coming[who])
        self.works[name] = Work(who, picture, catalogue=catalogue, waits=waits, statement=self.speaking[who])

    def matches(self, name: str) -> list[str]:
        mine = self.works[name]
        return [
            other
            for other, work in self.works.items()
            if work.picture == mine.picture and work.owner != mine.owner and work.stated and not work.withdrawn
        ]

    def state(self, names: list[str], terms: Terms) -> str:
        label = effect_over([self.works[name].own for name in names], terms)
        self.statements += 1
        for name in names:
            work = self.works[name]
            matched = self.matches(name) if work.own is None else []
            self.pairs |= {(name, other) for other in matched}
            if work.own is not None and not work.pending and effect(work.own, terms) == "loosen":
                work.waits = ("own", terms, self.statements)
                continue
            permits = effect(DENY_ALL, terms) == "loosen"
            work.pending = (work.pending or bool(matched)) and permits
            work.own, work.statement = terms, self.statements
            work.waits = ("own", terms, self.statements) if work.pending else None
        return label

    def restrict(self, who: int, terms: Terms) -> str:
        label = effect(self.catalogues[who], terms)
        self.statements += 1
        for name in self.standing(who):
            work = self.works[name]
            if work.catalogue is not None and not work.pending and effect(work.catalogue, terms) == "loosen":
                work.waits = ("catalogue", terms, self.statements)
                continue
            work.catalogue = terms
            work.waits = ("catalogue", terms, self.statements) if work.pending else None
            if work.own is None:
                work.statement = self.statements
        if label == "loosen":
            self.waiting[who], self.coming[who] = terms, self.statements
        else:
            self.catalogues[who], self.waiting[who], self.speaking[who] = terms, None, self.statements
        return label

    def withdraw(self, names: list[str]) -> None:
        self.statements += 1
        contested, challenged = self.conflicts()
        for name in names:
            work = self.works[name]
            work.fought = (name in contested, name in challenged)
            work.withdrawn, work.pending, work.waits, work.statement = True, False, None, self.statements

    def mature(self) -> None:
        contested, challenged = self.conflicts()
        for name, work in self.works.items():
            if work.waits is None or name in contested or name in challenged:
                continue
            column, terms, statement = work.waits
            if not work.pending:
                setattr(work, column, terms)
                if column == "own" or work.own is None:
                    work.statement = statement
            work.pending, work.waits = False, None
        for who, waiting in enumerate(self.waiting):
            if waiting is not None:
                self.catalogues[who], self.waiting[who], self.speaking[who] = waiting, None, self.coming[who]

    def conflicts(self) -> tuple[set[str], set[str]]:
        alive = [(a, b) for a, b in self.pairs if not (self.works[a].withdrawn or self.works[b].withdrawn)]
        level = {name: self.levels[work.owner] for name, work in self.works.items()}
        standing = [(a, b) for a, b in self.pairs if not self.works[b].withdrawn]
        lower = {(a, b) for a, b in standing if level[b] >= 2 and level[a] < level[b]}
        challenged = {a for a, _ in lower}
        contested = {name for pair in alive for name in pair if pair not in lower and not challenged & set(pair)}
        for name, work in self.works.items():
            if work.withdrawn:  # a conflict outlives the withdrawal
                work.fought = (work.fought[0], work.fought[1] or name in challenged)
                contested |= {name} if work.fought[0] else set()
                challenged |= {name} if work.fought[1] else set()
        return contested, challenged


@dataclass
class World:
    """A running service for all examples; each gets artists and pictures of its own."""

    portal: BlockingPortal
    site: Running

    def call(self, function: Any, *args: Any) -> Any:
        return self.portal.call(function, *args)


WORLD: list[World] = []


class ConsentMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.number = next(_worlds)
        self.model = Model()
        self.mirror: dict[bytes, WorkRecord] = {}
        self.ids: dict[int, UUID] = {}

    @property
    def world(self) -> World:
        return WORLD[0]

    @initialize(
        levels=st.lists(st.integers(0, 3), min_size=ARTISTS, max_size=ARTISTS),
        without=st.sets(st.tuples(st.integers(0, ARTISTS - 1), st.integers(0, PICTURES - 1)), max_size=2),
    )
    def begin(self, levels: list[int], without: set[tuple[int, int]]) -> None:
        async def open_accounts() -> tuple[list[Artist], int]:
            people = [await artist(self.world.site, f"Artist {n}") for n in range(ARTISTS)]
            async with self.services.database.acquire() as conn:
                return people, await consent.version(conn)

        self.people, self.version = self.world.call(open_accounts)
        for who, level in enumerate(levels):
            self.rise(who, level)
        for who, picture in itertools.product(range(ARTISTS), range(PICTURES)):
            if (who, picture) not in without:
                self.register(who, picture)

    @rule(who=st.integers(0, ARTISTS - 1), picture=st.integers(0, PICTURES - 1))
    def register(self, who: int, picture: int) -> None:
        digest = sha256(b"%d of world %d" % (picture, self.number)).hexdigest()
        item = WorkIn(identifiers.new_id("wrk"), "fingerprint-only", digest)
        (outcome,) = self.world.call(register, self.services, self._caller(who), [item]).items
        same = [name for name in self.model.standing(who) if self.model.works[name].picture == picture]
        assert outcome.status == ("duplicate" if same else "registered")
        if not same:
            self.model.register(item.work, who, picture)
            assert outcome.similar == sorted(self.model.matches(item.work))

    @rule(
        who=st.integers(0, ARTISTS - 1), picked=st.sets(st.integers(0, 2), min_size=1), terms=st.sampled_from([*TERMS])
    )
    def state(self, who: int, picked: set[int], terms: str) -> None:
        names = self._picked(who, picked)
        if not names:
            return
        before = self.model
        self.model = before.copied()
        label = self.model.state(names, TERMS[terms])
        _, challenged = self.model.conflicts()
        mine = challenged & set(self.model.standing(who))
        newly = any(name in names and before.works[name].own is None for name in mine)
        refused = newly and len(mine) > conflicts.OPEN_CHALLENGES
        try:
            assert self.world.call(self._submit, who, names, TERMS[terms]) == label
            assert not refused
        except Conflict:
            assert refused
            self.model = before

    @rule(who=st.integers(0, ARTISTS - 1), terms=st.sampled_from([*TERMS]))
    def restrict(self, who: int, terms: str) -> None:
        label = self.model.restrict(who, TERMS[terms])
        assert self.world.call(self._submit, who, None, TERMS[terms]) == label

    @rule(who=st.integers(0, ARTISTS - 1), picked=st.sets(st.integers(0, 2), min_size=1))
    def withdraw(self, who: int, picked: set[int]) -> None:
        names = self._picked(who, picked)
        if names:
            answer = self.world.call(self.people[who].withdraw, names)
            self.model.withdraw(names)
            self.ids[self.model.statements] = identifiers.to_uuid(answer.statement)

    @rule(who=st.integers(0, ARTISTS - 1), other=st.integers(0, ARTISTS - 1), title=st.sampled_from(["a", "b", None]))
    def rename(self, who: int, other: int, title: str | None) -> None:
        """What a work is called changes nothing that decisions are made from, and only its owner can."""
        names = sorted(name for name, work in self.model.works.items() if work.owner == who)
        if not names:
            return

        async def renamed() -> tuple[list[str], list[str | None], int, int]:
            async with self.services.database.acquire() as conn:
                before = await consent.version(conn)
            asked = [WorkChange(work=name, title=title) for name in names]
            outcomes = (await change(self.services, self.people[other].uuid, asked)).items
            async with self.services.database.acquire() as conn:
                after = await consent.version(conn)
            titles = [(await self.people[who].work(name)).title for name in names]
            return [each.status for each in outcomes], titles, before, after

        statuses, titles, before, after = self.world.call(renamed)
        assert before == after
        assert {status == "refused" for status in statuses} == {who != other}
        assert who != other or set(titles) == {title}

    @rule(who=st.integers(0, ARTISTS - 1), level=st.integers(1, 3))
    def rise(self, who: int, level: int) -> None:
        if self.model.levels[who] < level:
            self.model.levels[who] = level
            self.world.call(self.people[who].raise_level, level)

    @rule()
    def mature(self) -> None:
        async def everything() -> None:
            await self._logged()
            while await mature_due(self.services, times.now() + timedelta(hours=25)):
                pass

        self.world.call(everything)
        self.model.mature()

    @rule()
    def wait_too_short(self) -> None:
        self.world.call(mature_due, self.services, times.now() + timedelta(hours=23))

    @invariant()
    def records_are_what_artists_said(self) -> None:
        async def read() -> tuple[dict[UUID, WorkRecord], list[WorkRecord], int, list[Any]]:
            names = [identifiers.to_uuid(name) for name in self.model.works]
            services = self.services
            async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
                now = await consent.version(conn)
                found = await consent.current(conn, names)
                changed = await consent.changed_since(conn, self.version)
            index, version, _ = await reader_of(services).current()
            assert version == now
            # The log gives a statement its index a moment later, without another version.
            found = {work: replace_struct(record, log_index=0) for work, record in found.items()}
            changed = [replace_struct(record, log_index=0) for record in changed]
            return found, changed, now, [index.work(name.bytes) for name in names]

        current, changed, self.version, indexed = self.world.call(read)
        mine = {identifiers.to_uuid(name).bytes for name in self.model.works}
        self.mirror |= {record.work: record for record in changed if record.work in mine}
        assert self.mirror == {work.bytes: record for work, record in current.items()}
        contested, challenged = self.model.conflicts()
        for (name, work), seen in zip(self.model.works.items(), indexed, strict=True):
            record = current.get(identifiers.to_uuid(name))
            if not work.stated:
                assert record is None
                assert seen is None
                continue
            assert record is not None
            said = (
                work.terms.encoded,
                self.model.levels[work.owner],
                work.pending,
                work.withdrawn,
                work.own is not None,
            )
            assert UUID(bytes=record.statement) == self.ids[work.statement], name
            fights = (name in contested, name in challenged)
            assert (record.terms, record.level, record.pending, record.withdrawn, record.signed) == said, name
            assert (record.contested, record.challenged) == fights, name
            assert seen is not None
            assert (seen.terms, seen.level, seen.pending, seen.withdrawn, seen.signed) == said, name
            assert (seen.contested, seen.challenged) == fights, name

    def _picked(self, who: int, picked: set[int]) -> list[str]:
        standing = self.model.standing(who)
        return sorted({standing[number % len(standing)] for number in picked}) if standing else []

    async def _submit(self, who: int, names: list[str] | None, terms: Terms) -> str:
        """Draft, sign and have accepted; nobody waits for the log."""
        person, caller = self.people[who], self._caller(who)
        drafted = await draft(self.services, caller, names, terms.to_json(), "en")
        statement = await checked(self.services, caller, signed(drafted, person.account.key), names or ())
        accepted = await accept(self.services, person.uuid, statement)
        async with self.services.database.acquire() as conn:
            label: str = await conn.fetchval("select effect from statements where id = $1", accepted)
        self.ids[self.model.statements] = accepted
        return label

    async def _logged(self) -> None:
        async with self.services.database.acquire() as conn:
            while await consent.unlogged(conn):
                await asyncio.sleep(0.005)

    @property
    def services(self) -> Services:
        return self.world.site.services

    def _caller(self, who: int) -> Caller:
        person = self.people[who]
        scopes = frozenset({"register"})
        return Caller(
            person.uuid,
            "art",
            f"Artist {who}",
            self.model.levels[who],
            scopes,
            person.uuid,
            times.now() + timedelta(days=1),
        )


@contextmanager
def world(server: Server, template: str, data: Path) -> Iterator[World]:
    with (
        start_blocking_portal("asyncio") as portal,
        portal.wrap_async_context_manager(server.fresh(template)) as dsn,
        portal.wrap_async_context_manager(registry(dsn, data)) as site,
    ):
        yield World(portal, site)


@pytest.mark.hypothesis
def test_the_service_agrees_with_the_model(
    server: Server, migrated_template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(server, migrated_template, tmp_path) as opened:
        WORLD.append(opened)
        monkeypatch.setattr(conflicts, "OPEN_CHALLENGES", 1)
        monkeypatch.setattr(conflicts, "CHALLENGES_OF_ONE", 1000)  # the model knows of no times
        try:
            run_state_machine_as_test(
                ConsentMachine,
                settings=settings(
                    max_examples=12 if TIMES == 1 else 25 * TIMES,
                    stateful_step_count=25,
                    deadline=None,
                    phases=[Phase.generate],
                ),
            )
        finally:
            WORLD.clear()
