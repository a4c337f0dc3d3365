"""A dispute against a model of it: anybody tries anything at any time, and each attempt ends as the model says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal, get_args

import pytest

from licet import times
from licet.statements.disputes import ANSWERED_WITHIN, APPEALED_WITHIN
from licet.terms import Price, preset
from registry.disputes import deciding, ending, service, stepping
from registry.errors import Conflict, NotAllowed
from tests.registry.catalogue import artist
from tests.registry.disputes.parties import Later, Party, all_holds, charge_of, dispute, operator, shown, step
from tests.registry.harness import Running
from tests.registry.market import balance, shelf, trainer

pytestmark = pytest.mark.anyio
PER_RUN = preset("paid", Price(model="per-training-run", amount="1", currency="USD"))
What = Literal["concede", "contest", "withdraw", "appeal", "accept"]
Outcome = Literal["upheld", "dismissed"]
DONE = 201


class Model:
    """What a dispute is, and what each attempt comes to: a status of HTTP."""

    def __init__(self, opened_at: datetime) -> None:
        self.opened_at = opened_at
        self.answered = self.appealed = False
        self.decided: Outcome | None = None
        self.decided_at: datetime | None = None
        self.decided_by: int | None = None
        self.ended: str | None = None

    @property
    def state(self) -> str:
        if self.ended is not None:
            return self.ended
        if self.decided is not None:
            return "appealed" if self.appealed else "decided"
        return "answered" if self.answered else "open"

    def takes(self, opener: bool, what: What, now: datetime) -> int:
        """A party takes a step."""
        if what in ("appeal", "accept"):
            if self.decided is None:
                return 409 if self.ended is None or opener else 403  # taken back: then nobody lost by a decision
            if opener != (self.decided == "dismissed"):
                return 403
            if self.ended is not None:
                return 409
            if what == "accept":
                self.ended = self.decided
                return DONE
            assert self.decided_at is not None
            if self.appealed or now >= self.decided_at + APPEALED_WITHIN:
                return 409
            self.appealed = True
            return DONE
        if opener != (what == "withdraw"):
            return 403
        if self.ended is not None or self.decided is not None or (what != "withdraw" and self.answered):
            return 409
        if what == "withdraw":
            self.ended = "withdrawn"
        else:
            self.answered = True
        return DONE

    def decides(self, by: int, outcome: Outcome, now: datetime) -> int:
        """An operator decides; the same again is no second decision."""
        if self.decided is not None:
            return DONE if self.decided == outcome else 409
        if self.ended is not None or (not self.answered and now < self.opened_at + ANSWERED_WITHIN):
            return 409
        self.decided, self.decided_at, self.decided_by = outcome, now, by
        return DONE

    def reviews(self, by: int, outcome: Outcome, reviewed: bool) -> int:
        """An operator reviews; ``reviewed``: somebody did before."""
        if self.ended is not None:
            return DONE if reviewed and self.ended == outcome else 409
        if not self.appealed:
            return 409
        if by == self.decided_by:
            return 403
        self.ended = outcome
        return DONE

    def passes(self, now: datetime) -> int:
        """The loop looks; how many disputes it ends."""
        if self.state != "decided" or self.decided_at is None or now < self.decided_at + APPEALED_WITHIN:
            return 0
        self.ended = self.decided
        return 1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Later]:
    """A clock of disputes that began long ago, so that it can be moved on without overtaking that of the log."""
    clock = Later(times.now() - timedelta(days=300))
    for module in (service, stepping, deciding):
        monkeypatch.setattr(module, "times", clock)
    yield clock
    assert clock.now() < times.now()


@pytest.mark.parametrize("seed", range(10))
async def test_whatever_anybody_tries_a_dispute_is_what_the_model_says(site: Running, clock: Later, seed: int):
    turns = random.Random(seed)  # a story, no secret
    works, lab = await shelf(site, PER_RUN, 1), await trainer(site)
    await lab.license(works.wanted())
    about = await dispute(lab, await charge_of(lab))
    model, office, reviewed = Model(clock.now()), [await operator(site) for _ in range(2)], False
    parties: list[Party] = [lab, works.owner]
    stranger = await artist(site)
    for _ in range(14):
        clock.moves(timedelta(days=turns.choice([0, 0, 1, 6, 14])))
        act = turns.choice(["step", "step", "step", "decide", "decide", "review", "review", "loop", "stranger"])
        outcome: Outcome = turns.choice(get_args(Outcome))
        if act == "step":
            who, what = turns.randrange(2), turns.choice([*get_args(What), "appeal"])
            expected = model.takes(who == 0, what, clock.now())
            own = {"account": parties[who].id, "genesis": parties[who].account.genesis}
            if what == "accept":
                own["outcome"] = model.decided or "upheld"
            got = (await step(parties[who], about, what, None, **own)).status_code
        elif act == "stranger":
            expected, got = 404, (await step(lab, about, "appeal", by=stranger)).status_code
        elif act == "loop":
            expected, got = model.passes(clock.now()), await ending.end_due(site.services, clock.now())
        else:
            by, office_acts = turns.randrange(2), deciding.decide if act == "decide" else deciding.review
            if act == "decide":
                expected = model.decides(by, outcome, clock.now())
            else:
                expected = model.reviews(by, outcome, reviewed)
                reviewed = reviewed or expected == DONE
            try:
                await office_acts(site.services, about.dispute, office[by], outcome, "so it is")
                got = DONE
            except Conflict:
                got = 409
            except NotAllowed:
                got = 403
        assert got == expected, (act, model.state)
        info = (await shown(lab, about)).dispute
        assert (info.state, info.decided, info.appealed_at is not None) == (model.state, model.decided, model.appealed)
        assert info.holds == (model.ended is None)
    if model.decided is not None and model.ended is None and not model.appealed:
        clock.moves(APPEALED_WITHIN)
        assert await ending.end_due(site.services, clock.now()) == model.passes(clock.now())
    await all_holds(site)
    ends = {"upheld": {}, None: {("escrow", "USD"): "0.9"}}
    assert await balance(works.owner.http) == ends.get(model.ended, {("payable", "USD"): "0.9"})
