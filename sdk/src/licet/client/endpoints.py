"""Every endpoint once, as a pure description: what both clients ask, whoever waits for the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar
from urllib.parse import quote as escape

import msgspec

from licet.errors import InputError, MalformedError, ServiceError
from licet.exchange.calls import Body, Call, Filters, get, nothing, post, reader
from licet.exchange.retrying import idempotency_key
from licet.identifiers import new_uuid
from licet.statements.envelope import Envelope
from licet.statements.kinds import Event
from licet.wire import (
    accounts,
    agreements,
    auditing,
    claims,
    duties,
    erasure,
    licensing,
    publishing,
    revenue,
    settlement,
    usage,
)
from licet.wire import disputes as disputing
from licet.wire import periods as months
from licet.wire import register as registered
from licet.wire import splits as sharing
from licet.wire import works as catalogue
from licet.wire.common import Page, StatementFile

if TYPE_CHECKING:
    from licet.fingerprints.picture import Fingerprint
    from licet.index.ranges import KeyRange

T = TypeVar("T")
MAX_PAGE: Final = 200
_DIGEST: Final = 32  # bytes of a SHA-256
_PIECE: Final = 1 << 18  # bytes of an upload at a time


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A list that comes page by page; ``limit`` is the most items wanted, None for all."""

    first: Call[Page[T]]
    limit: int | None = None

    def following(self, page: Page[T] | None, taken: int) -> Call[Page[T]] | None:
        """Return the call for what follows ``page`` (None: the first) after ``taken`` items; None at the end."""
        if (self.limit is not None and taken >= self.limit) or (page is not None and page.next is None):
            return None
        size: Filters = {"limit": MAX_PAGE if self.limit is None else min(MAX_PAGE, self.limit)}
        place: Filters = {} if page is None or page.next is None else {"cursor": page.next}
        return replace(self.first, params={**self.first.params, **size, **place})

    def wanted(self, page: Page[T], taken: int) -> Sequence[T]:
        """Return the items of ``page`` that are still wanted after ``taken``, whatever number was sent."""
        return page.items if self.limit is None else page.items[: self.limit - taken]

    @contextmanager
    def resumable(self, taken: int) -> Iterator[None]:
        """Say of a refused cursor that the list has to be asked for anew: it was the service's, not the caller's."""
        try:
            yield
        except InputError as error:
            if taken and any(each.get("pointer") == "?cursor" for each in error.errors):
                raise ServiceError(
                    f"{self.first.path}: the service no longer knows where the list stood after {taken} items; "
                    f"ask for the list again",
                    **error.details,
                ) from None
            raise


def listed(
    operation: str, path: str, schema: type[T], filters: Filters | None, limit: int | None, *, scope: str | None
) -> Listing[T]:
    """Return the list at ``path`` of items that read as ``schema``."""
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        raise InputError.field("limit", "a count of items, None for all", limit)
    page: Any = Page[schema]  # type: ignore[valid-type]  # msgspec builds it at run time
    return Listing(get(operation, path, page, filters, scope=scope), limit)


# -- the registry --------------------------------------------------------------------------------------------------


def live() -> Call[None]:
    """Whether anything answers."""
    return Call("getLive", "GET", "/health/live", nothing)


def registry() -> Call[accounts.RegistryInfo]:
    """Who the registry says that it is."""
    return get("getRegistry", "/v1/registry", accounts.RegistryInfo)


def checkpoint() -> Call[str]:
    """What the log says of itself now."""
    return Call("getCheckpoint", "GET", "/log/checkpoint", _text("a signed checkpoint"))


def log_key() -> Call[str]:
    """The key that the log signs with."""
    return Call("getLogKey", "GET", "/log/vkey", _text("a verifier key"))


def log_keys() -> Call[str]:
    """Every statement about the registry's own keys, with its place in the log."""
    return Call("getLogKeys", "GET", "/log/keys", _text("the registry's key statements", ends="]"))


# -- accounts and tokens -------------------------------------------------------------------------------------------


def create_account(name: str, envelope: Envelope) -> Call[accounts.AccountCreated]:
    """A new account from its genesis."""
    body = accounts.AccountCreate(name, envelope)
    return post("createAccount", "/v1/accounts", body, accounts.AccountCreated)


def me() -> Call[accounts.Me]:
    """The caller's own account."""
    return get("getMe", "/v1/me", accounts.Me, scope="")


def erase_account(account: str, deny: bool, dry_run: bool) -> Call[erasure.ErasureAnswer]:
    """The end of the account, or what that would be."""
    body = erasure.ErasureRequest("" if dry_run else account, dry_run, deny)
    return post("eraseAccount", "/v1/me/erasure", body, erasure.ErasureAnswer, scope="account", key=new_uuid().hex)


def account_export(after: str | None) -> str:
    """The path of everything that is held of the account, behind the file named ``after``."""
    return "/v1/me/export" + ("" if after is None else f"?after={escape(after, safe='')}")


def create_token(scopes: Sequence[str], days: int, envelope: Envelope | None) -> Call[accounts.TokenCreated]:
    """A further token, another one each time."""
    body = accounts.TokenCreate(list(scopes), days, envelope)
    return post("createToken", "/v1/tokens", body, accounts.TokenCreated, scope="account", key=new_uuid().hex)


def tokens(limit: int | None, filters: Filters) -> Listing[accounts.TokenInfo]:
    """The account's tokens."""
    return listed("listTokens", "/v1/tokens", accounts.TokenInfo, filters, limit, scope="account")


def keys(limit: int | None, filters: Filters) -> Listing[accounts.KeyInfo]:
    """The account's keys."""
    return listed("listKeys", "/v1/keys", accounts.KeyInfo, filters, limit, scope="account")


def revoke_token(token: str) -> Call[None]:
    """The end of a token."""
    path = f"/v1/tokens/{escape(token, safe='')}"
    return Call("revokeToken", "DELETE", path, nothing, key=idempotency_key("DELETE", path), scope="account")


# -- keys of the account --------------------------------------------------------------------------------------------


def add_key(envelope: Envelope) -> Call[accounts.KeyAccepted]:
    """A further key."""
    return _key_statement("addKey", "/v1/keys", envelope)


def rotate_key(keyid: str, envelope: Envelope) -> Call[accounts.KeyAccepted]:
    """A new key in the place of another."""
    return _key_statement("rotateKey", f"/v1/keys/{escape(keyid, safe='')}/rotate", envelope)


def revoke_key(keyid: str, envelope: Envelope) -> Call[accounts.KeyAccepted]:
    """The end of a key."""
    return _key_statement("revokeKey", f"/v1/keys/{escape(keyid, safe='')}/revoke", envelope)


def delegate(envelope: Envelope) -> Call[accounts.KeyAccepted]:
    """What a delegate key may sign."""
    return _key_statement("delegate", "/v1/delegations", envelope)


def delegations(limit: int | None, filters: Filters) -> Listing[accounts.DelegationInfo]:
    """The delegations that the account has given."""
    return listed("listDelegations", "/v1/delegations", accounts.DelegationInfo, filters, limit, scope="account")


def create_invitation(key_class: Literal["root", "delegate"], days: int, note: str) -> Call[accounts.InvitationCreated]:
    """A link that invites somebody into the team, another one each time."""
    body = accounts.InvitationCreate(key_class, days, note)
    return post(
        "createInvitation", "/v1/invitations", body, accounts.InvitationCreated, scope="account", key=new_uuid().hex
    )


def invitations(limit: int | None, filters: Filters) -> Listing[accounts.InvitationInfo]:
    """The team's invitations."""
    return listed("listInvitations", "/v1/invitations", accounts.InvitationInfo, filters, limit, scope="account")


def withdraw_invitation(invitation: str) -> Call[accounts.InvitationInfo]:
    """The end of an invitation."""
    path = f"/v1/invitations/{escape(invitation, safe='')}"
    read = reader(accounts.InvitationInfo)
    return Call("withdrawInvitation", "DELETE", path, read, key=idempotency_key("DELETE", path), scope="account")


def open_invitation(secret: str) -> Call[accounts.InvitationSeen]:
    """What the secret of a link invites into."""
    body = accounts.InvitationSecret(secret)
    return post("openInvitation", "/v1/invitations/open", body, accounts.InvitationSeen, reads=True)


def ask_to_join(secret: str, envelope: Envelope) -> Call[accounts.InvitationSeen]:
    """A new key that asks to be let in."""
    body = accounts.InvitationAnswer(secret, envelope)
    return post("askToJoin", "/v1/invitations/ask", body, accounts.InvitationSeen)


def alerts() -> Call[accounts.Alerts]:
    """Which topics the artist is alerted of."""
    return get("getAlerts", "/v1/me/alerts", accounts.Alerts, scope="account")


def set_alerts(off: Sequence[str]) -> Call[accounts.Alerts]:
    """The topics that are off; said again later it may mean something new, so the key is."""
    body, key = Body(msgspec.json.encode(accounts.AlertsSet(list(off)))), new_uuid().hex
    read = reader(accounts.Alerts)
    return Call("setAlerts", "PUT", "/v1/me/alerts", read, body=body, key=key, scope="account")


def keep_recovery_codes(envelope: Envelope) -> Call[accounts.RecoveryCodes]:
    """The digests of codes that recover the account."""
    body = accounts.KeyStatement(envelope)
    return post("keepRecoveryCodes", "/v1/recovery-codes", body, accounts.RecoveryCodes, scope="account")


def recover_account(account: str, code: str, envelope: Envelope) -> Call[accounts.Recovered]:
    """A new key for an account that has lost its own."""
    body = accounts.Recovery(account, code, envelope)
    return post("recoverAccount", "/v1/recoveries", body, accounts.Recovered)


def events(limit: int | None, filters: Filters) -> Listing[accounts.EventInfo]:
    """What the account is told of."""
    return listed("listEvents", "/v1/events", accounts.EventInfo, filters, limit, scope="account")


def create_claim(domain: str) -> Call[claims.ClaimInfo]:
    """A domain to prove: the same domain is the same claim, but what is told of it changes, so the key is new."""
    body = claims.ClaimWanted(domain)
    return post("createClaim", "/v1/claims", body, claims.ClaimInfo, scope="account", key=new_uuid().hex)


def claims_of(limit: int | None, filters: Filters) -> Listing[claims.ClaimInfo]:
    """The domains that the account claims."""
    return listed("listClaims", "/v1/claims", claims.ClaimInfo, filters, limit, scope="account")


def claim(claim: str) -> Call[claims.ClaimInfo]:
    """One claim of the account."""
    return get("getClaim", f"/v1/claims/{escape(claim, safe='')}", claims.ClaimInfo, scope="account")


def check_claim(claim: str) -> Call[claims.ClaimChecked]:
    """A look at a claimed domain, another one each time."""
    path = f"/v1/claims/{escape(claim, safe='')}/check"
    return Call("checkClaim", "POST", path, reader(claims.ClaimChecked), key=new_uuid().hex, scope="account")


def drop_claim(claim: str) -> Call[claims.ClaimDropped]:
    """The end of a claim."""
    path = f"/v1/claims/{escape(claim, safe='')}"
    key = idempotency_key("DELETE", path)
    return Call("dropClaim", "DELETE", path, reader(claims.ClaimDropped), key=key, scope="account")


def _key_statement(operation: str, path: str, envelope: Envelope) -> Call[accounts.KeyAccepted]:
    return post(operation, path, accounts.KeyStatement(envelope), accounts.KeyAccepted, scope="account")


# -- works and statements ------------------------------------------------------------------------------------------


def upload(sha256: str, data: bytes | Path, media_type: str = "application/octet-stream") -> Call[Fingerprint]:
    """A picture, or a text where ``media_type`` says so, to be fingerprinted; a file is read anew for each attempt."""
    from licet.fingerprints.picture import Fingerprint  # brings the picture libraries: only for those who upload

    path = f"/v1/uploads/{escape(sha256, safe='')}"
    if isinstance(data, bytes):
        body = Body(data, media_type)
    else:
        try:
            size = data.stat().st_size
        except OSError as error:
            raise InputError(f"{data}: expected a readable file, got {error.strerror}") from None
        body = Body(lambda: _pieces(data), media_type, size)
    key = idempotency_key("PUT", path)  # the digest of the content is in the path
    return Call("uploadPicture", "PUT", path, reader(Fingerprint), body=body, key=key, scope="register")


def thumbnail(work: str) -> Call[bytes]:
    """A small picture of one of the caller's works."""

    def read(body: bytes) -> bytes:
        if not body.startswith(b"RIFF"):
            raise ServiceError("expected the service's protocol, got something else than a WEBP")
        return body

    return Call("getThumbnail", "GET", f"/v1/works/{escape(work, safe='')}/thumbnail", read, scope="register")


def published_terms(work: str) -> Call[publishing.PublishedTerms]:
    """What everybody is told of a work's terms."""
    return get("getWorkTerms", f"/works/{escape(work, safe='')}/terms.json", publishing.PublishedTerms)


def register_works(batch: Sequence[catalogue.WorkIn]) -> Call[catalogue.WorksRegistered]:
    """Works to register."""
    body = catalogue.WorksRegister(list(batch))
    return post("registerWorks", "/v1/works", body, catalogue.WorksRegistered, scope="register")


def works(limit: int | None, filters: Filters) -> Listing[catalogue.Work]:
    """The caller's works."""
    return listed("listWorks", "/v1/works", catalogue.Work, filters, limit, scope="register")


def work(work: str) -> Call[catalogue.Work]:
    """One of the caller's works."""
    return get("getWork", f"/v1/works/{escape(work, safe='')}", catalogue.Work, scope="register")


def find_works(
    files: Sequence[str], external_ids: Sequence[str], works: Sequence[str], addresses: Sequence[str] = ()
) -> Call[catalogue.WorksFound]:
    """The caller's works with these keys."""
    body = catalogue.WorksFind(list(files), list(external_ids), list(works), list(addresses))
    return post("findWorks", "/v1/works/find", body, catalogue.WorksFound, scope="register", reads=True)


def change_works(changes: Sequence[catalogue.WorkChange]) -> Call[catalogue.WorksChanged]:
    """Changes of metadata.

    Changes that name no revision may be meant again later, after others: their key is new each time.
    """
    body = catalogue.WorksChange(list(changes))
    key = None if all(change.revision is not None for change in changes) else new_uuid().hex
    return post("changeWorks", "/v1/works/changes", body, catalogue.WorksChanged, scope="register", key=key)


def change_work(work: str, change: catalogue.MetadataChange, revision: int | None) -> Call[catalogue.Work]:
    """A change of one work's metadata; without a revision it may be meant again later, so its key is new each time."""
    path = f"/v1/works/{escape(work, safe='')}"
    content = msgspec.json.encode(change)
    held = {} if revision is None else {"If-Match": f'"{revision}"'}
    key = new_uuid().hex if revision is None else idempotency_key("PATCH", path, str(revision), content)
    return Call(
        "changeWork", "PATCH", path, reader(catalogue.Work), body=Body(content), key=key, scope="register", headers=held
    )


def draft_statement(
    covered: Sequence[str] | None, terms: dict[str, Any], lang: Literal["en", "zh-Hans"]
) -> Call[catalogue.StatementDrafted]:
    """What would be signed."""
    body = catalogue.StatementDraft(None if covered is None else list(covered), terms, lang)
    return post(
        "draftStatement", "/v1/statements/draft", body, catalogue.StatementDrafted, scope="register", reads=True
    )


def submit_statement(
    envelope: Envelope, covered: Sequence[str], adds: Sequence[catalogue.WorkKeys] = ()
) -> Call[catalogue.StatementAccepted]:
    """A signed statement about works, and what it adds to them if it is an update of keys."""
    body = catalogue.StatementSubmit(envelope, list(covered), list(adds))
    return post("submitStatement", "/v1/statements", body, catalogue.StatementAccepted, scope="register")


def attest_statement(envelope: Envelope, covered: Sequence[str]) -> Call[catalogue.StatementAccepted]:
    """A statement for the registry to sign in the account's place."""
    body = catalogue.StatementSubmit(envelope, list(covered))
    return post("attestStatement", "/v1/statements/attest", body, catalogue.StatementAccepted, scope="account")


def statements(limit: int | None, filters: Filters) -> Listing[catalogue.StatementInfo]:
    """The caller's own statements."""
    return listed("listStatements", "/v1/statements", catalogue.StatementInfo, filters, limit, scope="register")


def statement_file(statement: str) -> Call[bytes]:
    """A statement file, as sent."""
    holds = reader(StatementFile)

    def read(body: bytes) -> bytes:
        holds(body)
        return body

    return Call("getStatementFile", "GET", f"/v1/statements/{escape(statement, safe='')}", read)


def statement_receipt(statement: str) -> Call[bytes]:
    """A COSE receipt, as sent."""
    return Call("getStatementReceipt", "GET", f"/v1/statements/{escape(statement, safe='')}/receipt.cose", bytes)


# -- splits ---------------------------------------------------------------------------------------------------------


def propose_split(envelope: Envelope) -> Call[sharing.SplitAccepted]:
    """A signed proposal of how what works earn is shared."""
    return post("proposeSplit", "/v1/splits", sharing.SplitSubmit(envelope), sharing.SplitAccepted, scope="register")


def answer_split(split: str, envelope: Envelope) -> Call[sharing.SplitAccepted]:
    """A signed answer to a proposal."""
    path = f"/v1/splits/{escape(split, safe='')}/answers"
    return post("answerSplit", path, sharing.SplitSubmit(envelope), sharing.SplitAccepted, scope="register")


def splits(limit: int | None, filters: Filters) -> Listing[sharing.SplitInfo]:
    """The splits that the account has a say in."""
    return listed("listSplits", "/v1/splits", sharing.SplitInfo, filters, limit, scope="register")


def split(split: str) -> Call[sharing.SplitShown]:
    """One split with its document."""
    return get("getSplit", f"/v1/splits/{escape(split, safe='')}", sharing.SplitShown, scope="register")


# -- agreements -----------------------------------------------------------------------------------------------------


def request_licence(envelope: Envelope) -> Call[agreements.RequestAccepted]:
    """A signed request to an artist."""
    body = agreements.AgreementSubmit(envelope)
    return post("requestLicence", "/v1/licence-requests", body, agreements.RequestAccepted, scope="license")


def answer_request(ask: str, envelope: Envelope) -> Call[agreements.RequestAccepted]:
    """A signed answer to a request."""
    path = f"/v1/licence-requests/{escape(ask, safe='')}/answers"
    body = agreements.AgreementSubmit(envelope)
    return post("answerLicenceRequest", path, body, agreements.RequestAccepted, scope="register")


def reply_to_request(ask: str, envelope: Envelope) -> Call[agreements.RequestAccepted]:
    """A signed reply of the organisation that asks."""
    path = f"/v1/licence-requests/{escape(ask, safe='')}/replies"
    body = agreements.AgreementSubmit(envelope)
    return post("replyToLicenceRequest", path, body, agreements.RequestAccepted, scope="license")


def licence_requests(limit: int | None, filters: Filters) -> Listing[agreements.RequestInfo]:
    """Requests that the account made, or is asked."""
    path = "/v1/licence-requests"
    return listed("listLicenceRequests", path, agreements.RequestInfo, filters, limit, scope="register")


def licence_request(ask: str) -> Call[agreements.RequestShown]:
    """One request with its documents."""
    path = f"/v1/licence-requests/{escape(ask, safe='')}"
    return get("getLicenceRequest", path, agreements.RequestShown, scope="register")


def report_revenue(envelope: Envelope) -> Call[revenue.RevenueAccepted]:
    """Put a signed ``revenue-report`` into the log: what is divided at the close of its month."""
    body = revenue.RevenueSubmit(envelope)
    return post("reportRevenue", "/v1/revenue-reports", body, revenue.RevenueAccepted, scope="usage")


def revenue_reports(limit: int | None, filters: Filters) -> Listing[revenue.RevenueInfo]:
    """List the reports of revenue that one made, or has a share in."""
    return listed("listRevenueReports", "/v1/revenue-reports", revenue.RevenueInfo, filters, limit, scope="usage")


def awaited_reports(limit: int | None, filters: Filters) -> Listing[revenue.RevenueAwaited]:
    """List the months that are over, and of which nothing was reported."""
    path = "/v1/revenue-reports/awaited"
    return listed("listAwaitedRevenueReports", path, revenue.RevenueAwaited, filters, limit, scope="usage")


def revenue_report(report: str) -> Call[revenue.RevenueShown]:
    """Show one report of revenue with its document."""
    path = f"/v1/revenue-reports/{escape(report, safe='')}"
    return get("getRevenueReport", path, revenue.RevenueShown, scope="usage")


def shares(licence: str, period: str, limit: int | None) -> Listing[revenue.Share]:
    """List what an agreement owes at the close of a month, and how that came about."""
    path = f"/v1/licences/{escape(licence, safe='')}/shares"
    return listed("listShares", path, revenue.Share, {"period": period}, limit, scope="usage")


# -- duties ---------------------------------------------------------------------------------------------------------


def revocable(licence: str) -> Call[duties.Revocable]:
    """What of a licence can be revoked."""
    path = f"/v1/licences/{escape(licence, safe='')}/revocation"
    return get("getRevocation", path, duties.Revocable, scope="register")


def revoke_licence(licence: str, envelope: Envelope) -> Call[duties.DutyAccepted]:
    """A signed revocation."""
    path = f"/v1/licences/{escape(licence, safe='')}/revocation"
    return post("revokeLicence", path, duties.DutySubmit(envelope), duties.DutyAccepted, scope="register")


def duties_of(limit: int | None, filters: Filters) -> Listing[duties.DutyInfo]:
    """Duties that the account owes, caused or audits."""
    return listed("listDuties", "/v1/duties", duties.DutyInfo, filters, limit, scope="usage")


def duty(number: str) -> Call[duties.DutyShown]:
    """One duty with its documents."""
    return get("getDuty", f"/v1/duties/{escape(number, safe='')}", duties.DutyShown, scope="usage")


def report_done(number: str, envelope: Envelope) -> Call[duties.DutyAccepted]:
    """A signed statement that a duty was done."""
    path = f"/v1/duties/{escape(number, safe='')}/done"
    return post("reportDutyDone", path, duties.DutySubmit(envelope), duties.DutyAccepted, scope="usage")


# -- licensing -----------------------------------------------------------------------------------------------------


def query(
    request: dict[str, Any], rows: Sequence[licensing.RowKeys], match: Literal["exact", "near"], min_claim_level: int
) -> Call[licensing.Answers]:
    """A question about rows."""
    body = licensing.Query(request, list(rows), match, min_claim_level)
    return post("query", "/v1/licensing/query", body, licensing.Answers, reads=True)


def lookup(digests: Sequence[bytes], request: dict[str, Any], min_claim_level: int) -> Call[list[str]]:
    """A question about digests alone: 32 bytes a key out, one byte a verdict back."""
    from licet.decisions.verdicts import VERDICTS

    for place, digest in enumerate(digests):
        if len(digest) != _DIGEST:
            raise InputError.field(f"digests[{place}]", "the 32 bytes of a SHA-256", digest)
    asked = {"use" if name == "uses" else name: _parameter(value) for name, value in request.items()}
    params = {**asked, "min_claim_level": min_claim_level}

    def read(body: bytes) -> list[str]:
        if len(body) != len(digests) or any(code >= len(VERDICTS) for code in body):
            raise ServiceError(
                f"expected {len(digests)} verdicts from the service, got {len(body)} bytes", foreign=True
            )
        return [VERDICTS[code] for code in body]

    body = Body(b"".join(digests), "application/octet-stream")
    return Call("lookup", "POST", "/v1/licensing/lookup", read, params=params, body=body)


def lookup_parts(
    pictures: Sequence[bytes], request: dict[str, Any], min_claim_level: int
) -> Call[licensing.PartsAnswers]:
    """A question about the features of pictures: of which works they show parts, and what that comes to."""
    from licet.derivative.asking import packed

    asked = {"use" if name == "uses" else name: _parameter(value) for name, value in request.items()}
    params = {**asked, "min_claim_level": min_claim_level}

    def read(body: bytes) -> licensing.PartsAnswers:
        found = reader(licensing.PartsAnswers)(body)
        if len(found.results) != len(pictures):
            raise ServiceError(
                f"expected {len(pictures)} answers from the service, got {len(found.results)}", foreign=True
            )
        return found

    body = Body(packed(pictures), "application/octet-stream")
    return Call("lookupParts", "POST", "/v1/licensing/parts", read, params=params, body=body)


def range_size() -> Call[licensing.RangeSize]:
    """How many digits of a key are told for a range."""
    return get("getRangeSize", "/v1/licensing/ranges", licensing.RangeSize)


def key_range(prefix: str) -> Call[KeyRange]:
    """All that is said of the keys that begin with ``prefix``."""
    from licet.index.ranges import WHOLE, KeyRange

    def read(body: bytes) -> KeyRange:
        try:
            return KeyRange.parse(body, prefix)
        except MalformedError as error:
            raise ServiceError(f"expected a range of keys from the service: {error.message}", foreign=True) from None

    return Call("getRange", "GET", f"/v1/licensing/ranges/{escape(prefix or WHOLE, safe='')}", read)


def quote(wanted: licensing.QuoteRequest) -> Call[licensing.Quote]:
    """An offer; asking twice makes two, and neither binds anybody."""
    return post("createQuote", "/v1/quotes", wanted, licensing.Quote, scope="license", reads=True)


def quotes(limit: int | None, filters: Filters) -> Listing[licensing.QuoteInfo]:
    """The organisation's offers."""
    return listed("listQuotes", "/v1/quotes", licensing.QuoteInfo, filters, limit, scope="license")


def quoted(quote: str) -> Call[licensing.Quote]:
    """One offer whole."""
    return get("getQuote", f"/v1/quotes/{escape(quote, safe='')}", licensing.Quote, scope="license")


def accept(quote: str, envelope: Envelope) -> Call[licensing.LicenceGranted]:
    """The acceptance of an offer."""
    body = licensing.LicenceAccept(quote, envelope)
    return post("acceptQuote", "/v1/licences", body, licensing.LicenceGranted, scope="license")


def licences(limit: int | None, filters: Filters) -> Listing[licensing.LicenceInfo]:
    """Licences held or granted."""
    return listed("listLicences", "/v1/licences", licensing.LicenceInfo, filters, limit, scope="license")


def licence(licence: str) -> Call[licensing.LicenceGranted]:
    """One licence whole."""
    path = f"/v1/licences/{escape(licence, safe='')}"
    return get("getLicence", path, licensing.LicenceGranted, scope="license")


# -- datasets, runs, usage, balance --------------------------------------------------------------------------------


def log_dataset(envelope: Envelope) -> Call[usage.Logged]:
    """A dataset manifest for the log."""
    return post("logDataset", "/v1/datasets", usage.StatementOnly(envelope), usage.Logged, scope="usage")


def datasets(limit: int | None, filters: Filters) -> Listing[usage.DatasetInfo]:
    """The organisation's datasets."""
    return listed("listDatasets", "/v1/datasets", usage.DatasetInfo, filters, limit, scope="usage")


def log_run(envelope: Envelope) -> Call[usage.Logged]:
    """A training run for the log."""
    return post("logRun", "/v1/runs", usage.StatementOnly(envelope), usage.Logged, scope="usage")


def runs(limit: int | None, filters: Filters) -> Listing[usage.RunInfo]:
    """The organisation's training runs."""
    return listed("listRuns", "/v1/runs", usage.RunInfo, filters, limit, scope="usage")


MANY_EVENTS: Final = 1_000
"""From here on a batch is sent as Arrow to a service that takes it."""
TAKES_OTHERS: Final = 415


def fits_columns(events: Sequence[Event]) -> bool:
    """Return whether a batch is worth sending as Arrow, which has no columns for corrections."""
    return len(events) >= MANY_EVENTS and events[0].corrects is msgspec.UNSET


def submit_usage(envelope: Envelope, events: Sequence[Event], secret: str) -> Call[usage.UsageAccepted]:
    """A batch of usage."""
    body = usage.UsageBatchSubmit(envelope, list(events), secret)
    return post("submitUsage", "/v1/usage/batches", body, usage.UsageAccepted, scope="usage")


def submit_usage_columns(envelope: Envelope, events: Sequence[Event], secret: str) -> Call[usage.UsageAccepted]:
    """The same batch as one Arrow stream, which a service that does not know of it refuses with 415."""
    from licet.wire.usage_arrow import MEDIA_TYPE, packed  # brings Arrow: only for those with many events

    path = "/v1/usage/batches"
    content = packed(envelope, events, secret)
    key = idempotency_key("POST", path, content)
    body = Body(content, MEDIA_TYPE)
    return Call("submitUsage", "POST", path, reader(usage.UsageAccepted), body=body, key=key, scope="usage")


def usage_batches(limit: int | None, filters: Filters) -> Listing[usage.UsageBatchInfo]:
    """The organisation's usage batches."""
    return listed("listUsage", "/v1/usage/batches", usage.UsageBatchInfo, filters, limit, scope="usage")


def balance() -> Call[usage.Balance]:
    """What is owed."""
    return get("getBalance", "/v1/ledger/balance", usage.Balance, scope="usage")


def ledger(limit: int | None, filters: Filters) -> Listing[usage.LedgerLine]:
    """Ledger entries."""
    return listed("listEntries", "/v1/ledger/entries", usage.LedgerLine, filters, limit, scope="usage")


def invoices(limit: int | None, filters: Filters) -> Listing[settlement.InvoiceInfo]:
    """Invoices to the organisation."""
    return listed("listInvoices", "/v1/invoices", settlement.InvoiceInfo, filters, limit, scope="usage")


def charges(limit: int | None, filters: Filters) -> Listing[settlement.ChargeInfo]:
    """What the account was charged or credited."""
    return listed("listCharges", "/v1/charges", settlement.ChargeInfo, filters, limit, scope="usage")


def open_dispute(envelope: Envelope) -> Call[disputing.DisputeAccepted]:
    """A signed step that opens a dispute."""
    body = disputing.DisputeSubmit(envelope)
    return post("openDispute", "/v1/disputes", body, disputing.DisputeAccepted, scope="register")


def step_dispute(dispute: str, envelope: Envelope) -> Call[disputing.DisputeAccepted]:
    """A signed answer to a dispute, its withdrawal, an appeal or an acceptance of what was decided."""
    path = f"/v1/disputes/{escape(dispute, safe='')}/steps"
    body = disputing.DisputeSubmit(envelope)
    return post("stepDispute", path, body, disputing.DisputeAccepted, scope="register")


def disputes(limit: int | None, filters: Filters) -> Listing[disputing.DisputeInfo]:
    """The disputes that the account is a party to."""
    return listed("listDisputes", "/v1/disputes", disputing.DisputeInfo, filters, limit, scope="register")


def dispute(dispute: str) -> Call[disputing.DisputeShown]:
    """One dispute with its documents."""
    path = f"/v1/disputes/{escape(dispute, safe='')}"
    return get("getDispute", path, disputing.DisputeShown, scope="register")


def invoice(invoice: str) -> Call[settlement.InvoiceShown]:
    """One invoice with what was paid of it."""
    path = f"/v1/invoices/{escape(invoice, safe='')}"
    return get("getInvoice", path, settlement.InvoiceShown, scope="usage")


def invoice_lines(invoice: str, limit: int | None, filters: Filters) -> Listing[settlement.InvoiceLine]:
    """The lines of an invoice."""
    path = f"/v1/invoices/{escape(invoice, safe='')}/lines"
    return listed("listInvoiceLines", path, settlement.InvoiceLine, filters, limit, scope="usage")


def set_payout(wanted: settlement.PayoutSet) -> Call[settlement.Payout]:
    """Where the account is to be paid; said again later it may mean something new, so the key is."""
    content = msgspec.json.encode(wanted)
    key = new_uuid().hex
    path = "/v1/me/payout"
    return Call("setPayout", "PUT", path, reader(settlement.Payout), body=Body(content), key=key, scope="payout")


def payout() -> Call[settlement.PayoutNow]:
    """Where the account is paid."""
    return get("getPayout", "/v1/me/payout", settlement.PayoutNow, scope="account")


def remittances(limit: int | None, filters: Filters) -> Listing[settlement.RemittanceInfo]:
    """What the account was paid."""
    return listed("listRemittances", "/v1/remittances", settlement.RemittanceInfo, filters, limit, scope="usage")


def remittance_lines(remittance: str, limit: int | None, filters: Filters) -> Listing[settlement.RemittanceLine]:
    """The lines that a remittance paid."""
    path = f"/v1/remittances/{escape(remittance, safe='')}/lines"
    return listed("listRemittanceLines", path, settlement.RemittanceLine, filters, limit, scope="usage")


# -- the register --------------------------------------------------------------------------------------------------


def describe_model(envelope: Envelope) -> Call[usage.Logged]:
    """A model card for the log."""
    return post("describeModel", "/v1/models", usage.StatementOnly(envelope), usage.Logged, scope="usage")


def models(limit: int | None, filters: Filters) -> Listing[registered.ModelInfo]:
    """The organisation's models."""
    return listed("listModels", "/v1/models", registered.ModelInfo, filters, limit, scope="usage")


def model(model: str) -> Call[registered.ModelInfo]:
    """One model of the organisation."""
    return get("getModel", f"/v1/models/{escape(model, safe='')}", registered.ModelInfo, scope="usage")


def model_versions(model: str, limit: int | None, filters: Filters) -> Listing[registered.ModelVersionInfo]:
    """The versions of a model of the organisation."""
    path = f"/v1/models/{escape(model, safe='')}/versions"
    return listed("listModelVersions", path, registered.ModelVersionInfo, filters, limit, scope="usage")


def dataset(dataset: str, against: str | None) -> Call[registered.DatasetShown]:
    """One version of a dataset of the organisation."""
    path, asked = f"/v1/datasets/{escape(dataset, safe='')}", None if against is None else {"against": against}
    return get("getDataset", path, registered.DatasetShown, asked, scope="usage")


def registered_models(limit: int | None, filters: Filters) -> Listing[registered.ModelInfo]:
    """The models of the public register."""
    return listed("listRegisteredModels", "/v1/register/models", registered.ModelInfo, filters, limit, scope=None)


def registered_model(model: str) -> Call[registered.ModelInfo]:
    """One model of the public register."""
    return get("getRegisteredModel", f"/v1/register/models/{escape(model, safe='')}", registered.ModelInfo)


def registered_versions(model: str, limit: int | None, filters: Filters) -> Listing[registered.ModelVersionInfo]:
    """The listed versions of a model."""
    path = f"/v1/register/models/{escape(model, safe='')}/versions"
    return listed("listRegisteredVersions", path, registered.ModelVersionInfo, filters, limit, scope=None)


def registered_datasets(limit: int | None, filters: Filters) -> Listing[registered.DatasetVersion]:
    """The versions of datasets in the public register."""
    return listed(
        "listRegisteredDatasets", "/v1/register/datasets", registered.DatasetVersion, filters, limit, scope=None
    )


def registered_dataset(dataset: str, against: str | None) -> Call[registered.DatasetShown]:
    """One version of a dataset in the public register."""
    path, asked = f"/v1/register/datasets/{escape(dataset, safe='')}", None if against is None else {"against": against}
    return get("getRegisteredDataset", path, registered.DatasetShown, asked)


def registered_runs(limit: int | None, filters: Filters) -> Listing[registered.RegisteredRun]:
    """The training runs of listed versions of models."""
    return listed("listRegisteredRuns", "/v1/register/runs", registered.RegisteredRun, filters, limit, scope=None)


def registered_statement(statement: str) -> Call[bytes]:
    """The statement file of what the register shows, as sent."""
    holds = reader(StatementFile)

    def read(body: bytes) -> bytes:
        holds(body)
        return body

    return Call("getRegisteredStatement", "GET", f"/v1/register/statements/{escape(statement, safe='')}", read)


def periods(limit: int | None, filters: Filters) -> Listing[months.PeriodInfo]:
    """The months of the ledger."""
    return listed("listPeriods", "/v1/periods", months.PeriodInfo, filters, limit, scope=None)


def period_line(period: str) -> Call[months.PeriodLines]:
    """The caller's own lines of a closed month."""
    return get("getPeriodLine", f"/v1/periods/{escape(period, safe='')}/line", months.PeriodLines, scope="usage")


def period_batches(period: str, limit: int | None, filters: Filters) -> Listing[months.BatchProof]:
    """The usage batches of a closed month."""
    path = f"/v1/periods/{escape(period, safe='')}/batches"
    return listed("listPeriodBatches", path, months.BatchProof, filters, limit, scope="usage")


# -- findings ------------------------------------------------------------------------------------------------------


def state_finding(envelope: Envelope) -> Call[auditing.FindingLogged]:
    """A finding for the log."""
    body = usage.StatementOnly(envelope)
    return post("stateFinding", "/v1/audit/findings", body, auditing.FindingLogged, scope="audit")


def findings(limit: int | None, filters: Filters) -> Listing[auditing.FindingInfo]:
    """The findings that the caller stated, or that are about its books."""
    return listed("listFindings", "/v1/audit/findings", auditing.FindingInfo, filters, limit, scope="audit")


def finding(finding: str) -> Call[StatementFile]:
    """One finding with all that proves it."""
    return get("getFinding", f"/v1/audit/findings/{escape(finding, safe='')}", StatementFile, scope="audit")


def _text(what: str, ends: str = "\n") -> Callable[[bytes], str]:
    def read(body: bytes) -> str:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            text = ""
        if not text.endswith(ends) or text.startswith("<"):
            raise ServiceError(f"expected {what} from the service, got something else", foreign=True)
        return text

    return read


def _parameter(value: Any) -> str | int | Sequence[str]:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, (str, int, list)) else str(value)


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
    except OSError as error:
        raise InputError(f"{path}: expected a readable file, got {error.strerror}") from None
