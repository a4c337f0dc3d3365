"""The real application behind its own server on loopback, and schemathesis let loose on it from the description."""

from __future__ import annotations

import asyncio
import functools
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import httpx
import msgspec
import numpy as np

from licet.derivative.asking import packed
from licet.derivative.extracting import asked_bytes
from licet.wire.common import Problem
from registry.openapi import document
from registry.running.serving import listening
from tests.registry.app.refusing import is_right
from tests.registry.catalogue import drawn, picture
from tests.registry.harness import Running

# Every check that schemathesis has is on. What fits the description is accepted, but for callers who may not, and for
# what `refusing` names.
CONFIG = """
base-url = "{url}"
continue-on-failure = true
request-timeout = 30
[generation]
deterministic = true
max-examples = {examples}
no-shrink = true
[phases.coverage]
enabled = {coverage}
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
expected-statuses = ["2xx", "401", "403"]
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
    server = listening(service.app, "127.0.0.1", port)
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


async def fuzz(
    service: Running, url: str, token: str | None, *, examples: int, steps: int, coverage: bool = True
) -> Findings:
    """Return what schemathesis finds as the caller whom ``token`` names, with the same cases every time.

    ``coverage``: also every border of every field, in every operation.
    """
    headers = f'[headers]\nAuthorization = "Bearer {token}"' if token else ""
    config = CONFIG.format(url=url, examples=examples, steps=steps, headers=headers, coverage=str(coverage).lower())
    description = msgspec.json.decode(document(service.app))
    return await asyncio.to_thread(_run, description, config)


def _run(description: dict[str, Any], text: str) -> Findings:
    import schemathesis
    from schemathesis.config import SchemathesisConfig

    schema = schemathesis.openapi.from_dict(description, config=SchemathesisConfig.from_str(text))
    found = Findings()
    schemathesis.hook(before_call)
    try:
        _execute(schema, found)
    finally:
        schemathesis.hooks.unregister(before_call)
    return found


def _execute(schema: Any, found: Findings) -> None:
    from schemathesis.engine import events, from_schema

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


def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Give bodies that are no JSON what they are made of: whole keys, and pictures under their digest."""
    if case.operation.definition.raw.get("operationId") == "eraseAccount" and isinstance(case.body, dict):
        if case.body.get("dry_run", False) is False:
            case.body["dry_run"] = True  # who is erased asks nothing more
        return
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    chosen = int(sha256(repr(case.body).encode()).hexdigest(), 16)
    name = case.operation.definition.raw.get("operationId")
    if name == "lookup":
        case.body = sha256(repr(case.body).encode()).digest() * (1 + chosen % 7)
    elif name == "queryUrls":
        case.body = "\n".join(f"https://x.example/{chosen >> place}" for place in range(1 + chosen % 7)).encode()
    elif name == "issueLicenceToken":
        case.body = {**FORM, "resource": f"https://x.example/{chosen}"}
    elif name == "lookupParts":
        asked = asked_bytes(np.asarray(drawn(chosen % 7, 96)))
        case.body = packed([asked] * (1 + chosen % 3))
    elif name == "uploadPicture":
        case.body = pictures()[chosen % len(pictures())]
        case.path_parameters["sha256"] = sha256(case.body).hexdigest()


FORM = {"grant_type": "client_credentials", "scope": "ai-train"}


@functools.cache
def pictures() -> list[bytes]:
    """Small pictures, one in each form that the service reads."""
    return [picture(seed, 64, form) for seed, form in enumerate(("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"))]


def _note(found: Findings, event: Any) -> None:
    for number, case in event.recorder.cases.items():
        found.cases[case.value.operation.label] += 1
        for check in event.recorder.checks.get(number, ()):
            found.checks[check.name] += 1
            if check.failure_info is not None:
                failure = check.failure_info.failure
                interaction = event.recorder.interactions.get(number)
                answer = interaction.response if interaction is not None else None
                if check.name == "positive_data_acceptance" and answer is not None and _rightly(case.value, answer):
                    continue
                if check.name == "negative_data_rejection" and _is_upload(case.value):
                    continue
                said = "" if answer is None else f"{answer.status_code} {answer.content[:300]!r}"
                key = f"{check.name}: {case.value.operation.label}"
                found.failures.setdefault(
                    key, f"{key}: {failure.title}: {failure.message}\n  {check.failure_info.code_sample}\n  {said}"
                )


def _rightly(case: Any, answer: Any) -> bool:
    problem = msgspec.json.decode(answer.content, type=Problem)
    return is_right(case.operation.definition.raw, answer.status_code, problem.detail)


def _is_upload(case: Any) -> bool:
    """Return whether the body is one that `before_call` put there, which is taken for an error."""
    digest = (case.path_parameters or {}).get("sha256")
    return case.body in pictures() and sha256(case.body).hexdigest() == digest
