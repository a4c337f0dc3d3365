"""``licet explain``: the chain from a picture to the rule that decides it, and its proof."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

from licet.cli.check import line
from licet.cli.output import COMMON, Common, note, printable, show
from licet.cli.wording import request_from
from licet.errors import UnreachableError

if TYPE_CHECKING:
    from licet.client import Client
    from licet.datasets.checking import Checked, Explained
    from licet.datasets.licensing.held import HeldLicence
    from licet.decisions import Request
    from licet.terms import Terms

_LIST = Parameter(consume_multiple=True, negative="")


def explain(
    given: Annotated[str, Parameter(help="A picture, an address, a SHA-256, an ISCC, or a row: OUT:12, OUT:PART:12.")],
    /,
    *,
    use: Annotated[list[str] | None, _LIST] = None,
    purpose: Annotated[list[str] | None, _LIST] = None,
    territory: Annotated[list[str] | None, _LIST] = None,
    open_weights: Annotated[str | None, Parameter(help="yes or no.")] = None,
    match: Annotated[
        Literal["exact", "near", "derivative"] | None,
        Parameter(help="How copies are found: exact, near (default), or derivative, which asks the service."),
    ] = None,
    offline: Annotated[bool, Parameter(negative="", help="Decide from the snapshot that is here.")] = False,
    common: Common = COMMON,
) -> None:
    """Show the chain: input, match, work, statement, the terms' rule, and the proof that it is in the log."""
    from licet.datasets.checking import explain as ask

    request = request_from(use, purpose, territory, open_weights) if use else None
    with common.client() as client:
        told = ask(client, given, request, match=match, offline=offline)
        found = told.checkup
        result = found.results[0]
        statements = {match["statement"] for match in result.matches if match["statement"]}
        proofs = {} if offline else {statement: _proof(client, statement) for statement in sorted(statements)}
    for text in found.notes:
        note(f"note: {text}")
    chain = [
        {**match, "rules": _rules(told.terms, match["work"], told.request), "proof": proofs.get(match["statement"])}
        for match in result.matches
    ]
    licences = [_licence(held) for held in told.licences]
    document = {
        "result": result,
        "request": told.request.to_json(),
        "row": told.stored,
        "chain": chain,
        "licences": licences,
        "snapshot": found.snapshot,
        "log_size": found.log_size,
    }
    show(
        common,
        document,
        [
            line(result),
            *_asked(told),
            *(_lines(chain) if chain else _nothing(result, match)),
            *(_held(licence) for licence in licences),
            f"as of log size {found.log_size}, snapshot {found.snapshot}",
        ],
    )


def _asked(told: Explained) -> Iterator[str]:
    asked = told.request
    where = f", in {', '.join(asked.territory)}" if asked.territory else ""
    model = f", for {asked.model}" if asked.model else ""
    yield f"  asked: {', '.join(asked.uses)}, {', '.join(asked.purpose)}{where}{model}"
    row = told.stored
    if row is not None:
        name = f": {printable(row.name)}" if row.name else ""
        yield f"  row {row.row} of {printable(row.part)}{name}"
        yield f"  decided at {row.decided_at}: {row.verdict} ({row.reason}), under snapshot {row.snapshot}"
        now = told.checkup.results[0]
        if (now.verdict, now.reason) != (row.verdict, row.reason):
            yield f"  decided now: {now.verdict} ({now.reason})"


def _nothing(result: Checked, match: str | None) -> Iterator[str]:
    if result.reason == "not-examined":
        yield "  no work is registered at this address; the picture itself was not looked at"
    elif result.reason == "no-match":
        where = "" if match == "derivative" else " as a whole"
        yield f"  no registered work is like it{where}: nobody has said anything, and that is not consent"


def _licence(held: HeldLicence) -> dict[str, Any]:
    use = held.payload.use
    model = f"{use.model}@{use.version}" if use.model_scope == "one-version" else use.model
    return {
        "licence": held.id,
        "model": model,
        "atoms": list(use.atoms),
        "purpose": list(use.purpose),
        "valid_until": held.payload.valid_until,
        "works": len(held.lines),
    }


def _held(licence: dict[str, Any]) -> str:
    until = f", until {licence['valid_until']}" if licence["valid_until"] else ""
    uses = ", ".join(licence["atoms"])
    return f"  held: {licence['licence']} for {uses} of {licence['works']} works by {licence['model']}{until}"


def _rules(terms: Mapping[str, Terms], work: str, request: Request) -> dict[str, Any]:
    return {use: terms[work].rules[use].to_json() for use in request.uses} if work in terms else {}


def _proof(client: Client, statement: str) -> dict[str, Any] | None:
    from licet.statements.statement_file import verify_statement_file
    from licet.wire.common import StatementFile

    try:
        data = client.statement_file(statement)
    except UnreachableError:
        return None
    verified = verify_statement_file(msgspec.json.decode(data, type=StatementFile), client.trust())
    return {"log_index": verified.log_index, "logged_at": verified.logged_at, "checks": verified.checks}


def _lines(chain: list[dict[str, Any]]) -> Iterator[str]:
    for link in chain:
        distance = f", {link['distance']} bits apart" if link["match"] == "near" else ""
        if link["match"] == "derivative":
            distance = f", {link['distance']} places that lie as in it"
        yield f"  {link['match']} match by {link['key']}{distance}: {link['work']}"
        yield f"    claimed by {link['account']}, claim level {link['claim_level']}"
        yield f"    says {link['verdict']} ({link['reason']}) under {link['statement']}"
        for use, rule in link["rules"].items():
            rest = {name: value for name, value in rule.items() if name != "permission"}
            conditions = f" {msgspec.json.encode(rest).decode()}" if rest else ""
            yield f"    rule {use}: {rule.get('permission')}{conditions}"
        if link["proof"]:
            yield f"    entry {link['proof']['log_index']} of the log at {link['proof']['logged_at']}:"
            for check in link["proof"]["checks"]:
                yield f"      {check}"
