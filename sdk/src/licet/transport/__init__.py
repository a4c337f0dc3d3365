"""HTTP to the service: the only room that imports httpx. Two thin drivers, one for threads and one for asyncio.

What is asked, what an answer means and what to do next is decided in `licet.exchange`, once for both. Every write
carries an idempotency key made from its content: a retry after a lost answer, even by another process, has one effect.
"""

from __future__ import annotations

from licet.exchange.answers import Answer, failure
from licet.exchange.retrying import ATTEMPTS, LONGEST_DELAY, Timeouts, delay, idempotency_key
from licet.transport.asynchronous import AsyncTransport
from licet.transport.blocking import Transport

__all__ = [
    "ATTEMPTS",
    "LONGEST_DELAY",
    "Answer",
    "AsyncTransport",
    "Timeouts",
    "Transport",
    "delay",
    "failure",
    "idempotency_key",
]
