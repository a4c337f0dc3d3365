"""What may be refused although it fits the description, operation by operation, and why no schema can say it.

Whatever else fits is accepted, or the fuzzing tests fail: a refusal counts as right only with this status and these
words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple


class Refusal(NamedTuple):
    """A right refusal: its status, what its detail says (a regular expression, from its beginning), and why it is."""

    status: int
    says: str
    why: str


_SIGNED: Final = (
    Refusal(400, "payload: expected canonical padded base64", "base64 has one spelling; unused bits must be zero"),
    Refusal(400, "expected canonical JSON", "what is signed is canonical JSON inside of base64"),
    Refusal(400, "(envelope.)?payloadType: expected", "the envelope must be of the kind that this address takes"),
    Refusal(400, "(envelope.)?signatures: expected", "as many signatures as the kind has, by a key of the account"),
    Refusal(400, "the document does not fit its schema", "it is inside of base64"),
    Refusal(400, "envelope: ", "a signature must hold over what it signs"),
    Refusal(400, "expected a key-register that the new key itself has signed", "a signature must hold"),
    Refusal(
        400,
        r"(payload|key|registry|account|genesis|v|nonce|issued_at|vocab|scope|effect|terms|shown|seq|prev|change)\b",
        "the payload's own fields are inside of base64",
    ),
)
_PASSKEY: Final = (
    Refusal(400, "[a-z_]+: expected unpadded base64url", "base64 has one spelling; unused bits must be zero"),
    Refusal(400, "(clientDataJSON|client_data|attestation|authenticator)", "CBOR and JSON are inside of base64"),
)
_NAME: Final = Refusal(
    400, "name: expected (1 to 200 characters|one line without hidden)", "JSON Schema knows no NFC and no categories"
)
_STATED: Final = Refusal(
    400, "works: expected works of this account|scope: expected", "whose works they are, and what was signed of them"
)
_AT: Final = Refusal(400, "at: expected a date such as", "JSON Schema has no calendar")
RIGHTLY: Final[Mapping[str, tuple[Refusal, ...]]] = {
    "createAccount": (*_SIGNED, _NAME),
    "passkeyOptions": (_NAME,),
    "introspectLicenceToken": (Refusal(400, "token: expected a value", "an empty value of a form is none (RFC 6749)"),),
    "issueLicenceToken": (Refusal(400, "resource: expected an address where a registered work", "what is registered"),),
    "submitStatement": (*_SIGNED, _STATED),
    "attestStatement": (*_SIGNED, _STATED),
    **dict.fromkeys(("addKey", "rotateKey", "revokeKey", "delegate", "keepRecoveryCodes"), _SIGNED),
    "stateFinding": _SIGNED,
    "createToken": (
        *_SIGNED,
        Refusal(400, "expires_in_days: expected 1, where erase or payout", "two fields together are more than it says"),
    ),
    "recoverAccount": (
        *_SIGNED,
        Refusal(400, "code: expected six groups", "a code is read however it is written: with or without dashes"),
    ),
    **dict.fromkeys(
        ("proposeSplit", "answerSplit"),
        (*_SIGNED, Refusal(400, "(split|document|works|shares|replaces)", "the same")),
    ),
    **dict.fromkeys(
        ("requestLicence", "answerLicenceRequest", "replyToLicenceRequest"),
        (
            *_SIGNED,
            Refusal(
                400,
                "(request|works|use|price|message|document|answer|reply|offer|offered_until|grant_until)",
                "the same",
            ),
        ),
    ),
    "reportRevenue": (
        *_SIGNED,
        Refusal(400, "(report|licence|period|revenue|pool|weights|supersedes)", "the same"),
    ),
    **dict.fromkeys(
        ("revokeLicence", "reportDutyDone"),
        (*_SIGNED, Refusal(400, "(duty|licence|works|reason|document|done_at|statement)", "the same")),
    ),
    **dict.fromkeys(
        ("openDispute", "stepDispute"),
        (*_SIGNED, Refusal(400, "(dispute|step|subject|document|position|outcome|text|evidence)", "the same")),
    ),
    **dict.fromkeys(("draftPasskey", "signIn", "stepUp"), _PASSKEY),
    "createInvitation": (
        Refusal(
            400, "note: expected (at most 100 characters|one line without hidden)", "JSON Schema knows no categories"
        ),
        Refusal(409, "expected at most 20 invitations", "it depends on what was asked before"),
    ),
    "openInvitation": (Refusal(404, "there is no such invitation", "whether there is one with this secret"),),
    "askToJoin": (*_SIGNED, Refusal(404, "there is no such invitation", "the same")),
    "createClaim": (
        Refusal(400, "domain: expected", "JSON Schema has no word for names below public suffixes"),
        Refusal(409, "expected at most 20 domains", "it depends on what was claimed before"),
    ),
    "listClaims": (Refusal(400, "domain: expected", "the same"),),
    "eraseAccount": (Refusal(400, "confirm: expected", "whose account it is"),),
    "acceptQuote": (*_SIGNED, Refusal(400, "expected a quote with works in it", "it depends on the quote")),
    "logDataset": _SIGNED,
    "logRun": _SIGNED,
    "describeModel": _SIGNED,
    "getRegisteredStatement": (
        Refusal(
            400, "path:statement: expected dst_ or run_ or crd_", "what stands in a path as a statement may be any kind"
        ),
    ),
    "submitUsage": (*_SIGNED, Refusal(422, "events|payload", "events must add up to what was signed")),
    "draftStatement": (
        _STATED,
        Refusal(400, "(terms|[a-z-]+)[.:]", "which conditions a permission takes is told in the guide of terms"),
    ),
    "lookup": (_AT,),
    "lookupParts": (_AT,),
    "query": (
        _AT,
        Refusal(
            400, r"rows: expected 1 to 1000 keys \(10000 with a token", "fewer without a token, as it says in words"
        ),
        Refusal(400, r"rows\[[0-9]+\].url: ", "which addresses are canonical is more than `format: uri` says"),
        Refusal(400, r"rows\[[0-9]+\].pdq: ", "one hash or eight: patterns that say so are beyond reading"),
        Refusal(400, r"rows\[[0-9]+\].iscc: ", "which units there are, and how long, is coded inside of base32"),
    ),
    "getRange": (
        Refusal(
            400, "path:prefix: expected (all|[0-9]+ hexadecimal digits)", "how many digits depends on how many keys"
        ),
    ),
    "createQuote": (
        Refusal(400, "run: expected 1 to 200 printable", "it has no word for what is printable"),
        Refusal(404, "there is no such request", "whether there is one of this name"),
        Refusal(400, "works: expected each work once", "uniqueness of one field is more than `uniqueItems` says"),
        Refusal(400, r"budget\[[0-9]+\]: expected [^\n]* each currency once", "the same"),
    ),
    "changeWorks": (Refusal(400, "changes: expected each work once", "`uniqueItems` does not speak of one field"),),
    "changeWork": (
        Refusal(400, "created: expected a year", "JSON Schema has no calendar"),
        Refusal(400, "(title|creator|external_id|tags): expected", "it has no word for Unicode's categories"),
        Refusal(412, "the work is at revision", "it depends on the work"),
        Refusal(400, "header:If-Match: expected the ETag", "the generator takes the quotation marks off"),
    ),
    **dict.fromkeys(
        ("getAuditBundle", "exportAudit"),
        (
            Refusal(400, r"\?period: expected a month that has begun", "it depends on the day"),
            Refusal(400, r"\?period: expected a month such as", "there is no year 0"),
            Refusal(400, r"\?artist: expected an organisation or an artist", "it has no word for one of two"),
            Refusal(404, "there is no such (organisation|artist)", "whether there is one of this name"),
        ),
    ),
    "setPayout": (
        Refusal(403, "expected a token with scope payout", "which token may is told in words"),
        Refusal(400, "iban: expected an IBAN", "its check digits, its length, and which countries have none"),
        Refusal(400, "bic: expected", "it names a country, which is that of the account"),
        Refusal(400, r"account\.(number|bic|clearing): expected", "it depends on the country of the bank"),
        Refusal(400, r"account\.country: expected an ISO 3166 code", "a list of countries"),
        Refusal(400, "country: expected an ISO 3166 code", "a list of countries"),
        Refusal(400, "name: expected 1 to 140 characters", "JSON Schema has no word for Unicode's categories"),
    ),
    "exportAccount": (
        Refusal(
            400, r"\?after: expected the name of a file of the account's export", "each section has a key of its own"
        ),
    ),
    # A chain of calls puts the token itself, which an answer also calls `token`, where its name belongs.
    "revokeToken": (Refusal(400, "path:token: expected tok_.*, got 'lct_", "the generator's mistake"),),
}
_CURSOR: Final = Refusal(400, r"\?cursor: expected the cursor of the page before", "it comes from a page before")
_NOBODYS: Final = Refusal(404, "", "whether there is one of this name")
_FLOAT: Final = Refusal(
    400, "/[^:]*: expected a whole number, got a number", "1.0 is refused: the description says so in words"
)
_KEY: Final = Refusal(422, "this Idempotency-Key was used for another", "the generator has few keys and many bodies")


def refusals(operation: Mapping[str, Any]) -> Iterator[Refusal]:
    """Yield the right refusals of what is described as ``operation``."""
    yield from RIGHTLY.get(operation["operationId"], ())
    if "requestBody" in operation:
        yield _FLOAT
    for parameter in operation["parameters"]:
        if parameter.get("name") == "cursor":
            yield _CURSOR
        if parameter.get("in") == "path" or operation["operationId"] == "acceptQuote":
            yield _NOBODYS
        if parameter.get("$ref", "").endswith("/IdempotencyKey"):
            yield _KEY


def is_right(operation: Mapping[str, Any], status: int, detail: str) -> bool:
    """Return whether an answer of this status and detail may be given to what fits the description."""
    return any(each.status == status and re.match(each.says, detail) for each in refusals(operation))
