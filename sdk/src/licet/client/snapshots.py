"""The snapshot as a client has it: pulled into the home, verified under the pinned root, opened for decisions."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from licet import times
from licet.errors import InputError, NotAllowedError, ServiceError, VerificationError
from licet.exchange.clocks import wrong_clock
from licet.index.pull import Pulled, pull
from licet.index.snapshot import Snapshot
from licet.index.store import Published, SnapshotInfo, SnapshotStore, envelope_digest
from licet.misfits import unlike
from licet.statements.trust import RegistryKeys, Trust, verify_registry_keys
from licet.wire.common import KeyEvidence

if TYPE_CHECKING:
    from licet.client.blocking import Client

Tier = Literal["exact", "near"]
PROMISED: Final = 300.0  # seconds from an acknowledgement to a snapshot that has it
_LOOK_EVERY: Final = 0.5
_UNPINNED: Final = (
    "no registry is pinned in this profile, so there is no snapshot here yet: `licet snapshot pull` pins one"
)


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker on another machine needs to decide from the very same snapshot. A few kilobytes, all of it public.

    ``digest`` names the snapshot, ``url`` and ``origin`` its registry, ``root`` the root key that it is believed under
    with ``keys``. ``folder`` is where its segments lie here; ``near`` says whether copies were looked for that are not
    exact. ``at`` is the moment of every decision under this pin.
    """

    digest: str
    url: str
    origin: str
    root: str
    published: Published
    keys: list[KeyEvidence]
    folder: str
    near: bool
    at: str


class ClientSnapshot:
    """The snapshots of one client's registry."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def store(self) -> SnapshotStore:
        """The folder that snapshots of the pinned registry are kept in; needs no network.

        Raises ``InputError`` where no registry is pinned yet, so that nothing can have been pulled.
        """
        trust = self._client.profile.trust
        if trust is None:
            raise InputError(_UNPINNED)
        return SnapshotStore(self._client.home.snapshots(trust.origin))

    def pull(self, tiers: Collection[Tier] | None = None) -> Pulled:
        """Make the newest snapshot current; ``tiers`` default to what the caller may have (near: with an account)."""
        transport = self._client.transport
        everything: tuple[Tier, ...] = ("exact", "near") if transport.token else ("exact",)
        chosen = everything if tiers is None else tiers
        if "near" in chosen and not transport.token:
            raise NotAllowedError("the near tier is for accounts: run `licet account create`, or pull the exact tier")

        def latest() -> Published:
            try:
                return msgspec.json.decode(transport.request("GET", "/snapshots/latest").body, type=Published)
            except msgspec.MsgspecError as error:
                raise ServiceError(f"expected a snapshot manifest from the service, got {unlike(error)}") from None

        def segment(digest: str, offset: int) -> Iterator[bytes]:
            with transport.stream(f"/snapshots/segments/{digest}", offset=offset) as chunks:
                yield from chunks

        keys, told = self._client.working_keys(), (self._client.trust(), self._client.registry().keys)
        folder = self._client.home.snapshots(told[0].origin)
        try:
            return pull(folder, keys, latest, segment, tiers=chosen, told=told)
        except VerificationError as error:
            wrong = wrong_clock(transport.clock_offset)
            if wrong is None:
                raise
            raise type(error)(f"{error.message}; {wrong}", **error.details) from None

    def keys(self) -> RegistryKeys:
        """Return the registry's working keys as the last pull kept them, under the pinned root; needs no network.

        Raises ``InputError`` if nothing was pulled here and ``VerificationError`` if they do not hold.
        """
        trust = self._client.profile.trust
        if trust is None:
            raise InputError(_UNPINNED)
        return verify_registry_keys(Trust(trust.origin, trust.root), self._kept())

    def pull_covering(self, log_index: int, seconds: float = PROMISED) -> Pulled:
        """Make the first snapshot current that covers log entry ``log_index``, waiting for it to be published.

        Raises ``ServiceError`` after ``seconds``: receipts promise a snapshot within 5 minutes.
        """
        deadline = time.monotonic() + seconds
        while True:
            pulled = self.pull()
            if pulled.manifest.log_size > log_index:
                return pulled
            if time.monotonic() > deadline:
                raise ServiceError(
                    f"no snapshot covers log entry {log_index} after {seconds:.0f} s: it changes nothing that "
                    "snapshots hold, such as an account, or the registry is late"
                )
            time.sleep(_LOOK_EVERY)

    def open(self, *, allow_expired: bool = False) -> Snapshot:
        """Return the current snapshot; raises ``InputError`` if none was pulled and ``ExpiredError`` past its time."""
        return self.store.current(allow_expired=allow_expired)

    def info(self) -> SnapshotInfo:
        """Return the current snapshot in figures."""
        return self.store.info()

    def pin(self) -> Pin:
        """Return what lets workers elsewhere decide from the current snapshot and no other; needs no network.

        Raises ``InputError`` if none was pulled and ``ExpiredError`` past its time: what is pinned is good for as long
        as a job takes.
        """
        now = times.to_text(times.now())
        return self.pin_of(self.store.published(), near=self.store.current().near, at=now)

    def pin_of(self, published: Published, *, near: bool, at: str) -> Pin:
        """Return what lets workers decide as of ``at`` from the snapshot ``published``, whose segments are here."""
        trust = self._client.profile.trust or self._client.trust()
        return Pin(
            digest=envelope_digest(published.envelope),
            url=self._client.url,
            origin=trust.origin,
            root=trust.root,
            published=published,
            keys=self._kept(),
            folder=str(self.store.segments),
            near=near,
            at=at,
        )

    def _kept(self) -> list[KeyEvidence]:
        found = self.store.keys()
        if found is None:
            raise InputError(f"{self.store.folder}: no snapshot here yet; `licet snapshot pull` fetches one")
        return found
