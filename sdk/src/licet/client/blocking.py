"""The synchronous client: one method an endpoint, returning the bodies of `licet.wire`.

``Client()`` reads the environment (``LICET_URL``, ``LICET_TOKEN``, ``LICET_HOME``, ``LICET_PROFILE``,
``LICET_TIMEOUT``); what is given wins over what is read. Reading needs no account; `snapshots` and `registry` pin the
registry's root key at first contact and refuse another one from then on, whatever address it answers at: another
registry needs another profile.

What an endpoint takes and gives is said in `licet.client.endpoints`, once for both clients.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from licet.client import endpoints
from licet.client.contact import Contact
from licet.errors import LicetError
from licet.exchange.calls import Flow
from licet.exchange.retrying import Timeouts
from licet.home import Home, Profile
from licet.statements.envelope import Envelope
from licet.statements.kinds import Event, RegistryRef
from licet.statements.trust import RegistryKeys, Trust
from licet.transport import Transport
from licet.wire import accounts, agreements, auditing, erasure, licensing, revenue, settlement, usage
from licet.wire import claims as claiming
from licet.wire import disputes as disputing
from licet.wire import periods as months
from licet.wire import register as registered
from licet.wire import splits as sharing
from licet.wire import works as catalogue
from licet.wire.common import Page, StatementFile
from licet.wire.duties import DutyAccepted, DutyInfo, DutyShown, Revocable
from licet.wire.publishing import PublishedTerms

if TYPE_CHECKING:
    from licet.client.snapshots import ClientSnapshot
    from licet.fingerprints.picture import Fingerprint
    from licet.index.ranges import KeyRange

T = TypeVar("T")


class Client:
    """A connection to one registry as one profile; close it, or use it in a ``with``.

    ``timeout`` holds each step and the whole of every call (seconds), or says more as `licet.Timeouts`.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        home: Home | None = None,
        profile: str | None = None,
        timeout: Timeouts | float | None = None,
    ) -> None:
        self.contact = Contact(url, token, home, profile)
        self.transport = Transport(self.contact.url, self.contact.token, timeout=timeout)
        self.transport.elsewhere = self.contact.elsewhere

    @classmethod
    def over(cls, contact: Contact, transport: Transport) -> Self:
        """Return a client that speaks through ``transport``; it stays the caller's to close."""
        client = cls.__new__(cls)
        client.contact, client.transport = contact, transport
        return client

    @property
    def home(self) -> Home:
        """The folder that this client keeps things in."""
        return self.contact.home

    @property
    def profile(self) -> Profile:
        """The identity that this client speaks as."""
        return self.contact.profile

    @property
    def url(self) -> str:
        """Where the service is."""
        return self.contact.url

    # -- the registry ----------------------------------------------------------------------------------------

    def registry(self) -> accounts.RegistryInfo:
        """Return who the registry is, pinned: raises ``VerificationError`` if it shows another root key than before."""
        return self._run(self.contact.registry())

    def registry_ref(self) -> RegistryRef:
        """Return the reference that every payload for this registry carries."""
        return self._run(self.contact.registry_ref())

    def trust(self) -> Trust:
        """Return the pinned registry, pinned now if this is the first contact."""
        return self._run(self.contact.trust())

    def working_keys(self) -> RegistryKeys:
        """Return the registry's working keys, each named by the pinned root in a statement that the log holds."""
        return self._run(self.contact.working_keys())

    def checkpoint(self) -> str:
        """Return the log's newest signed checkpoint, a C2SP signed note, as sent: `licet.log.checkpoint` opens it."""
        return self.transport.do(endpoints.checkpoint())

    def log_key(self) -> str:
        """Return the C2SP verifier key that the log names as its own; what is pinned is in `registry`."""
        return self.transport.do(endpoints.log_key())

    def log_keys(self) -> str:
        """Return all that the log says of the registry's keys, as sent: `licet.statements.key_list` opens it."""
        return self.transport.do(endpoints.log_keys())

    @property
    def snapshot(self) -> ClientSnapshot:
        """The snapshots of this client's registry: pull, open, pin."""
        from licet.client.snapshots import ClientSnapshot  # brings numpy: only for those who decide

        return ClientSnapshot(self)

    # -- accounts and tokens ---------------------------------------------------------------------------------

    def create_account(self, name: str, envelope: Envelope) -> accounts.AccountCreated:
        """Return the new account once its genesis is in the log, as its receipt proves."""
        return self._run(self.contact.create_account(name, envelope))

    def me(self) -> accounts.Me:
        """Return the caller's account, its keys and the head of its consents."""
        return self.transport.do(endpoints.me())

    def erase_account(self, account: str, *, deny: bool = True, dry_run: bool = False) -> erasure.ErasureAnswer:
        """Return what was erased of ``account``, the caller's own, or would be; no token of it works afterwards."""
        return self.transport.do(endpoints.erase_account(account, deny, dry_run))

    def account_export(self, after: str | None = None) -> AbstractContextManager[Iterator[bytes]]:
        """Give the chunks of a tar of everything that is held of the account, behind the file named ``after``.

        It is whole where it ends with ``export.json``; not asked for again by itself.
        """
        return self.transport.stream(endpoints.account_export(after))

    def create_token(
        self, scopes: Sequence[str], days: int = 90, envelope: Envelope | None = None
    ) -> accounts.TokenCreated:
        """Return a further token; asking again makes another one.

        ``envelope``: a ``token-request`` by a root key, for scopes that the present token has not.
        """
        return self.transport.do(endpoints.create_token(scopes, days, envelope))

    def tokens(self, *, limit: int | None = None, **filters: str | int) -> Iterator[accounts.TokenInfo]:
        """Yield the account's tokens, without their secrets."""
        return self._pages(endpoints.tokens(limit, filters))

    def keys(self, *, limit: int | None = None, **filters: str | int) -> Iterator[accounts.KeyInfo]:
        """Yield the account's keys that are in the log."""
        return self._pages(endpoints.keys(limit, filters))

    def revoke_token(self, token: str) -> None:
        """Return once token id ``token`` opens nothing any more."""
        return self.transport.do(endpoints.revoke_token(token))

    # -- keys of the account ---------------------------------------------------------------------------------

    def add_key(self, envelope: Envelope) -> accounts.KeyAccepted:
        """Return once the key in a ``key-register`` is in the log; the new key signs first, then a live root key."""
        return self.transport.do(endpoints.add_key(envelope))

    def rotate_key(self, keyid: str, envelope: Envelope) -> accounts.KeyAccepted:
        """Return once a ``key-rotate`` has put a new key in the place of ``keyid``."""
        return self.transport.do(endpoints.rotate_key(keyid, envelope))

    def revoke_key(self, keyid: str, envelope: Envelope) -> accounts.KeyAccepted:
        """Return once a ``key-revoke`` has ended ``keyid``."""
        return self.transport.do(endpoints.revoke_key(keyid, envelope))

    def delegate(self, envelope: Envelope) -> accounts.KeyAccepted:
        """Return once a ``delegation`` is in force."""
        return self.transport.do(endpoints.delegate(envelope))

    def keep_recovery_codes(self, envelope: Envelope) -> accounts.RecoveryCodes:
        """Return how many recovery codes are kept, as digests that a root key has signed."""
        return self.transport.do(endpoints.keep_recovery_codes(envelope))

    def recover_account(self, account: str, code: str, envelope: Envelope) -> accounts.Recovered:
        """Return once a new key is in the log for an account that has lost its own; a code is used up."""
        return self.transport.do(endpoints.recover_account(account, code, envelope))

    def delegations(self, *, limit: int | None = None, **filters: str | int) -> Iterator[accounts.DelegationInfo]:
        """Yield the delegations that the account has given."""
        return self._pages(endpoints.delegations(limit, filters))

    def events(self, *, limit: int | None = None, **filters: str | int) -> Iterator[accounts.EventInfo]:
        """Yield what the account is told of."""
        return self._pages(endpoints.events(limit, filters))

    def alerts(self) -> accounts.Alerts:
        """Return which topics the artist is alerted of, and which nobody can switch off."""
        return self.transport.do(endpoints.alerts())

    def set_alerts(self, off: Sequence[str]) -> accounts.Alerts:
        """Return the alerts once topics ``off`` are switched off and all others on."""
        return self.transport.do(endpoints.set_alerts(off))

    # -- invitations into a team -----------------------------------------------------------------------------

    def create_invitation(
        self, key_class: Literal["root", "delegate"] = "root", days: int = 7, note: str = ""
    ) -> accounts.InvitationCreated:
        """Return a new invitation into the team with its link, shown this once; asking again makes another one."""
        return self.transport.do(endpoints.create_invitation(key_class, days, note))

    def invitations(self, *, limit: int | None = None, **filters: str | int) -> Iterator[accounts.InvitationInfo]:
        """Yield the team's invitations, without their secrets, and the keys that ask by them."""
        return self._pages(endpoints.invitations(limit, filters))

    def withdraw_invitation(self, invitation: str) -> accounts.InvitationInfo:
        """Return invitation id ``invitation`` once its link opens nothing any more."""
        return self.transport.do(endpoints.withdraw_invitation(invitation))

    def open_invitation(self, secret: str) -> accounts.InvitationSeen:
        """Return into which team the secret behind the ``#`` of a link invites, and what became of it."""
        return self.transport.do(endpoints.open_invitation(secret))

    def ask_to_join(self, secret: str, envelope: Envelope) -> accounts.InvitationSeen:
        """Return once the new key that signed the ``key-register`` waits to be let in; it uses the invitation up."""
        return self.transport.do(endpoints.ask_to_join(secret, envelope))

    # -- claims ----------------------------------------------------------------------------------------------

    def create_claim(self, domain: str) -> claiming.ClaimInfo:
        """Return the claim of ``domain``, with the value that its owner puts up; the same domain, the same claim."""
        return self.transport.do(endpoints.create_claim(domain))

    def claims(self, *, limit: int | None = None, **filters: str | int) -> Iterator[claiming.ClaimInfo]:
        """Yield the domains that the account claims."""
        return self._pages(endpoints.claims_of(limit, filters))

    def claim(self, claim: str) -> claiming.ClaimInfo:
        """Return one claim of the account."""
        return self.transport.do(endpoints.claim(claim))

    def check_claim(self, claim: str) -> claiming.ClaimChecked:
        """Return the claim after a look at its domain, and the account's level; a proof that was found is logged."""
        return self.transport.do(endpoints.check_claim(claim))

    def drop_claim(self, claim: str) -> claiming.ClaimDropped:
        """Return once the account no longer claims the domain; its level falls if it stood on that."""
        return self.transport.do(endpoints.drop_claim(claim))

    # -- works and statements --------------------------------------------------------------------------------

    def upload(self, sha256: str, data: bytes | Path, *, media_type: str = "application/octet-stream") -> Fingerprint:
        """Return the service's own fingerprint of a picture (bytes or a file); it does not keep the picture.

        With ``media_type`` text/plain or text/markdown it is a text.
        """
        return self.transport.do(endpoints.upload(sha256, data, media_type))

    def register_works(self, batch: Sequence[catalogue.WorkIn]) -> catalogue.WorksRegistered:
        """Return what became of each work, in order (at most 1,000)."""
        return self.transport.do(endpoints.register_works(batch))

    def works(self, *, limit: int | None = None, **filters: str | int) -> Iterator[catalogue.Work]:
        """Yield the caller's works, page by page."""
        return self._pages(endpoints.works(limit, filters))

    def work(self, work: str) -> catalogue.Work:
        """Return one of the caller's works."""
        return self.transport.do(endpoints.work(work))

    def find_works(
        self,
        files: Sequence[str] = (),
        external_ids: Sequence[str] = (),
        works: Sequence[str] = (),
        addresses: Sequence[str] = (),
    ) -> list[catalogue.Work]:
        """Return the caller's works with these digests, external ids, names or ``addresses_digest`` (at most 1,000 of
        each)."""
        return (self.transport.do(endpoints.find_works(files, external_ids, works, addresses))).works

    def change_works(self, changes: Sequence[catalogue.WorkChange]) -> list[catalogue.ChangeOutcome]:
        """Return what became of each change, in order (at most 1,000)."""
        return (self.transport.do(endpoints.change_works(changes))).items

    def change_work(
        self, work: str, change: catalogue.MetadataChange, *, revision: int | None = None
    ) -> catalogue.Work:
        """Return the work as changed; ``revision``: only while it is at that one, else ``ConflictError``."""
        return self.transport.do(endpoints.change_work(work, change, revision))

    def published_terms(self, work: str) -> PublishedTerms:
        """Return what counts of a public work's terms at this moment, as crawlers read it; nobody needs an account.

        Raises ``InputError`` for a work that is not public, or not yet.
        """
        return self.transport.do(endpoints.published_terms(work))

    def thumbnail(self, work: str) -> bytes:
        """Return a small WEBP of one of the caller's works whose picture was sent; raises ``InputError`` else."""
        return self.transport.do(endpoints.thumbnail(work))

    def draft_statement(
        self, covered: Sequence[str] | None, terms: dict[str, Any], lang: Literal["en", "zh-Hans"] = "en"
    ) -> catalogue.StatementDrafted:
        """Return the bytes to sign for terms of these works (None: of the catalogue) and their plain language."""
        return self.transport.do(endpoints.draft_statement(covered, terms, lang))

    def submit_statement(
        self,
        envelope: Envelope,
        covered: Sequence[str],
        *,
        digests: Sequence[bytes] = (),
        adds: Sequence[catalogue.WorkKeys] = (),
    ) -> catalogue.StatementAccepted:
        """Return once the statement is in the log, as its receipt proves.

        The home keeps it with the ``digests`` of the covered works, so that what is signed for them next can be held
        to it. ``adds`` is what an update of keys adds.
        """
        return self._run(self.contact.submit_statement(envelope, covered, digests, adds))

    def attest_statement(self, envelope: Envelope, covered: Sequence[str]) -> catalogue.StatementAccepted:
        """Return once the registry has signed and logged a statement in the account's place: it may only tighten."""
        return self.transport.do(endpoints.attest_statement(envelope, covered))

    def statements(self, *, limit: int | None = None, **filters: str | int) -> Iterator[catalogue.StatementInfo]:
        """Yield the caller's own statements."""
        return self._pages(endpoints.statements(limit, filters))

    def statement_file(self, statement: str) -> bytes:
        """Return the statement file as sent: the bytes that `statement verify` takes."""
        return self.transport.do(endpoints.statement_file(statement))

    def statement_receipt(self, statement: str) -> bytes:
        """Return the COSE receipt (RFC 9942) of a statement as sent, verified by nobody."""
        return self.transport.do(endpoints.statement_receipt(statement))

    # -- splits ----------------------------------------------------------------------------------------------

    def propose_split(self, envelope: Envelope) -> sharing.SplitAccepted:
        """Return the proposal once it is in the log; nothing is shared until everybody that it needs has signed it."""
        return self.transport.do(endpoints.propose_split(envelope))

    def answer_split(self, split: str, envelope: Envelope) -> sharing.SplitAccepted:
        """Return the split once the answer to it is in the log; with the last one that it needs it is in force."""
        return self.transport.do(endpoints.answer_split(split, envelope))

    def splits(self, *, limit: int | None = None, **filters: str | int) -> Iterator[sharing.SplitInfo]:
        """Yield the splits that the account proposed, has a share in, or is asked to sign."""
        return self._pages(endpoints.splits(limit, filters))

    def split(self, split: str) -> sharing.SplitShown:
        """Return one split with the very document that its co-owners sign."""
        return self.transport.do(endpoints.split(split))

    # -- agreements ------------------------------------------------------------------------------------------

    def request_licence(self, envelope: Envelope) -> agreements.RequestAccepted:
        """Return the request once it is in the log, and the artist can read it."""
        return self.transport.do(endpoints.request_licence(envelope))

    def answer_request(self, ask: str, envelope: Envelope) -> agreements.RequestAccepted:
        """Return the request once the answer to it is in the log."""
        return self.transport.do(endpoints.answer_request(ask, envelope))

    def reply_to_request(self, ask: str, envelope: Envelope) -> agreements.RequestAccepted:
        """Return the request once it is taken back, or the offer declined, in the log."""
        return self.transport.do(endpoints.reply_to_request(ask, envelope))

    def licence_requests(self, *, limit: int | None = None, **filters: str | int) -> Iterator[agreements.RequestInfo]:
        """Yield the requests for licences that the account made, or is asked."""
        return self._pages(endpoints.licence_requests(limit, filters))

    def licence_request(self, ask: str) -> agreements.RequestShown:
        """Return one request with the documents of both sides, each with all that proves it."""
        return self.transport.do(endpoints.licence_request(ask))

    def report_revenue(self, envelope: Envelope) -> revenue.RevenueAccepted:
        """Return the report once it is in the log, and counts at the next close."""
        return self.transport.do(endpoints.report_revenue(envelope))

    def revenue_reports(self, *, limit: int | None = None, **filters: str | int) -> Iterator[revenue.RevenueInfo]:
        """Yield the reports of revenue that the account made, or has a share in."""
        return self._pages(endpoints.revenue_reports(limit, filters))

    def awaited_reports(self, *, limit: int | None = None, **filters: str | int) -> Iterator[revenue.RevenueAwaited]:
        """Yield the months that are over, and of which nothing was reported."""
        return self._pages(endpoints.awaited_reports(limit, filters))

    def revenue_report(self, report: str) -> revenue.RevenueShown:
        """Return one report of revenue with its document, and all that proves it."""
        return self.transport.do(endpoints.revenue_report(report))

    def shares(self, licence: str, period: str, *, limit: int | None = None) -> Iterator[revenue.Share]:
        """Yield what an agreement owes at the close of a month, with the steps that lead there."""
        return self._pages(endpoints.shares(licence, period, limit))

    # -- duties ----------------------------------------------------------------------------------------------

    def revocable(self, licence: str) -> Revocable:
        """Return what of a licence the account can revoke, and on which conditions."""
        return self.transport.do(endpoints.revocable(licence))

    def revoke_licence(self, licence: str, envelope: Envelope) -> DutyAccepted:
        """Return the duty once the revocation that causes it is in the log."""
        return self.transport.do(endpoints.revoke_licence(licence, envelope))

    def duties(self, *, limit: int | None = None, **filters: str | int) -> Iterator[DutyInfo]:
        """Yield the duties that the account owes, caused by revoking licences, or audits."""
        return self._pages(endpoints.duties_of(limit, filters))

    def duty(self, duty: str) -> DutyShown:
        """Return one duty with the documents of both sides, each with all that proves it."""
        return self.transport.do(endpoints.duty(duty))

    def report_done(self, duty: str, envelope: Envelope) -> DutyAccepted:
        """Return the duty once the statement that it was done is in the log."""
        return self.transport.do(endpoints.report_done(duty, envelope))

    # -- licensing -------------------------------------------------------------------------------------------

    def query(
        self,
        request: dict[str, Any],
        rows: Sequence[licensing.RowKeys],
        match: Literal["exact", "near"] = "near",
        min_claim_level: int = 0,
    ) -> licensing.Answers:
        """Return the service's verdicts for at most 10,000 rows, as of its newest consent."""
        return self.transport.do(endpoints.query(request, rows, match, min_claim_level))

    def lookup(self, digests: Sequence[bytes], request: dict[str, Any], min_claim_level: int = 0) -> list[str]:
        """Return one verdict for each SHA-256 (32 bytes) of a file or of decoded pixels, at most 65,536 of them."""
        return self.transport.do(endpoints.lookup(digests, request, min_claim_level))

    def lookup_parts(
        self, pictures: Sequence[bytes], request: dict[str, Any], min_claim_level: int = 0
    ) -> licensing.PartsAnswers:
        """Return what is decided of pictures by the works that they show parts of: at most 64, 8 without a token.

        Of each its features are sent (``licet.derivative.extracting.asked_bytes``), not the picture.
        """
        return self.transport.do(endpoints.lookup_parts(pictures, request, min_claim_level))

    def range_size(self) -> licensing.RangeSize:
        """Return how many hexadecimal digits of a key the service is told for a range, and how many keys it holds."""
        return self.transport.do(endpoints.range_size())

    def key_range(self, prefix: str) -> KeyRange:
        """Return all that the service says of the keys that begin with ``prefix``, of which it learns no more."""
        return self.transport.do(endpoints.key_range(prefix))

    def quote(self, wanted: licensing.QuoteRequest) -> licensing.Quote:
        """Return an offer for the wanted works; nothing is taken yet."""
        return self.transport.do(endpoints.quote(wanted))

    def quotes(self, *, limit: int | None = None, **filters: str | int) -> Iterator[licensing.QuoteInfo]:
        """Yield the organisation's offers; one that nobody took stays for a day."""
        return self._pages(endpoints.quotes(limit, filters))

    def quoted(self, quote: str) -> licensing.Quote:
        """Return one offer, as it was made."""
        return self.transport.do(endpoints.quoted(quote))

    def accept(self, quote: str, envelope: Envelope) -> licensing.LicenceGranted:
        """Return the granted licence: both signatures, its lines, what was posted, its log receipt."""
        return self.transport.do(endpoints.accept(quote, envelope))

    def licences(self, *, limit: int | None = None, **filters: str | int) -> Iterator[licensing.LicenceInfo]:
        """Yield the licences that the caller holds or has granted."""
        return self._pages(endpoints.licences(limit, filters))

    def licence(self, licence: str) -> licensing.LicenceGranted:
        """Return one licence whole."""
        return self.transport.do(endpoints.licence(licence))

    # -- datasets, runs, usage, balance ----------------------------------------------------------------------

    def log_dataset(self, envelope: Envelope) -> usage.Logged:
        """Return once the dataset manifest is in the log."""
        return self.transport.do(endpoints.log_dataset(envelope))

    def datasets(self, *, limit: int | None = None, **filters: str | int) -> Iterator[usage.DatasetInfo]:
        """Yield the datasets that the organisation has logged."""
        return self._pages(endpoints.datasets(limit, filters))

    def log_run(self, envelope: Envelope) -> usage.Logged:
        """Return once the training run is in the log."""
        return self.transport.do(endpoints.log_run(envelope))

    def runs(self, *, limit: int | None = None, **filters: str | int) -> Iterator[usage.RunInfo]:
        """Yield the training runs that the organisation has logged."""
        return self._pages(endpoints.runs(limit, filters))

    def submit_usage(self, envelope: Envelope, events: Sequence[Event], secret: str) -> usage.UsageAccepted:
        """Return once the batch is posted and in the log; sending it again has no second effect."""
        if endpoints.fits_columns(events):
            try:
                return self.transport.do(endpoints.submit_usage_columns(envelope, events, secret))
            except LicetError as error:
                if error.status != endpoints.TAKES_OTHERS:
                    raise
        return self.transport.do(endpoints.submit_usage(envelope, events, secret))

    def usage_batches(self, *, limit: int | None = None, **filters: str | int) -> Iterator[usage.UsageBatchInfo]:
        """Yield the usage batches that the organisation has sent."""
        return self._pages(endpoints.usage_batches(limit, filters))

    def balance(self) -> usage.Balance:
        """Return what the caller is owed or owes, per currency."""
        return self.transport.do(endpoints.balance())

    def ledger(self, *, limit: int | None = None, **filters: str | int) -> Iterator[usage.LedgerLine]:
        """Yield the ledger entries that the caller may see."""
        return self._pages(endpoints.ledger(limit, filters))

    def invoices(self, *, limit: int | None = None, **filters: str | int) -> Iterator[settlement.InvoiceInfo]:
        """Yield the invoices and credit notes to the organisation, the newest first."""
        return self._pages(endpoints.invoices(limit, filters))

    def charges(self, *, limit: int | None = None, **filters: str | int) -> Iterator[settlement.ChargeInfo]:
        """Yield what the account was charged or credited, charge by charge, the newest first."""
        return self._pages(endpoints.charges(limit, filters))

    def open_dispute(self, envelope: Envelope) -> disputing.DisputeAccepted:
        """Return the dispute once it is in the log, and holds what it is about."""
        return self.transport.do(endpoints.open_dispute(envelope))

    def step_dispute(self, dispute: str, envelope: Envelope) -> disputing.DisputeAccepted:
        """Return the dispute once a step of it is in the log: an answer, withdrawal, appeal or acceptance."""
        return self.transport.do(endpoints.step_dispute(dispute, envelope))

    def disputes(self, *, limit: int | None = None, **filters: str | int) -> Iterator[disputing.DisputeInfo]:
        """Yield the disputes that the account is a party to, the newest first."""
        return self._pages(endpoints.disputes(limit, filters))

    def dispute(self, dispute: str) -> disputing.DisputeShown:
        """Return one dispute with the documents of both parties and the decision, each with all that proves it."""
        return self.transport.do(endpoints.dispute(dispute))

    def invoice(self, invoice: str) -> settlement.InvoiceShown:
        """Return one invoice with the payments and credit notes that count towards it."""
        return self.transport.do(endpoints.invoice(invoice))

    def invoice_lines(
        self, invoice: str, *, limit: int | None = None, **filters: str | int
    ) -> Iterator[settlement.InvoiceLine]:
        """Yield the lines of an invoice: transfers of the ledger with what they come from."""
        return self._pages(endpoints.invoice_lines(invoice, limit, filters))

    def set_payout(
        self,
        name: str,
        country: str,
        *,
        iban: str | None = None,
        bic: str | None = None,
        account: settlement.LocalAccount | None = None,
    ) -> settlement.Payout:
        """Return where the account is paid from now on, by an ``iban`` or an ``account`` where there are none.

        ``country`` is where the payee lives. Needs a token with scope ``payout``.
        """
        wanted = settlement.PayoutSet(name, country, iban, bic, account)
        return self.transport.do(endpoints.set_payout(wanted))

    def payout(self) -> settlement.PayoutNow:
        """Return where the account is paid, if it said so; of the account number only how it ends."""
        return self.transport.do(endpoints.payout())

    def remittances(self, *, limit: int | None = None, **filters: str | int) -> Iterator[settlement.RemittanceInfo]:
        """Yield what the account was paid, or is on its way to it, the newest first."""
        return self._pages(endpoints.remittances(limit, filters))

    def remittance_lines(
        self, remittance: str, *, limit: int | None = None, **filters: str | int
    ) -> Iterator[settlement.RemittanceLine]:
        """Yield the lines that a remittance paid: transfers of the ledger with what they come from."""
        return self._pages(endpoints.remittance_lines(remittance, limit, filters))

    # -- the register ------------------------------------------------------------------------------------------

    def describe_model(self, envelope: Envelope) -> usage.Logged:
        """Return once the model card is in the log; it is what counts for its version from then on."""
        return self.transport.do(endpoints.describe_model(envelope))

    def models(self, *, limit: int | None = None, **filters: str | int) -> Iterator[registered.ModelInfo]:
        """Yield the organisation's models."""
        return self._pages(endpoints.models(limit, filters))

    def model(self, model: str) -> registered.ModelInfo:
        """Return one model of the organisation."""
        return self.transport.do(endpoints.model(model))

    def model_versions(
        self, model: str, *, limit: int | None = None, **filters: str | int
    ) -> Iterator[registered.ModelVersionInfo]:
        """Yield the versions of a model of the organisation, and what each was trained on."""
        return self._pages(endpoints.model_versions(model, limit, filters))

    def dataset_version(self, dataset: str, *, against: str | None = None) -> registered.DatasetShown:
        """Return one version of a dataset of the organisation, and what differs from ``against`` or the one before."""
        return self.transport.do(endpoints.dataset(dataset, against))

    def registered_models(self, *, limit: int | None = None, **filters: str | int) -> Iterator[registered.ModelInfo]:
        """Yield the models of the public register."""
        return self._pages(endpoints.registered_models(limit, filters))

    def registered_model(self, model: str) -> registered.ModelInfo:
        """Return one model of the public register."""
        return self.transport.do(endpoints.registered_model(model))

    def registered_versions(
        self, model: str, *, limit: int | None = None, **filters: str | int
    ) -> Iterator[registered.ModelVersionInfo]:
        """Yield the listed versions of a model, and what each was trained on."""
        return self._pages(endpoints.registered_versions(model, limit, filters))

    def registered_datasets(
        self, *, limit: int | None = None, **filters: str | int
    ) -> Iterator[registered.DatasetVersion]:
        """Yield the versions of datasets in the public register."""
        return self._pages(endpoints.registered_datasets(limit, filters))

    def registered_dataset(self, dataset: str, *, against: str | None = None) -> registered.DatasetShown:
        """Return one version of a dataset in the public register, and what differs from the one before."""
        return self.transport.do(endpoints.registered_dataset(dataset, against))

    def registered_runs(self, *, limit: int | None = None, **filters: str | int) -> Iterator[registered.RegisteredRun]:
        """Yield the training runs of listed versions of models."""
        return self._pages(endpoints.registered_runs(limit, filters))

    def registered_statement(self, statement: str) -> bytes:
        """Return the file of a statement that the register shows: of a ``dst_…``, a ``run_…`` or a ``crd_…``."""
        return self.transport.do(endpoints.registered_statement(statement))

    def periods(self, *, limit: int | None = None, **filters: str | int) -> Iterator[months.PeriodInfo]:
        """Yield the months of the ledger: how far each has come, and what its close says of all of it."""
        return self._pages(endpoints.periods(limit, filters))

    def period_line(self, period: str) -> months.PeriodLines:
        """Return the caller's own lines of a closed month with their proofs (`licet.audit.closed.verify_own`)."""
        return self.transport.do(endpoints.period_line(period))

    def period_batches(
        self, period: str, *, limit: int | None = None, **filters: str | int
    ) -> Iterator[months.BatchProof]:
        """Yield the usage batches of a closed month with their proofs: all for an auditor, else the caller's own."""
        return self._pages(endpoints.period_batches(period, limit, filters))

    # -- findings ----------------------------------------------------------------------------------------------

    def state_finding(self, envelope: Envelope) -> auditing.FindingLogged:
        """Return once an auditor's finding is in the log, and whom it concerns was told of it."""
        return self.transport.do(endpoints.state_finding(envelope))

    def findings(self, *, limit: int | None = None, **filters: str | int) -> Iterator[auditing.FindingInfo]:
        """Yield the findings that an auditor stated, or that are about the caller's own books, the newest first."""
        return self._pages(endpoints.findings(limit, filters))

    def finding(self, finding: str) -> StatementFile:
        """Return one finding as a statement file, which `licet statement verify` takes."""
        return self.transport.do(endpoints.finding(finding))

    # -- plumbing ----------------------------------------------------------------------------------------------

    def need_account(self) -> Profile:
        """Return the profile once it has an account and a key; raises ``NotAllowedError`` that says how to get one."""
        return self.contact.need_account()

    def _run(self, flow: Flow[T]) -> T:
        answer: Any = None
        while True:
            try:
                call = flow.send(answer)
            except StopIteration as end:
                done: T = end.value
                return done
            answer = self.transport.do(call)

    def _pages(self, listing: endpoints.Listing[T]) -> Iterator[T]:
        page: Page[T] | None = None
        taken = 0
        while (call := listing.following(page, taken)) is not None:
            with listing.resumable(taken):
                page = self.transport.do(call)
            for item in listing.wanted(page, taken):
                taken += 1
                yield item

    def close(self) -> None:
        """Give back the connections."""
        self.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
