"""Owners against a plain model: whoever registers, states, shares, leaves or is erased, and in whatever order.

The model is written from the rules, a work and an owner at a time, without groups, plans or SQL. After every step what
is in force on each work must be the model's; at the end everything that is derived is counted again.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from licet import identifiers, times
from licet.statements import envelope as envelopes
from licet.statements.effect import effect
from licet.statements.splits import draft_answer, draft_split
from licet.terms import Terms, merge
from licet.wire.erasure import ErasureRequest
from licet.wire.works import WorkIn
from registry import consent
from registry.accounts.identity import Caller
from registry.auditing import verify
from registry.consent.drafting import draft
from registry.consent.intake import checked
from registry.consent.maturing import mature_due
from registry.consent.owners import end_due
from registry.consent.planning import DENY_ALL
from registry.consent.service import accept
from registry.erasure.service import erase
from registry.services import Services
from registry.splits import service as splits
from registry.works.service import register
from tests.registry.catalogue import NO_AI, PAID, PAID_MORE, RESEARCH, Artist, artist, reader_of, signed
from tests.registry.consent.test_model import World, world
from tests.registry.servers import Server

ARTISTS = 3
TERMS = {"no-ai": NO_AI, "research": RESEARCH, "paid": PAID, "dearer": PAID_MORE}
LATER = timedelta(hours=25)

_worlds = itertools.count(1)
WORLD: list[World] = []


@dataclass
class Word:
    """What one owner says of one work."""

    own: Terms | None = None
    catalogue: Terms | None = None
    waits: tuple[str, Terms] | None = None
    ends: bool = False  # it left, and its hold runs
    ended: bool = False

    @property
    def spoken(self) -> bool:
        return not self.ended and (self.own is not None or self.catalogue is not None)

    def state(self, column: str, terms: Terms) -> None:
        before = getattr(self, column)
        if before is not None and effect(before, terms) == "loosen":
            self.waits = (column, terms)
        else:
            setattr(self, column, terms)
            self.waits = None


@dataclass
class Work:
    owner: int
    words: dict[int, Word] = field(default_factory=dict)
    shares: dict[int, int] = field(default_factory=dict)  # by the split in force, none for none
    document: str | None = None
    withdrawn: bool = False
    mark: Terms | None = None  # the deny that stands for it once its account was erased

    @property
    def terms(self) -> Terms | None:
        if self.withdrawn:
            return self.mark
        said = [each for word in self.words.values() if word.spoken for each in (word.own, word.catalogue)]
        return merge([each for each in said if each is not None]) if any(each is not None for each in said) else None


class OwnersMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.number, self.pictures = next(_worlds), itertools.count()
        self.works: dict[str, Work] = {}
        self.gone: set[int] = set()
        self.catalogues: list[Terms | None] = [None] * ARTISTS
        self.waiting: list[Terms | None] = [None] * ARTISTS

    @initialize(count=st.integers(1, 2))
    def begin(self, count: int) -> None:
        async def accounts() -> list[Artist]:
            return [await artist(self.world.site, f"Artist {n}") for n in range(ARTISTS)]

        self.people = self.world.call(accounts)
        for _ in range(count):
            self.register(0)

    @rule(who=st.integers(0, ARTISTS - 1))
    def register(self, who: int) -> None:
        if who in self.gone or len(self.works) > 4:
            return
        digest = sha256(b"%d of owners' world %d" % (next(self.pictures), self.number)).hexdigest()
        item = WorkIn(identifiers.new_id("wrk"), "fingerprint-only", digest)
        self.world.call(register, self.services, self._caller(who), [item])
        catalogue, waiting = self.catalogues[who], self.waiting[who]
        work = self.works[item.work] = Work(who)
        if catalogue is not None:
            work.words[who] = Word(catalogue=catalogue, waits=None if waiting is None else ("catalogue", waiting))

    @rule(who=st.integers(0, ARTISTS - 1), place=st.integers(0, 4), terms=st.sampled_from([*TERMS]))
    def state(self, who: int, place: int, terms: str) -> None:
        mine = [name for name in self._alive() if who in ({self.works[name].owner} | self.works[name].shares.keys())]
        if who in self.gone or not mine:
            return
        name = mine[place % len(mine)]
        self.world.call(self._submit, who, [name], TERMS[terms])
        word = self.works[name].words.setdefault(who, Word())
        word.ends = word.ended = False
        word.state("own", TERMS[terms])

    @rule(who=st.integers(0, ARTISTS - 1), terms=st.sampled_from([*TERMS]))
    def restrict(self, who: int, terms: str) -> None:
        if who in self.gone:
            return
        self.world.call(self._submit, who, None, TERMS[terms])
        for name in self._alive():
            work = self.works[name]
            if who == work.owner or who in work.shares:
                work.words.setdefault(who, Word()).state("catalogue", TERMS[terms])
        before = self.catalogues[who]
        if before is not None and effect(before, TERMS[terms]) == "loosen":
            self.waiting[who] = TERMS[terms]
        else:
            self.catalogues[who], self.waiting[who] = TERMS[terms], None

    @rule(place=st.integers(0, 4), others=st.sets(st.integers(0, ARTISTS - 1), max_size=2), keeps=st.booleans())
    def agree(self, place: int, others: set[int], keeps: bool) -> None:
        """Whoever has a share now, and whoever gets one, signs the next split."""
        names = self._alive()
        if not names:
            return
        name = names[place % len(names)]
        work = self.works[name]
        fixed = {who: bps for who, bps in work.shares.items() if who in self.gone}
        living = sorted((others | ({work.owner} if keeps else set())) - self.gone)
        rest = 10_000 - sum(fixed.values())
        if not living or not (set(living) | work.shares.keys()) - {work.owner} - self.gone:
            return
        shares = {who: rest // len(living) for who in living}
        shares[living[0]] += rest - sum(shares.values())
        work.document = self.world.call(self._agree, name, work, fixed | shares)
        parties = {*fixed, *shares} - {work.owner}
        for who in parties:
            word, catalogue, waiting = work.words.get(who), self.catalogues[who], self.waiting[who]
            waits = None if waiting is None else ("catalogue", waiting)
            if word is None:
                if catalogue is not None:
                    work.words[who] = Word(catalogue=catalogue, waits=waits)
            elif word.ended or word.ends:
                word.ended = word.ends = False
                if catalogue is not None:
                    word.catalogue, word.waits = catalogue, waits
        for who, word in work.words.items():
            if who != work.owner and who not in parties and not word.ended:
                word.ends, word.waits = True, None
        work.shares = fixed | shares

    @rule()
    def a_day_passes(self) -> None:
        async def everything() -> None:
            await self._logged()
            while await mature_due(self.services, times.now() + LATER):
                pass
            while await end_due(self.services, times.now() + LATER):
                pass

        self.world.call(everything)
        for work in self.works.values():
            for word in work.words.values():
                if word.waits is not None:
                    setattr(word, *word.waits)
                    word.waits = None
        for who, waiting in enumerate(self.waiting):
            if waiting is not None:
                self.catalogues[who], self.waiting[who] = waiting, None
        for work in self.works.values():
            leaving = [word for word in work.words.values() if word.ends]
            if any(word.spoken and not word.ends for word in work.words.values()):
                for word in leaving:
                    word.ends, word.ended = False, True

    @rule(who=st.integers(0, ARTISTS - 1), deny=st.booleans(), really=st.integers(0, 2))
    def leave(self, who: int, deny: bool, really: int) -> None:
        if who in self.gone or really:  # seldom: little happens afterwards
            return
        body = ErasureRequest(confirm=self.people[who].id, deny=deny)
        self.world.call(self._logged)
        self.world.call(erase, self.services, self._caller(who), body)
        self.gone.add(who)
        self.catalogues[who] = self.waiting[who] = None
        for work in self.works.values():
            if work.owner == who:
                work.mark = DENY_ALL if deny and work.terms is not None else None
                work.withdrawn, work.words = True, {}
                continue
            word = work.words.pop(who, None)
            if word is not None and deny and not word.ended:
                work.words[who] = replace(word, own=DENY_ALL, catalogue=None, waits=None)

    @invariant()
    def what_is_in_force_is_what_owners_said(self) -> None:
        async def read() -> list[Any]:
            names = [identifiers.to_uuid(name) for name in self.works]
            async with self.services.database.transaction(isolation="repeatable_read", readonly=True) as conn:
                current = await consent.current(conn, names)
            index, _, _ = await reader_of(self.services).current()
            return [(current.get(name), index.work(name.bytes)) for name in names]

        for (name, work), (record, seen) in zip(self.works.items(), self.world.call(read), strict=True):
            expected = work.terms
            if expected is None:
                assert record is None, name
                continue
            assert record is not None, name
            assert record.terms == expected.encoded, name
            assert seen is not None
            own = work.words.get(work.owner)
            signed = work.withdrawn or (own is not None and own.own is not None)
            assert (seen.terms, seen.signed, seen.withdrawn) == (expected.encoded, signed, work.withdrawn), name

    def teardown(self) -> None:
        async def counted() -> list[Any]:
            await self._logged()
            return await verify(self.services)

        if self.works:
            assert self.world.call(counted) == []

    def _alive(self) -> list[str]:
        return sorted(name for name, work in self.works.items() if not work.withdrawn)

    async def _submit(self, who: int, names: list[str] | None, terms: Terms) -> UUID:
        caller = self._caller(who)
        drafted = await draft(self.services, caller, names, terms.to_json(), "en")
        statement = await checked(self.services, caller, signed(drafted, self.people[who].account.key), names or ())
        return await accept(self.services, self.people[who].uuid, statement)

    async def _agree(self, name: str, work: Work, shares: dict[int, int]) -> str:
        """Propose and sign; nobody waits for the log. Returns the digest of the document."""
        owner, run = self.people[work.owner], self.services.database.run
        payload = draft_split(
            registry=self.services.keys.ref,
            account=owner.id,
            genesis=owner.account.genesis,
            works={name: (await owner.work(name)).digest},
            shares={self.people[who].id: (self.people[who].account.genesis, bps) for who, bps in shares.items()},
            replaces=work.document,
        )
        sealed = envelopes.seal(payload, owner.account.key)
        await run(partial(splits._propose, self.services, self._caller(work.owner), sealed))
        for who in sorted((shares.keys() | work.shares.keys()) - self.gone - {work.owner}):
            said = draft_answer(
                payload,
                sealed.payload_digest,
                account=self.people[who].id,
                genesis=self.people[who].account.genesis,
                answer="accept",
            )
            answer = envelopes.seal(said, self.people[who].account.key)
            number = identifiers.to_uuid(payload.split, "spl")
            await run(partial(splits._answer, self.services, self._caller(who), number, answer))
        return sealed.payload_digest

    async def _logged(self) -> None:
        async with self.services.database.acquire() as conn:
            while await conn.fetchval("select exists (select from log_queue)"):
                await asyncio.sleep(0.005)

    @property
    def world(self) -> World:
        return WORLD[0]

    @property
    def services(self) -> Services:
        return self.world.site.services

    def _caller(self, who: int) -> Caller:
        person = self.people[who]
        until = times.now() + timedelta(days=1)
        return Caller(person.uuid, "art", person.id, 0, frozenset({"register"}), person.uuid, until)


def test_owners_agree_with_the_model(server: Server, migrated_template: str, tmp_path: Path) -> None:
    with world(server, migrated_template, tmp_path) as opened:
        WORLD.append(opened)
        try:
            run_state_machine_as_test(
                OwnersMachine,
                settings=settings(max_examples=8, stateful_step_count=20, deadline=None, phases=[Phase.generate]),
            )
        finally:
            WORLD.clear()
