"""The document as a whole: paths from the handlers, components, and what holds for every operation."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any, Final

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

import registry
from licet.wire.accounts import SCOPES
from licet.wire.common import Problem
from registry.accounts.identity import COOKIE
from registry.openapi import answers, limits, operations
from registry.openapi.examples import Examples

REFERENCE: Final = "#/components/schemas/{name}"
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ABOUT: Final = """\
Artists register works with signed consent terms, trainers ask what they may use and pay for it, auditors check it.
Whatever changes a statement, licence or ledger answers with a receipt that proves its place in a public log.

- Errors are RFC 9457 problem details; `errors` names the fields, `instance` is the id to ask about.
- Every POST that writes needs an Idempotency-Key: sent again, it has one effect and gets the same answer.
- PUT, PATCH and DELETE take none, and ignore one: sent again, they have no second effect. `If-Match` keeps a PATCH from
  overwriting what somebody else changed meanwhile.
- Lists are paged: `limit`, then `cursor` with the `next` of the page before, or the `Link` header.
- Integers are written as such: `1.0` and `1e3` are refused where an integer is described, and so is `"1"`.
- Query parameters that an address does not know are refused, and so is a second value where there is one.
- Counted answers tell how the caller's quotas stand in `RateLimit-Policy` and `RateLimit`.
- `x-limits` of an operation: the largest body in bytes, and the seconds until the answer begins.
- HEAD is answered wherever GET is."""
_TAGS: Final = {
    "health": "What is here, whether it works, and how it is doing.",
    "log": "The public transparency log, as files that anybody may cache.",
    "accounts": "Accounts, keys, tokens, and who the registry is.",
    "claims": "What accounts prove of themselves: domains that they control.",
    "works": "Pictures and the works made of them.",
    "statements": "What artists say may be done with their works, signed.",
    "terms": "Terms of works where crawlers look for them: open to everybody.",
    "agreements": "Licences that an artist is asked for and answers.",
    "duties": "Licences that artists revoke, and what whoever holds them owes then.",
    "disputes": "A work somebody else registered, or a charge that was wrong: opened, answered, decided, appealed.",
    "splits": "How co-owners share what works earn: proposed, signed by all, in force.",
    "snapshots": "Everything that is in force, as signed files to decide offline.",
    "licensing": "Questions, offers, licences.",
    "settlement": "Invoices: what organisations are asked to pay, and what was paid.",
    "usage": "Datasets, training runs and usage, signed by the organisation.",
    "register": "Datasets and models in versions, and what was trained on what: open to everybody.",
    "ledger": "What is owed, and where it comes from.",
    "audit": "Evidence to check without trusting anybody.",
}


def document(app: Litestar) -> bytes:
    """Return the description of ``app`` as indented JSON, the same bytes for the same interface."""
    handlers = sorted(
        ((route.path_format, method, found[0]) for route, method, found in _handlers(app)),
        key=lambda each: (each[0], METHODS.index(each[1])),
    )
    types = [Problem]
    for *_, handler in handlers:
        types += [kind for kind in (operations.body_of(handler), answers.answer_of(handler)) if kind]
    unique = list(dict.fromkeys(kind for kind in types if kind not in {bytes, str}))
    schemas, components = msgspec.json.schema_components(unique, ref_template=REFERENCE)
    for component in components.values():
        if "description" in component:
            # A docstring as it reads, on every Python: since 3.13 the compiler takes its indentation away.
            component["description"] = cleandoc(component["description"])
    limits.limit(components)
    schema_of = dict(zip(unique, schemas, strict=True))
    examples = Examples.load()
    paths: dict[str, dict[str, Any]] = {}
    for path, method, handler in handlers:
        operation = operations.operation(path, method, handler, schema_of)
        examples.add_to(operation)
        paths.setdefault(path, {})[method.lower()] = operation
    used = {tag for item in paths.values() for operation in item.values() for tag in operation["tags"]}
    described = {
        "openapi": "3.1.0",
        "info": {
            "title": "Licet registry",
            "version": registry.__version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": _TAGS.get(name, name)} for name in sorted(used)],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "responses": answers.problems(schema_of[Problem]),
            "parameters": {"IdempotencyKey": operations.IDEMPOTENCY_KEY},
            "headers": answers.HEADERS,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "lct_…",
                    "description": f"A token with the scopes that the operation names, of: {', '.join(SCOPES)}.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": COOKIE,
                    "description": "A session that a passkey opened, instead of a token; a request that changes "
                    "something also needs Sec-Fetch-Site: same-origin or none, or an Origin of this service.",
                },
            },
        },
    }
    return msgspec.json.format(msgspec.json.encode(described), indent=2) + b"\n"


def _handlers(app: Litestar) -> list[tuple[HTTPRoute, str, tuple[HTTPRouteHandler, Any]]]:
    return [
        (route, method, found)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method, found in route.route_handler_map.items()
        if method in METHODS and found[0].include_in_schema is not False  # pages are for people
    ]
