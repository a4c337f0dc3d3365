"""What is asked for: the form, who asks, and the uses in our own words."""

from __future__ import annotations

from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec

from licet.errors import MalformedError
from licet.signals.dialects import RSL_USAGES
from licet.signals.documents import local, parse_xml
from licet.terms import ATOMS, AUDIENCES
from licet.terms.countries import CODES
from licet.wire.olp import Introspect, TokenRequest
from registry.accounts import identity
from registry.accounts.identity import Caller, InvalidClient
from registry.errors import Invalid
from registry.olp.refusals import InvalidScope, UnauthorizedClient, UnsupportedGrant
from registry.services import Services

FORM: Final = "application/x-www-form-urlencoded"
MAX_BODY: Final = 64 << 10  # bytes
LONGEST: Final = 8_192  # characters of an address
_FIELDS: Final = 32
GRANTS: Final = ("client_credentials", "rsl")  # the second as drafts before 1.0 called it

Form = TypeVar("Form", TokenRequest, Introspect)


class Wanted(msgspec.Struct, frozen=True):
    """A use of what lies at ``resource``, in our words; None is not answered."""

    resource: str
    uses: list[str]
    purpose: list[str]
    territory: list[str] | None = None
    model: str | None = None


def read(body: bytes, kind: type[Form]) -> Form:
    """Return the form that ``body`` holds; raises ``Invalid`` naming the parameter. Unknown ones are ignored."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_FIELDS
        )
    except (UnicodeDecodeError, ValueError):
        raise Invalid(f"expected a form of at most {_FIELDS} parameters in UTF-8, got something else") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:  # RFC 6749, section 3.2
            raise Invalid.field(name, "one value", "several")
        if "\0" in value:
            raise Invalid.field(name, "text without the character U+0000", value)
        if value:  # "parameters sent without a value MUST be treated as if they were omitted"
            found[name] = value
    for field in msgspec.structs.fields(kind):
        if field.required and field.name not in found:
            raise Invalid.field(field.name, "a value", "nothing")
    if len(found.get("resource", "")) > LONGEST:
        raise Invalid.field("resource", f"at most {LONGEST} characters", f"{len(found['resource'])} characters")
    return msgspec.convert(found, kind)


async def client(
    services: Services, caller: Caller | None, form: TokenRequest | Introspect, scope: str, kinds: tuple[str, ...] = ()
) -> Caller:
    """Return who asks: by the header, or by the form (RFC 6749, section 2.3.1).

    Raises ``InvalidClient``, and ``UnauthorizedClient`` without ``scope`` or for an account of none of ``kinds``.
    """
    if form.client_secret is not None:
        if caller is not None or form.client_id is None:  # one way to say who asks, not two
            raise InvalidClient
        caller = await identity.client(services, form.client_id, form.client_secret)
    if caller is None or caller.session is not None or form.client_id not in {None, caller.id}:
        raise InvalidClient
    if scope not in caller.scopes or (kinds and caller.kind not in kinds):
        who = "an organisation's token" if kinds else "a token"
        raise UnauthorizedClient(f"expected {who} with scope {scope}, got {caller.kind} with {sorted(caller.scopes)}")
    return caller


def wanted(form: TokenRequest) -> Wanted:
    """Return the use that ``form`` asks for; raises ``Invalid`` naming the parameter."""
    if form.grant_type not in GRANTS:
        raise UnsupportedGrant.field("grant_type", GRANTS[0], form.grant_type)
    if (form.license is None) == (form.scope is None):
        raise Invalid.field("license", "an RSL license element, or uses in scope", "both" if form.scope else "nothing")
    if form.license is None:
        return Wanted(form.resource, _uses("scope", (form.scope or "").split()), ["commercial"], None, form.model)
    said = _licence(form.license)
    users = _known("license", said["user"], AUDIENCES)
    places = _known("license", said["geo"], CODES)
    return Wanted(form.resource, _uses("license", said["usage"]), users, places or None, form.model)


def _licence(text: str) -> dict[str, list[str]]:
    """Return what an RSL ``<license>`` permits, by type; raises ``Invalid``."""
    try:
        root: Any = parse_xml(text.encode(), "license")
    except MalformedError as error:
        raise Invalid.field("license", "an RSL license element", error.message) from None
    if local(root.tag) != "license":
        raise Invalid.field("license", "an RSL license element", f"<{local(root.tag)}>")
    said: dict[str, list[str]] = {"usage": [], "user": [], "geo": []}
    for each in root:
        if local(each.tag) == "permits":
            kind = each.get("type") or "usage"
            if kind not in said:
                raise Invalid.field("license", "permits of type usage, user or geo", kind)
            said[kind] += "".join(each.itertext()).split()
    return said


def _uses(field: str, words: list[str]) -> list[str]:
    """Return our uses behind RSL's usages: all that the word grants by every reading, as a licence must cover it."""
    found: set[str] = set()
    for word in words:
        if word in ATOMS:
            found.add(word)
        elif word in RSL_USAGES:
            found |= RSL_USAGES[word].allows or RSL_USAGES[word].denies
        else:
            raise InvalidScope.field(field, f"usages of RSL 1.0, or any of {', '.join(ATOMS)}", word)
    if not found:
        raise InvalidScope.field(field, "one usage or more", "none")
    return [use for use in ATOMS if use in found]


def _known(field: str, words: list[str], known: Any) -> list[str]:
    for word in words:
        if word not in known:
            raise Invalid.field(field, "users and countries that are known", word)
    return sorted(set(words))
