"""Checking an evidence bundle offline: nothing is asked of anybody, nothing is trusted but the pinned root key.

Everything that the registry computed is computed again from what was signed: by artists (consents), by organisations
(licences, usage batches) and by the log. So a registry that re-signs a bundle with another figure, event or price in it
is found out as well as a stranger who flips one bit.
"""

from __future__ import annotations

from pathlib import Path

from licet.audit.checks.allotted import check_allotted
from licet.audit.checks.asked import check_requests
from licet.audit.checks.books import check_books
from licet.audit.checks.chained import check_chains
from licet.audit.checks.duties import check_duties
from licet.audit.checks.granted import Granted, check_licences
from licet.audit.checks.month import check_close
from licet.audit.checks.opening import opened
from licet.audit.checks.signed import check_statements
from licet.audit.checks.the_log import check_log
from licet.audit.checks.used import check_uses
from licet.audit.container import Container
from licet.audit.report import Report
from licet.statements.trust import Trust


def verify_bundle(path: Path, trust: Trust | None) -> Report:
    """Return what ``path`` proves, once every check holds; without ``trust``, that it is consistent in itself.

    Raises ``InputError`` if the file cannot be read, and ``VerificationError`` whose details name the ``check`` that
    failed first and the ``member`` that it failed on.
    """
    with Container(path) as container:
        audit = opened(container, trust)
        log = check_log(audit)
        statements = check_statements(audit, log)
        check_chains(audit, statements)
        check_requests(audit, statements)
        granting = check_licences(audit, statements)
        uses = check_uses(audit, statements, granting)
        posted = check_books(audit, uses.due, log.opening, log.closing)
        check_duties(audit, statements, granting)
        check_allotted(audit, log, statements, granting, uses.counted, posted)
        closed = check_close(audit, log, statements)
        return Report(
            anchored=audit.keys.anchored,
            origin=audit.keys.ref.origin,
            period=audit.period.name,
            state=audit.manifest.state,
            account=audit.manifest.account,
            size=log.closing.size,
            root=log.closing.root.hex(),
            counts=dict(audit.tally.counts),
            accrued=audit.tally.accrued,
            reversed=audit.tally.reversed,
            checks=audit.checks,
            closed_by=None if closed is None else closed.log_index,
            placed=[] if closed is None else closed.placed,
        )


def licences_in(path: Path, trust: Trust) -> dict[str, Granted]:
    """Return the licences in the bundle ``path``, by id, once they and their lines hold under ``trust``.

    Raises as `verify_bundle` does. What is not about licences is not looked at.
    """
    with Container(path) as container:
        audit = opened(container, trust)
        granting = check_licences(audit, check_statements(audit, check_log(audit)))
        return {licence: granting.of(licence) for licence in granting.licences}
