"""Whatever fits the description or does not: answers are as described, and never a fault of ours.

``make test`` runs the same cases every time; LICET_FUZZ=20 tries twenty times as many.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from registry.accounts import operators
from registry.running.working import LOOPS
from tests.registry.app.fuzzing import Findings, fuzz, served
from tests.registry.harness import Running, running

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(3_600)]

TIMES = int(os.environ.get("LICET_FUZZ", "1"))
THOROUGH = {"an organisation"}  # sees every border of every field in the short run too: there is most that it may do
BORDERS = {"ignored_auth", "missing_required_header", "unsupported_method"}  # checks of the borders alone
CHECKS = {
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
    "missing_required_header",
    "unsupported_method",
}


async def callers(service: Running) -> dict[str, tuple[str | None, int]]:
    """The token of each caller, and how many examples of an operation are tried as that caller."""
    lab, ada = await service.account("organisation"), await service.account()
    auditor = await operators.invite(service.services.database, "auditor", name="Aud")
    return {
        "an organisation": (lab.token, 2),
        "an artist": (ada.token, 1),
        "an auditor": (auditor[1].token, 1),
        "nobody": (None, 1),
    }


async def test_every_operation_answers_as_described_whatever_it_is_asked(dsn: str, tmp_path: Path) -> None:
    quiet = {"quota_requests": "off", "quota_anonymous": "off", "quota_accounts": "off", "quota_exports": "off"}
    quiet |= {"quota_claims": "off", "quota_splits": "off", "log_level": "error"}
    found: dict[str, Findings] = {}
    async with running(dsn, tmp_path, LOOPS, **quiet) as service, served(service) as url:
        for who, (token, examples) in (await callers(service)).items():
            found[who] = await fuzz(
                service,
                url,
                token,
                examples=examples * TIMES,
                steps=2 * examples * TIMES,
                coverage=TIMES > 1 or who in THOROUGH,
            )
    said = [f"as {who}: {each}" for who, part in found.items() for each in [*part.failures.values(), *part.errors]]
    cases = {who: part.cases.total() for who, part in found.items()}
    print(cases)
    assert not said, "\n\n".join(said)
    assert sum(cases.values()) >= 5_000, cases
    for who, part in found.items():
        unseen = {"ignored_auth"} if who == "nobody" else set()
        unseen |= BORDERS if TIMES == 1 and who not in THOROUGH else set()
        assert set(part.checks) >= CHECKS - unseen, who
