"""The synchronous client: one method an endpoint, returning the bodies of `licet.wire`.

``Client()`` reads the environment (``LICET_URL``, ``LICET_TOKEN``, ``LICET_HOME``, ``LICET_PROFILE``); what is given
wins over what is read. Reading needs no account; `snapshots` and `registry` pin the registry's root key at first
contact and refuse another one from then on, whatever address it answers at: another registry needs another profile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote as escape

import msgspec

from licet import times
from licet.errors import NotAllowedError, ServiceError, VerificationError
from licet.home import DEFAULT_URL, Home, Profile, TrustFile
from licet.identifiers import new_uuid
from licet.statements.envelope import Envelope
from licet.statements.kinds import Event, RegistryRef
from licet.statements.receipt import verify_receipt
from licet.statements.trust import RegistryKeys, Trust, verify_registry_keys
from licet.transport import Transport
from licet.wire import accounts, licensing, usage
from licet.wire import works as catalogue
from licet.wire.common import Page, StatementFile

if TYPE_CHECKING:
    from licet.fingerprints.picture import Fingerprint
    from licet.snapshots import ClientSnapshot

T = TypeVar("T")


class Client:
    """A connection to one registry as one profile; close it, or use it in a ``with``."""

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        home: Home | None = None,
        profile: str | None = None,
    ) -> None:
        self.home = home or Home()
        self.profile: Profile = self.home.profile(profile)
        account = self.profile.account
        self.url = url or os.environ.get("LICET_URL") or (account.url if account else DEFAULT_URL)
        chosen = token or os.environ.get("LICET_TOKEN") or self._own_token(account.url if account else None)
        self.transport = Transport(self.url, chosen)
        self._registry: accounts.RegistryInfo | None = None

    def _own_token(self, account_url: str | None) -> str | None:
        # A profile's token is for the service that gave it out, and is never shown to another.
        return self.profile.token if account_url and account_url.rstrip("/") == self.url.rstrip("/") else None

    # -- the registry ------------------------------------------------------------------------------------------

    def registry(self) -> accounts.RegistryInfo:
        """Return who the registry is, pinned: raises ``VerificationError`` if it shows another root key than before."""
        if self._registry is not None:
            return self._registry
        info = self._get("/v1/registry", accounts.RegistryInfo)
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

    def registry_ref(self) -> RegistryRef:
        """Return the reference that every payload for this registry carries."""
        info = self.registry()
        return RegistryRef(info.origin, info.key)

    def trust(self) -> Trust:
        """Return the pinned registry, pinned now if this is the first contact."""
        info = self.registry()
        return Trust(info.origin, info.root)

    def working_keys(self) -> RegistryKeys:
        """Return the registry's working keys, each named by the pinned root in a statement that the log holds."""
        info = self.registry()
        return verify_registry_keys(Trust(info.origin, info.root), info.keys)

    @property
    def snapshot(self) -> ClientSnapshot:
        """The snapshots of this client's registry: pull, open, pin."""
        from licet.snapshots import ClientSnapshot  # brings numpy: only for those who decide

        return ClientSnapshot(self)

    # -- accounts and tokens -----------------------------------------------------------------------------------

    def create_account(self, name: str, envelope: Envelope) -> accounts.AccountCreated:
        """Return the new account once its genesis is in the log, as its receipt proves."""
        created = self._post("/v1/accounts", accounts.AccountCreate(name, envelope), accounts.AccountCreated)
        verify_receipt(created.receipt, envelope, self.working_keys())
        return created

    def me(self) -> accounts.Me:
        """Return the caller's account, its keys and the head of its consents."""
        return self._get("/v1/me", accounts.Me)

    def create_token(self, scopes: Sequence[str], days: int = 90) -> accounts.TokenCreated:
        """Return a further token; asking again makes another one."""
        body = accounts.TokenCreate(list(scopes), days)
        return self._post("/v1/tokens", body, accounts.TokenCreated, key=new_uuid().hex)

    def tokens(self) -> Iterator[accounts.TokenInfo]:
        """Yield the account's tokens, without their secrets."""
        return self._pages("/v1/tokens", accounts.TokenInfo)

    def revoke_token(self, token: str) -> None:
        """Return once token id ``token`` opens nothing any more."""
        self.transport.request("DELETE", f"/v1/tokens/{escape(token)}")

    # -- works and statements ----------------------------------------------------------------------------------

    def upload(self, sha256: str, data: bytes) -> Fingerprint:
        """Return the service's own fingerprint of a picture; the service does not keep the picture."""
        from licet.fingerprints.picture import Fingerprint  # brings the picture libraries: only for those who upload

        answer = self.transport.request(
            "PUT", f"/v1/uploads/{sha256}", body=data, content_type="application/octet-stream"
        )
        return _as(answer.body, Fingerprint)

    def register_works(self, batch: Sequence[catalogue.WorkIn]) -> catalogue.WorksRegistered:
        """Return what became of each work, in order (at most 1,000)."""
        return self._post("/v1/works", catalogue.WorksRegister(list(batch)), catalogue.WorksRegistered)

    def works(self, **filters: str | int) -> Iterator[catalogue.Work]:
        """Yield the caller's works, page by page."""
        return self._pages("/v1/works", catalogue.Work, filters)

    def work(self, work: str) -> catalogue.Work:
        """Return one of the caller's works."""
        return self._get(f"/v1/works/{escape(work)}", catalogue.Work)

    def find_works(
        self, files: Sequence[str] = (), external_ids: Sequence[str] = (), works: Sequence[str] = ()
    ) -> list[catalogue.Work]:
        """Return the caller's works with these digests, external ids or names (at most 1,000 of each)."""
        body = catalogue.WorksFind(list(files), list(external_ids), list(works))
        return self._post("/v1/works/find", body, catalogue.WorksFound, key=None).works

    def change_works(self, changes: Sequence[catalogue.WorkChange]) -> list[catalogue.ChangeOutcome]:
        """Return what became of each change, in order (at most 1,000)."""
        return self._post("/v1/works/changes", catalogue.WorksChange(list(changes)), catalogue.WorksChanged).items

    def submit_statement(self, envelope: Envelope, covered: Sequence[str]) -> catalogue.StatementAccepted:
        """Return once the statement is in the log, as its receipt proves."""
        body = catalogue.StatementSubmit(envelope, list(covered))
        accepted = self._post("/v1/statements", body, catalogue.StatementAccepted)
        verify_receipt(accepted.receipt, envelope, self.working_keys())
        return accepted

    def statements(self) -> Iterator[catalogue.StatementInfo]:
        """Yield the caller's own statements."""
        return self._pages("/v1/statements", catalogue.StatementInfo)

    def statement_file(self, statement: str) -> bytes:
        """Return the statement file as sent: the bytes that `statement verify` takes."""
        answer = self.transport.request("GET", f"/v1/statements/{escape(statement)}")
        _as(answer.body, StatementFile)
        return answer.body

    # -- licensing ---------------------------------------------------------------------------------------------

    def query(
        self,
        request: dict[str, Any],
        rows: Sequence[licensing.RowKeys],
        match: Literal["exact", "near"] = "near",
        min_claim_level: int = 0,
    ) -> licensing.Answers:
        """Return the service's verdicts for at most 10,000 rows, as of its newest consent."""
        body = licensing.Query(request, list(rows), match, min_claim_level)
        return self._post("/v1/licensing/query", body, licensing.Answers, key=None)

    def quote(self, wanted: licensing.QuoteRequest) -> licensing.Quote:
        """Return an offer for the wanted works; nothing is taken yet."""
        return self._post("/v1/quotes", wanted, licensing.Quote, key=None)

    def accept(self, quote: str, envelope: Envelope) -> licensing.LicenceGranted:
        """Return the granted licence: both signatures, its lines, what was posted, its log receipt."""
        return self._post("/v1/licences", licensing.LicenceAccept(quote, envelope), licensing.LicenceGranted)

    def licences(self) -> Iterator[licensing.LicenceInfo]:
        """Yield the licences that the caller holds or has granted."""
        return self._pages("/v1/licences", licensing.LicenceInfo)

    def licence(self, licence: str) -> licensing.LicenceGranted:
        """Return one licence whole."""
        return self._get(f"/v1/licences/{escape(licence)}", licensing.LicenceGranted)

    # -- datasets, runs, usage, balance ------------------------------------------------------------------------

    def log_dataset(self, envelope: Envelope) -> usage.Logged:
        """Return once the dataset manifest is in the log."""
        return self._post("/v1/datasets", usage.StatementOnly(envelope), usage.Logged)

    def log_run(self, envelope: Envelope) -> usage.Logged:
        """Return once the training run is in the log."""
        return self._post("/v1/runs", usage.StatementOnly(envelope), usage.Logged)

    def submit_usage(self, envelope: Envelope, events: Sequence[Event], secret: str) -> usage.UsageAccepted:
        """Return once the batch is posted and in the log; sending it again has no second effect."""
        return self._post(
            "/v1/usage/batches", usage.UsageBatchSubmit(envelope, list(events), secret), usage.UsageAccepted
        )

    def balance(self) -> usage.Balance:
        """Return what the caller is owed or owes, per currency."""
        return self._get("/v1/ledger/balance", usage.Balance)

    def ledger(self, **filters: str | int) -> Iterator[usage.LedgerLine]:
        """Yield the ledger entries that the caller may see."""
        return self._pages("/v1/ledger/entries", usage.LedgerLine, filters)

    # -- plumbing ----------------------------------------------------------------------------------------------

    def _get(self, path: str, schema: type[T]) -> T:
        return _as(self.transport.request("GET", path).body, schema)

    def _post(self, path: str, body: msgspec.Struct, schema: type[T], key: str | bool | None = True) -> T:
        answer = self.transport.request("POST", path, body=msgspec.json.encode(body), idempotent=key or False)
        return _as(answer.body, schema)

    def _pages(self, path: str, schema: type[T], filters: dict[str, str | int] | None = None) -> Iterator[T]:
        params: dict[str, str | int] = {"limit": 200, **(filters or {})}
        while True:
            answer = self.transport.request("GET", path, params=params)
            page: Page[T] = _as(answer.body, Page[schema])  # type: ignore[valid-type]  # msgspec builds it at run time
            yield from page.items
            if page.next is None:
                return
            params = {**params, "cursor": page.next}

    def need_account(self) -> Profile:
        """Return the profile once it has an account and a key; raises ``NotAllowedError`` that says how to get one."""
        if self.profile.account is None or not self.profile.key_path.exists():
            raise NotAllowedError("no account in this profile: run `licet account create --kind … --name …` first")
        return self.profile

    def close(self) -> None:
        """Give back the connections."""
        self.transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _as(body: bytes, schema: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=schema)
    except msgspec.MsgspecError as error:
        raise ServiceError(f"expected the service's protocol, got something else: {error}") from None
