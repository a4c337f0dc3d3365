"""Examples in the description are real: a run of the service gives the same, and every one fits its schema."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from registry.openapi.examples import FILE, Example
from registry.packaged import packaged
from tests.registry.app.story import Recorder, tell
from tests.registry.catalogue import registry
from tests.registry.claims.internet import internet

pytestmark = pytest.mark.anyio


def kept() -> list[Example]:
    return msgspec.json.decode((packaged("openapi") / FILE).read_bytes(), type=list[Example])


def shape(value: Any) -> Any:
    """What a value is made of: names and types; the first element stands for a list."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shape(part) for part in value[:1]]
    return "number" if isinstance(value, int | float) else type(value).__name__


async def test_a_run_of_the_service_gives_the_same_examples(dsn: str, tmp_path: Path, api: dict[str, Any]) -> None:
    recorder = Recorder(api)
    async with internet(tmp_path) as net, registry(dsn, tmp_path / "data", **net.settings) as site:
        await tell(site, recorder, net)
    heard = recorder.examples()
    if os.environ.get("LICET_WRITE_EXAMPLES"):
        text = msgspec.json.format(msgspec.json.encode(heard), indent=1) + b"\n"
        (packaged("openapi") / FILE).write_bytes(text)
        return
    for old, new in zip(kept(), heard, strict=True):
        assert (old.operation, old.status, sorted(old.parameters)) == (
            new.operation,
            new.status,
            sorted(new.parameters),
        )
        if old.operation != "getReady":  # its parts differ with what the machine is doing
            assert shape(old.request) == shape(new.request), old.operation
            assert shape(old.answer) == shape(new.answer), old.operation


def examples(api: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    for item in api["paths"].values():
        for operation in item.values():
            name = operation["operationId"]
            for parameter in operation["parameters"]:
                if "example" in parameter:
                    yield f"{name} ?{parameter['name']}", parameter["schema"], parameter["example"]
            for content in operation.get("requestBody", {}).get("content", {}).values():
                if "example" in content:
                    yield f"{name} request", content["schema"], content["example"]
            for response in operation["responses"].values():
                for content in response.get("content", {}).values():
                    if "example" in content:
                        yield f"{name} answer", content["schema"], content["example"]


def test_every_example_fits_its_schema(api: dict[str, Any]) -> None:
    found = list(examples(api))
    assert len(found) > 60
    for name, schema, value in found:
        validator = jsonschema_rs.validator_for({**schema, "components": api["components"]})
        assert validator.is_valid(value), (name, [str(error) for error in validator.iter_errors(value)][:3])


def test_every_operation_has_examples(api: dict[str, Any]) -> None:
    missing = {each["operationId"] for item in api["paths"].values() for each in item.values()}
    assert missing - {each.operation for each in kept()} == set()
