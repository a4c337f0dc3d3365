"""The synchronous client: one method an endpoint, returning the bodies of `licet.wire`.

``Client()`` reads the environment (``LICET_URL``, ``LICET_TOKEN``, ``LICET_HOME``, ``LICET_PROFILE``,
``LICET_TIMEOUT``); what is given wins over what is read. Reading needs no account; `snapshots` and `registry` pin the
registry's root key at first contact and refuse another one from then on, whatever address it answers at: another
registry needs another profile.

What an endpoint takes and gives is said in `licet.client.endpoints`, once for both clients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from licet.client.blocking.accounts import Accounts
from licet.client.blocking.agreements import Agreements
from licet.client.blocking.claims import Claims
from licet.client.blocking.disputes import Disputes
from licet.client.blocking.keys import Keys
from licet.client.blocking.licensing import Licensing
from licet.client.blocking.money import Money
from licet.client.blocking.register import Register
from licet.client.blocking.registry import AboutRegistry
from licet.client.blocking.usage import Usage
from licet.client.blocking.works import Works

if TYPE_CHECKING:
    from licet.client.snapshots import ClientSnapshot

__all__ = ["Client"]


class Client(AboutRegistry, Accounts, Keys, Claims, Works, Agreements, Licensing, Usage, Money, Disputes, Register):
    """A connection to one registry as one profile; close it, or use it in a ``with``.

    ``timeout`` holds each step and the whole of every call (seconds), or says more as `licet.Timeouts`.
    """

    @property
    def snapshot(self) -> ClientSnapshot:
        """The snapshots of this client's registry: pull, open, pin."""
        from licet.client.snapshots import ClientSnapshot  # brings numpy: only for those who decide

        return ClientSnapshot(self)
