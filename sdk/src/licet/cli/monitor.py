"""``licet monitor``: one's own works, in each new snapshot."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter

from licet.cli.log import evidence_kept, keep_evidence, seen_checkpoints
from licet.cli.output import COMMON, Common, note, show
from licet.cli.trusting import read_policy
from licet.counted import many
from licet.errors import InputError, ServiceError

_SPAN: Final = re.compile(r"([1-9]\d{0,4})([smh])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


def monitor(
    *,
    once: Annotated[bool, Parameter(negative="", help="Look once.")] = False,
    every: Annotated[str, Parameter(help="How often to look, until something is wrong or Ctrl-C: 30s, 5m, 1h.")] = "5m",
    policy: Annotated[Path | None, Parameter(help="A policy (C2SP tlog-policy) that checkpoints must meet.")] = None,
    know: Annotated[
        list[str] | None, Parameter(consume_multiple=True, negative="", help="Ids of keys that are yours as well.")
    ] = None,
    common: Common = COMMON,
) -> int:
    """Hold each new snapshot to what this home signed. Exit 1 as soon as something is wrong."""
    from licet.catalogue.monitoring import Monitor
    from licet.catalogue.remembering import know as take_for_own

    span = _seconds(every)
    rules = read_policy(policy) if policy else None
    with common.client() as client:
        profile = client.need_account()
        key = client.working_keys().log
        watching = Monitor(client, seen_checkpoints(client.home, client.profile, key), rules)
        take_for_own(profile, know or [])
        told = None
        while True:
            try:
                with evidence_kept(client.home):
                    found = watching.look()
            except ServiceError as error:
                if once:
                    raise
                note(f"{error}; looking again in {every}")
            else:
                for each in found.notes:
                    note(each)
                if once or found.findings:
                    break
                if found.sequence != told:
                    note(f"snapshot {found.sequence}: {many(found.works, 'work')} as signed")
                    told = found.sequence
            time.sleep(span)
        findings: list[dict[str, Any]] = []
        for finding in found.findings:
            kept = keep_evidence(client.home.folder / "misconduct", finding.evidence) if finding.evidence else None
            findings.append(
                {
                    "kind": finding.kind,
                    "message": finding.message,
                    "work": finding.work,
                    "evidence": None if kept is None else str(kept),
                }
            )
    document = {
        "snapshot": found.sequence,
        "log_size": found.log_size,
        "works": found.works,
        "statements": found.statements,
        "findings": findings,
        "notes": found.notes,
    }
    seen = f"{many(found.works, 'work')}, {many(found.statements, 'statement')} signed here"
    lines = [f"Snapshot {found.sequence} over {many(found.log_size, 'entry', 'entries')}: {seen}."]
    for wrong in findings:
        lines.append(f"WRONG: {wrong['message']}")
        if wrong["evidence"]:
            lines.append(f"  what shows it to others: {wrong['evidence']}")
    show(common, document, [*lines, *([] if findings else ["Everything is as it was signed."])])
    return 1 if findings else 0


def _seconds(text: str) -> int:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise InputError.field("--every", "a time such as 30s, 5m or 1h", text)
    return int(match[1]) * _SECONDS[match[2]]
