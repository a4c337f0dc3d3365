"""Examples of requests and answers, from a run of the real service with identifiers and digests masked."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from registry.packaged import packaged

FILE: Final = "examples.json"


class Example(msgspec.Struct, frozen=True, omit_defaults=True):
    """One exchange: path and query parameters as text, the body where it is JSON; the answer likewise."""

    operation: str
    status: int
    parameters: dict[str, str | list[str]] = {}
    request: Any = None
    answer: Any = None
    headers: dict[str, str] = {}


class Examples:
    """The examples that are kept, one an operation."""

    def __init__(self, found: list[Example]) -> None:
        self._by_operation = {each.operation: each for each in found}

    @classmethod
    def load(cls) -> Examples:
        """Return the examples in ``openapi/examples.json``."""
        return cls(msgspec.json.decode((packaged("openapi") / FILE).read_bytes(), type=list[Example]))

    def add_to(self, operation: dict[str, Any]) -> None:
        """Put the example of ``operation`` where it belongs: at parameters, body and answer."""
        example = self._by_operation.get(operation["operationId"])
        if example is None:
            return
        for parameter in operation["parameters"]:
            if parameter.get("name") in example.parameters:
                parameter["example"] = _typed(example.parameters[parameter["name"]], parameter["schema"])
        if example.request is not None:
            for media, content in operation["requestBody"]["content"].items():
                if media == "application/json":
                    content["example"] = example.request
        if example.answer is not None:
            for content in operation["responses"][str(example.status)]["content"].values():
                content["example"] = example.answer


def _typed(value: str | list[str], schema: dict[str, Any]) -> Any:
    kind = schema.get("type")
    if kind == "array":
        return value if isinstance(value, list) else [value]
    if kind == "integer" and isinstance(value, str):
        return int(value)
    return value == "true" if kind == "boolean" else value
