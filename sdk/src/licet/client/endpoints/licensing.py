"""What may be done: verdicts, ranges of keys, offers and licences, and licences taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote as escape

from licet.client.endpoints.listing import Listing, listed
from licet.errors import InputError, MalformedError, ServiceError
from licet.exchange.calls import Body, Call, Filters, get, post, reader
from licet.statements.envelope import Envelope
from licet.wire import duties, licensing

if TYPE_CHECKING:
    from licet.index.ranges import KeyRange

_DIGEST: Final = 32  # bytes of a SHA-256


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


def _parameter(value: Any) -> str | int | Sequence[str]:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, (str, int, list)) else str(value)
