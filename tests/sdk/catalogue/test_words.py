"""What `licet register` says of a registration: true of each work, also where a few are claimed by others as well."""

from __future__ import annotations

from licet.catalogue.outcomes import Entry, Registered, Signed
from licet.cli.register import _lines

UNTIL = "2026-12-01T00:00:00.000Z"


def told(works: int, contested: int, until: str | None = UNTIL) -> str:
    """What is said of one statement for ``works``, of which others claim some."""
    entries = [Entry(f"{number}.png", f"wrk_{number}", None) for number in range(works)]
    signed = Signed("stm_1", 7, "initial", until, works, "aa")
    done = Registered(works=entries, contested=entries[:contested], statements=[signed])
    return "\n".join(_lines(done, None, explicit=True, offers=True))


def test_a_date_that_is_of_few_works_is_not_said_of_all() -> None:
    assert f"What they permit takes effect at {UNTIL}; until then they deny it." in told(2, 2)
    few = told(300, 2)
    assert "What they permit is in force. Where somebody else claims the picture too, it takes effect at\n" in few
    assert f"\n{UNTIL}; until then such a work denies it." in few
    assert UNTIL not in told(2, 0, None)
