"""Who speaks to which registry as whom, and what is believed of it: one profile, one address, one pinned root key.

Holds no connection. What takes a question to the service is a flow (`licet.exchange.calls`), which both clients run.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import msgspec

from licet import times
from licet.client.endpoints import accounts as account_calls
from licet.client.endpoints import registry as registry_calls
from licet.client.endpoints import works as work_calls
from licet.errors import NotAllowedError, VerificationError
from licet.exchange.calls import Flow, ask
from licet.home import DEFAULT_URL, Home, Profile, TrustFile
from licet.identifiers import to_uuid
from licet.statements.envelope import Envelope
from licet.statements.kinds import RegistryRef
from licet.statements.receipt import verify_receipt
from licet.statements.trust import RegistryKeys, Trust, verify_registry_keys
from licet.wire import accounts
from licet.wire import works as catalogue


class Contact:
    """One profile and the registry that it speaks to. What is given wins over what the environment says.

    ``elsewhere`` is the address that the profile's token is for, where that is not shown to the one spoken to.
    """

    def __init__(self, url: str | None, token: str | None, home: Home | None, profile: str | None) -> None:
        self.home = home or Home()
        self.profile: Profile = self.home.profile(profile)
        account = self.profile.account
        self.url = url or os.environ.get("LICET_URL") or (account.url if account else DEFAULT_URL)
        self.token = token or os.environ.get("LICET_TOKEN") or self._own_token(account.url if account else None)
        self.elsewhere = account.url if account and not self.token and self.profile.token else None
        self._registry: accounts.RegistryInfo | None = None

    def _own_token(self, account_url: str | None) -> str | None:
        # A profile's token is for the service that gave it out, and is never shown to another.
        return self.profile.token if account_url and account_url.rstrip("/") == self.url.rstrip("/") else None

    def registry(self) -> Flow[accounts.RegistryInfo]:
        """Return who the registry is, pinned: raises ``VerificationError`` if it shows another root key than before."""
        if self._registry is not None:
            return self._registry
        info = yield from ask(registry_calls.registry())
        trust = self.profile.trust
        if info.key != Trust(info.origin, info.root).ref.key:
            raise VerificationError(f"expected the digest of root key {info.root[:16]}…, got {info.key[:16]}…")
        if trust is None:
            self.profile.trust = TrustFile(self.url, info.origin, info.root, times.to_text(times.now()))
        elif (trust.origin, trust.root) != (info.origin, info.root):
            raise VerificationError(
                f"expected the registry {trust.origin} with root key {trust.root[:16]}… as pinned on {trust.pinned_at},"
                f" got {info.origin} with {info.root[:16]}… at {self.url}; another registry needs another --profile or "
                f"LICET_HOME"
            )
        self._registry = info
        return info

    def trust(self) -> Flow[Trust]:
        """Return the pinned registry, pinned now if this is the first contact."""
        info = yield from self.registry()
        return Trust(info.origin, info.root)

    def registry_ref(self) -> Flow[RegistryRef]:
        """Return the reference that every payload for this registry carries."""
        info = yield from self.registry()
        return RegistryRef(info.origin, info.key)

    def working_keys(self) -> Flow[RegistryKeys]:
        """Return the registry's working keys, each named by the pinned root in a statement that the log holds."""
        info = yield from self.registry()
        return verify_registry_keys(Trust(info.origin, info.root), info.keys)

    def create_account(self, name: str, envelope: Envelope) -> Flow[accounts.AccountCreated]:
        """Return the new account once its genesis is in the log, as its receipt proves."""
        created = yield from ask(account_calls.create_account(name, envelope))
        keys = yield from self.working_keys()
        verify_receipt(created.receipt, envelope, keys)
        kept = catalogue.StatementKept(envelope, created.receipt, [])
        self.profile.keep_statement("genesis", msgspec.json.encode(kept))
        return created

    def submit_statement(
        self,
        envelope: Envelope,
        covered: Sequence[str],
        digests: Sequence[bytes],
        adds: Sequence[catalogue.WorkKeys],
    ) -> Flow[catalogue.StatementAccepted]:
        """Return once the statement is in the log, as its receipt proves, and kept with the digests that it covers."""
        accepted = yield from ask(work_calls.submit_statement(envelope, covered, adds))
        keys = yield from self.working_keys()
        verify_receipt(accepted.receipt, envelope, keys)
        kept = catalogue.StatementKept(envelope, accepted.receipt, list(covered), [each.hex() for each in digests])
        to_uuid(accepted.statement, "stm", field="statement")  # it becomes a file's name
        self.profile.keep_statement(accepted.statement, msgspec.json.encode(kept))
        return accepted

    def need_account(self) -> Profile:
        """Return the profile once it has an account and a key; raises ``NotAllowedError`` that says how to get one."""
        if self.profile.account is None or not self.profile.key_path.exists():
            raise NotAllowedError("no account in this profile: run `licet account create --kind … --name …` first")
        return self.profile
