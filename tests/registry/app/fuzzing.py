"""The real application behind its own server on loopback, and schemathesis let loose on it from the description."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
from granian.constants import Interfaces
from granian.server.embed import Server

from registry.openapi import document
from tests.registry.harness import Running

# Every check that schemathesis has is on. What a schema cannot say is why some requests that fit it are refused:
# a body must carry a signature over what the state is now, an identifier must be somebody's, numbers must add up. So
# 400, 409, 410, 413 and 422 are right answers to data that only looks right. The setting is one for all operations, so
# it is wider than reads need.
CONFIG = """
base-url = "{url}"
continue-on-failure = true
request-timeout = 30
[generation]
deterministic = true
max-examples = {examples}
no-shrink = true
[phases.coverage]
generate-duplicate-query-parameters = true
[phases.stateful]
max-steps = 6
[phases.stateful.generation]
max-examples = {steps}
[checks]
enabled = true
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "406", "408", "409", "413", "414", "415", "422", "429", "431"]
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", "400", "401", "403", "404", "409", "410", "413", "422"]
[checks.missing_required_header]
expected-statuses = ["400", "401", "403", "406", "415", "422"]
{headers}
"""


@dataclass
class Findings:
    """What a run came to: cases by operation, failures by check and operation, in words."""

    cases: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


@asynccontextmanager
async def served(service: Running) -> AsyncIterator[str]:
    """Yield the address at which the service answers over loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(
        service.app, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, websockets=False, log_enabled=False
    )
    serving = asyncio.create_task(server.serve())
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient() as http:
            while True:
                try:
                    await http.get(f"{url}/health/live")
                except httpx.TransportError:
                    await asyncio.sleep(0.02)
                else:
                    break
        yield url
    finally:
        server.stop()
        await asyncio.wait([serving])


async def fuzz(service: Running, url: str, token: str | None, *, examples: int, steps: int) -> Findings:
    """Return what schemathesis finds as the caller whom ``token`` names, with the same cases every time."""
    headers = f'[headers]\nAuthorization = "Bearer {token}"' if token else ""
    config = CONFIG.format(url=url, examples=examples, steps=steps, headers=headers)
    description = msgspec.json.decode(document(service.app))
    return await asyncio.to_thread(_run, description, config)


def _run(description: dict[str, Any], text: str) -> Findings:
    import schemathesis
    from schemathesis.config import SchemathesisConfig
    from schemathesis.engine import events, from_schema

    schema = schemathesis.openapi.from_dict(description, config=SchemathesisConfig.from_str(text))
    found = Findings()
    stream: Iterator[Any] = from_schema(schema).execute()
    for event in stream:
        if isinstance(event, events.ScenarioFinished):
            if event.status.value == "skip":
                found.skipped.append(f"{event.phase.value} {event.label}: {event.skip_reason}")
            _note(found, event)
        elif isinstance(event, events.NonFatalError):
            found.errors.append(str(event.info))
        elif isinstance(event, events.FatalError):
            found.errors.append(str(event.exception))
    return found


def _note(found: Findings, event: Any) -> None:
    for number, case in event.recorder.cases.items():
        found.cases[case.value.operation.label] += 1
        for check in event.recorder.checks.get(number, ()):
            found.checks[check.name] += 1
            if check.failure_info is not None:
                failure = check.failure_info.failure
                interaction = event.recorder.interactions.get(number)
                answer = interaction.response if interaction is not None else None
                said = "" if answer is None else f"{answer.status_code} {answer.content[:300]!r}"
                key = f"{check.name}: {case.value.operation.label}"
                found.failures.setdefault(
                    key, f"{key}: {failure.title}: {failure.message}\n  {check.failure_info.code_sample}\n  {said}"
                )
