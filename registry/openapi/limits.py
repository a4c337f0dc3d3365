"""What JSON Schema can say of single fields, and the types of the bodies do not.

The types are what the decoder refuses by; these limits are held by the domains, in words that a person understands. So
they are written down here for programs that read the description, and nothing is refused because of them: that both say
the same is shown by tests that send what fits and what does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from licet.decisions.requests import MODEL_SCOPES
from licet.money import CURRENCIES, LARGEST
from licet.statements.envelope import MAX_SIGNATURES
from licet.terms import ATOMS, AUDIENCES
from licet.terms.countries import CODES
from licet.terms.reading import MAX_LIST
from licet.wire.accounts import SCOPES
from registry.accounts.members import DAYS, LONGEST_NOTE
from registry.accounts.registration import MAX_NAME
from registry.accounts.tokens import LONGEST
from registry.accounts.topics import OPTIONAL
from registry.consent.intake import MAX_WORKS as MOST_STATED
from registry.licensing.asking import LEVELS, MAX_ROWS, MODEL, VERSION
from registry.licensing.offers import MAX_NAME as LONGEST_RUN
from registry.licensing.quotes import MAX_WORKS as MOST_QUOTED
from registry.usage.events import MAX_EVENTS, MAX_QUANTITY, MAX_SEQ
from registry.works.intake import MAX_WORKS as MOST_AT_ONCE

Schema = dict[str, Any]

ID: Final = "[0-7][0-9a-hjkmnp-tv-z]{25}"
HEX: Final = "^[0-9a-f]{64}$"
_TWO_UNITS: Final = "^ISCC:E[A-Z2-7]{54} ISCC:I[A-Z2-7]{54}$"  # content and instance code, 256 bits each
BASE64: Final = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
# Long lists that are named once.
LISTS: Final[Mapping[str, Schema]] = {
    "Country": {
        "description": "ISO 3166-1 alpha-2, or EU for all of its members.",
        "type": "string",
        "enum": sorted(CODES),
    },
    "Currency": {"description": "ISO 4217.", "type": "string", "enum": sorted(CURRENCIES)},
}
_COUNTRY: Final = {"$ref": "#/components/schemas/Country"}


def named(*kinds: str) -> Schema:
    """Return what an identifier of one of ``kinds`` is."""
    prefix = kinds[0] if len(kinds) == 1 else f"({'|'.join(kinds)})"
    return {"pattern": f"^{prefix}_{ID}$"}


def _some(one: Schema, least: int = 1) -> Schema:
    return {"items": one, "minItems": least, "maxItems": MAX_LIST}


def _one_or_some(one: Schema, least: int = 1) -> list[Schema]:
    return [one, {"type": "array", **_some(one, least)}]


_YES_NO: Final[Schema] = {"type": ["boolean", "null"]}
_TEXT: Final[Schema] = {"type": ["string", "null"]}
_NULL: Final[Schema] = {"type": "null"}
_USE: Final[Schema] = {"type": "string", "enum": list(ATOMS)}
_AUDIENCE: Final[Schema] = {"type": "string", "enum": sorted(AUDIENCES)}
# What is asked about a use, as `licet.decisions.Request.from_json` reads it.
REQUEST: Final[Schema] = {
    "required": ["uses"],
    "additionalProperties": False,
    "properties": {
        "uses": {"anyOf": _one_or_some(_USE)},
        "purpose": {"anyOf": [*_one_or_some(_AUDIENCE, 0), _NULL]},
        "model": {**_TEXT, "pattern": f"^{MODEL}@{VERSION}$"},
        "model_scope": {"type": "string", "enum": list(MODEL_SCOPES)},
        "open_weights": _YES_NO,
        "territory": {"anyOf": [*_one_or_some(_COUNTRY), _NULL]},
        "sublicense": _YES_NO,
        "exclusive": _YES_NO,
        "at": {**_TEXT, "description": "A date such as 2027-06-30 or a time such as 2027-06-30T12:00:00.000Z."},
        "licensee": {**_TEXT, "minLength": 1, "maxLength": 200},
    },
}
_PERMISSION: Final = {"type": "string", "enum": ["deny", "license", "allow"]}
_RULE: Final[Schema] = {"type": "object", "required": ["permission"], "properties": {"permission": _PERMISSION}}
TERMS: Final[Schema] = {
    "required": list(ATOMS),
    "additionalProperties": False,
    "properties": dict.fromkeys(ATOMS, _RULE),
}
_BASE64URL: Final[Schema] = {"pattern": "^[A-Za-z0-9_-]*$"}
_AMOUNT: Final = r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?$"  # so many digits fit for certain
# The texts of "RowKeys" have no pattern: a row with one that is none is answered, as malformed.
# By component and field; where a field may be null or a list, what it is otherwise, or in whole.
LIMITS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "AccountCreate": {"name": {"minLength": 1, "maxLength": MAX_NAME}},
    "AlertsSet": {"off": {"items": {"type": "string", "enum": list(OPTIONAL)}}},
    "Budget": {
        "currency": {"$ref": "#/components/schemas/Currency"},
        "amount": {"minimum": 0, "maximum": LARGEST},
    },
    "ClaimWanted": {"domain": {"minLength": 3}},
    "Envelope": {
        "payload": {"pattern": BASE64, "minLength": 4},
        "payloadType": {"pattern": r"^application/vnd\.licet\.[a-z-]+\+json$"},
        "signatures": {"maxItems": MAX_SIGNATURES},
    },
    "Event": {
        "id": {"pattern": HEX},
        "licence": named("lic"),
        "statement": named("stm"),
        "work": named("wrk"),
        "atom": {"enum": list(ATOMS)},
        "run": {"minLength": 1, "maxLength": LONGEST_RUN},
        "seq": {"minimum": 0, "maximum": MAX_SEQ},
        "quantity": {"minimum": 0, "maximum": MAX_QUANTITY},
        "corrects": {"pattern": HEX},
        "was": {"minimum": 0, "maximum": MAX_QUANTITY},
    },
    "InvitationCreate": {
        "expires_in_days": {"minimum": DAYS[0], "maximum": DAYS[-1]},
        "note": {"maxLength": LONGEST_NOTE},
    },
    "LicenceAccept": {"quote": named("quo")},
    "PasskeyAnswer": dict.fromkeys(("credential", "authenticator_data", "client_data", "signature"), _BASE64URL),
    "PasskeyCreated": dict.fromkeys(("credential", "attestation_object", "client_data"), _BASE64URL),
    "PasskeyWanted": {"name": {"minLength": 1, "maxLength": MAX_NAME}},
    "Query": {
        "request": REQUEST,
        "rows": {"minItems": 1, "maxItems": MAX_ROWS},
        "min_claim_level": {"minimum": LEVELS[0], "maximum": LEVELS[-1]},
    },
    "QuoteRequest": {
        "works": {"minItems": 1, "maxItems": MOST_QUOTED},
        "dataset": named("dst"),
        "run": {"minLength": 1, "maxLength": LONGEST_RUN},
        "request": named("ask"),
    },
    "Recovery": {"account": named("art", "org")},
    "Signature": {"keyid": {"pattern": HEX}, "sig": {"pattern": BASE64, "minLength": 4}},
    "StatementDraft": {
        "works": {"items": {"type": "string", **named("wrk")}, "maxItems": MOST_STATED, "uniqueItems": True},
        "terms": TERMS,
    },
    "StatementSubmit": {
        "works": {"items": {"type": "string", **named("wrk")}, "maxItems": MOST_STATED, "uniqueItems": True},
        "adds": {"maxItems": MOST_AT_ONCE},
    },
    "LocalAccount": {"country": _COUNTRY, "number": {"minLength": 6}},
    "PayoutSet": {"name": {"minLength": 1, "maxLength": 140}, "country": _COUNTRY},
    "TokenCreate": {
        "scopes": _some({"type": "string", "enum": list(SCOPES)}),
        "expires_in_days": {"minimum": 1, "maximum": LONGEST.days},
    },
    "SpendLimitWanted": {"amount": {"pattern": _AMOUNT}, "currency": {"$ref": "#/components/schemas/Currency"}},
    "UsageBatchSubmit": {
        "events": {"minItems": 1, "maxItems": MAX_EVENTS},
        "secret": {"pattern": "^[A-Za-z0-9+/]{43}=$"},
    },
    "Use": {
        "atoms": _some(_USE),
        "purpose": _some(_AUDIENCE, 0),
        "territory": _some(_COUNTRY),
        "model": {"pattern": f"^{MODEL}$"},
        "version": {"pattern": f"^{VERSION}$"},
    },
    "WorkKeys": {
        "work": named("wrk"),
        **{key: {"pattern": HEX} for key in ("sha256", "pixels", "pdq")},
        "iscc": {"pattern": _TWO_UNITS},
    },
    "WorkWanted": {"work": named("wrk")},
    "WorksChange": {"changes": {"minItems": 1, "maxItems": MOST_AT_ONCE}},
    "WorksFind": {
        "sha256": {"items": {"type": "string", "pattern": HEX}, "maxItems": MOST_AT_ONCE},
        "addresses": {"items": {"type": "string", "pattern": HEX}, "maxItems": MOST_AT_ONCE},
        "external_ids": {"maxItems": MOST_AT_ONCE},
        "works": {"items": {"type": "string", **named("wrk")}, "maxItems": MOST_AT_ONCE},
    },
    "WorksRegister": {"works": {"minItems": 1, "maxItems": MOST_AT_ONCE}},
}


def limit(components: dict[str, Any]) -> None:
    """Every component says of its fields what `LIMITS` knows of them, and `LISTS` are among them."""
    components |= LISTS
    for name, fields in LIMITS.items():
        for field, limits in fields.items():
            described = components[name]["properties"][field]
            choices = described.get("anyOf", [described])
            (whole,) = (each for each in choices if each != {"type": "null"})
            whole |= limits
