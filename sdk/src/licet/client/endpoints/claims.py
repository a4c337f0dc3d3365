"""Claims to domains."""

from __future__ import annotations

from urllib.parse import quote as escape

from licet.client.endpoints.listing import Listing, listed
from licet.exchange.calls import Call, Filters, get, post, reader
from licet.exchange.retrying import idempotency_key
from licet.identifiers import new_uuid
from licet.wire import claims


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
