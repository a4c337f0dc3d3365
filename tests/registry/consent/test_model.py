"""Consent against a plain model: whatever artists do and in whatever order, the service knows what they said.

The model is written from the rules, a work at a time, without groups, plans or SQL. After every step each record must
be the model's, and a mirror that is only ever fed ``changed_since`` must equal a rebuild.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from licet import identifiers, times
from licet.index import WorkRecord
from licet.statements.effect import effect, effect_over
from licet.terms import Terms, merge
from licet.wire.works import WorkIn
from registry import consent
from registry.consent import conflicts
from registry.consent.maturing import mature_due
from registry.consent.planning import DENY_ALL
from tests.registry.catalogue import (
    NO_AI,
    PAID,
    PAID_MORE,
    RESEARCH,
    Artist,
    artist,
    fresh_database,
    reader_of,
    registry,
    signed,
)
from tests.registry.harness import Running

ARTISTS = 3
PICTURES = 5
TERMS = {"no-ai": NO_AI, "research": RESEARCH, "paid": PAID, "dearer": PAID_MORE, "nothing": DENY_ALL}

_worlds = itertools.count(1)


@dataclass
class Work:
    owner: int
    picture: int
    own: Terms | None = None
    catalogue: Terms | None = None
    waits: tuple[str, Terms] | None = None  # (own or catalogue, terms)
    pending: bool = False
    withdrawn: bool = False

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
    works: dict[str, Work] = field(default_factory=dict)
    pairs: set[tuple[str, str]] = field(default_factory=set)

    def copied(self) -> Model:
        works = {name: replace(work) for name, work in self.works.items()}
        return Model([*self.levels], [*self.catalogues], [*self.waiting], works, set(self.pairs))

    def standing(self, who: int) -> list[str]:
        return sorted(name for name, work in self.works.items() if work.owner == who and not work.withdrawn)

    def register(self, name: str, who: int, picture: int) -> None:
        catalogue, waiting = self.catalogues[who], self.waiting[who]
        waits = ("catalogue", waiting) if catalogue is not None and waiting is not None else None
        self.works[name] = Work(who, picture, catalogue=catalogue, waits=waits)

    def matches(self, name: str) -> list[str]:
        mine = self.works[name]
        return [
            other
            for other, work in self.works.items()
            if work.picture == mine.picture and work.owner != mine.owner and work.stated and not work.withdrawn
        ]

    def state(self, names: list[str], terms: Terms) -> str:
        label = effect_over([self.works[name].own for name in names], terms)
        for name in names:
            work = self.works[name]
            matched = self.matches(name) if work.own is None else []
            self.pairs |= {(name, other) for other in matched}
            if work.own is not None and not work.pending and effect(work.own, terms) == "loosen":
                work.waits = ("own", terms)
                continue
            permits = effect(DENY_ALL, terms) == "loosen"
            work.pending = (work.pending or bool(matched)) and permits
            work.own = terms
            work.waits = ("own", terms) if work.pending else None
        return label

    def restrict(self, who: int, terms: Terms) -> str:
        label = effect(self.catalogues[who], terms)
        for name in self.standing(who):
            work = self.works[name]
            if work.catalogue is not None and not work.pending and effect(work.catalogue, terms) == "loosen":
                work.waits = ("catalogue", terms)
            else:
                work.catalogue = terms
                work.waits = ("catalogue", terms) if work.pending else None
        if label == "loosen":
            self.waiting[who] = terms
        else:
            self.catalogues[who], self.waiting[who] = terms, None
        return label

    def withdraw(self, names: list[str]) -> None:
        for name in names:
            self.works[name].withdrawn, self.works[name].pending, self.works[name].waits = True, False, None

    def mature(self) -> None:
        contested, challenged = self.conflicts()
        for name, work in self.works.items():
            if work.waits is None or name in contested or name in challenged:
                continue
            column, terms = work.waits
            if not work.pending:
                setattr(work, column, terms)
            work.pending, work.waits = False, None
        for who, waiting in enumerate(self.waiting):
            if waiting is not None:
                self.catalogues[who], self.waiting[who] = waiting, None

    def conflicts(self) -> tuple[set[str], set[str]]:
        alive = [(a, b) for a, b in self.pairs if not (self.works[a].withdrawn or self.works[b].withdrawn)]
        level = {name: self.levels[work.owner] for name, work in self.works.items()}
        challenged = {a for a, b in alive if level[b] >= 2 and level[a] < level[b]}
        lower = {(a, b) for a, b in alive if level[b] >= 2 and level[a] < level[b]}
        contested = {name for pair in alive for name in pair if pair not in lower and not challenged & set(pair)}
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

    @property
    def world(self) -> World:
        return WORLD[0]

    @initialize()
    def begin(self) -> None:
        async def open_accounts() -> tuple[list[Artist], int]:
            people = [await artist(self.world.site, f"Artist {n}") for n in range(ARTISTS)]
            async with self.world.site.services.database.acquire() as conn:
                return people, await consent.version(conn)

        self.people, self.version = self.world.call(open_accounts)

    @rule(who=st.integers(0, ARTISTS - 1), picture=st.integers(0, PICTURES - 1))
    def register(self, who: int, picture: int) -> None:
        digest = sha256(b"%d of world %d" % (picture, self.number)).hexdigest()
        item = WorkIn(identifiers.new_id("wrk"), "fingerprint-only", digest)
        outcome = self.world.call(self.people[who].register, item)[0]
        same = [name for name in self.model.standing(who) if self.model.works[name].picture == picture]
        assert outcome.status == ("duplicate" if same else "registered")
        if not same:
            self.model.register(item.work, who, picture)
            assert outcome.similar == sorted(self.model.matches(item.work))

    @rule(
        who=st.integers(0, ARTISTS - 1), picked=st.sets(st.integers(0, 7), min_size=1), terms=st.sampled_from([*TERMS])
    )
    def state(self, who: int, picked: set[int], terms: str) -> None:
        names = self._picked(who, picked)
        if not names:
            return
        before = self.model
        self.model = before.copied()
        label = self.model.state(names, TERMS[terms])
        _, challenged = self.model.conflicts()
        mine = [name for name in challenged if self.model.works[name].owner == who]
        newly = any(name in names and before.works[name].own is None for name in mine)
        refused = newly and len(mine) > conflicts.OPEN_CHALLENGES
        answer = self.world.call(self._submit, who, names, TERMS[terms])
        if refused:
            assert answer.status_code == 409
            self.model = before
        else:
            assert answer.status_code == 201, answer.text
            assert answer.json()["effect"] == label

    @rule(who=st.integers(0, ARTISTS - 1), terms=st.sampled_from([*TERMS]))
    def restrict(self, who: int, terms: str) -> None:
        label = self.model.restrict(who, TERMS[terms])
        answer = self.world.call(self._submit, who, None, TERMS[terms])
        assert answer.status_code == 201, answer.text
        assert answer.json()["effect"] == label

    @rule(who=st.integers(0, ARTISTS - 1), picked=st.sets(st.integers(0, 7), min_size=1))
    def withdraw(self, who: int, picked: set[int]) -> None:
        names = self._picked(who, picked)
        if names:
            self.world.call(self.people[who].withdraw, names)
            self.model.withdraw(names)

    @rule(who=st.integers(0, ARTISTS - 1))
    def rise(self, who: int) -> None:
        if self.model.levels[who] < 4:
            self.model.levels[who] += 1
            self.world.call(self.people[who].raise_level, self.model.levels[who])

    @rule()
    def mature(self) -> None:
        async def everything() -> None:
            while await mature_due(self.world.site.services, times.now() + timedelta(hours=25)):
                pass

        self.world.call(everything)
        self.model.mature()

    @rule()
    def wait_too_short(self) -> None:
        self.world.call(mature_due, self.world.site.services, times.now() + timedelta(hours=23))

    @invariant()
    def records_are_what_artists_said(self) -> None:
        async def read() -> tuple[dict[UUID, WorkRecord], list[WorkRecord], int, list[Any]]:
            names = [identifiers.to_uuid(name) for name in self.model.works]
            services = self.world.site.services
            async with services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
                now = await consent.version(conn)
                found = await consent.current(conn, names)
                changed = await consent.changed_since(conn, self.version)
            index, version, _ = await reader_of(services).current()
            assert version == now
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
            alive = not work.withdrawn
            fights = (alive and name in contested, alive and name in challenged)
            assert (record.terms, record.level, record.pending, record.withdrawn, record.signed) == said, name
            assert (record.contested, record.challenged) == fights, name
            assert seen is not None
            assert (seen.terms, seen.level, seen.pending, seen.withdrawn, seen.signed) == said, name
            assert (seen.contested, seen.challenged) == fights, name

    def _picked(self, who: int, picked: set[int]) -> list[str]:
        standing = self.model.standing(who)
        return sorted({standing[number % len(standing)] for number in picked}) if standing else []

    async def _submit(self, who: int, names: list[str] | None, terms: Terms) -> Any:
        person = self.people[who]
        drafted = await person.draft(names, terms)
        return await person.submit(signed(drafted, person.account.key), names or ())


@contextmanager
def world(server: Path, template: str, data: Path) -> Iterator[World]:
    with (
        start_blocking_portal("asyncio") as portal,
        portal.wrap_async_context_manager(fresh_database(server, template)) as dsn,
        portal.wrap_async_context_manager(registry(dsn, data)) as site,
    ):
        yield World(portal, site)


def test_the_service_agrees_with_the_model(server: Path, migrated_template: str, tmp_path: Path) -> None:
    with world(server, migrated_template, tmp_path) as opened:
        WORLD.append(opened)
        try:
            run_state_machine_as_test(
                ConsentMachine,
                settings=settings(max_examples=12, stateful_step_count=18, deadline=None, phases=[Phase.generate]),
            )
        finally:
            WORLD.clear()
