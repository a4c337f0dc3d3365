"""The HTTP interface for people: one entry an operation, from the OpenAPI file."""

from __future__ import annotations

import json
from typing import Any, Final

from registry.packaged import packaged
from tools.documentation.markdown import plain, table

_METHODS: Final = ("get", "post", "put", "patch", "delete")


def page() -> str:
    """Return the page of the HTTP interface."""
    document: dict[str, Any] = json.loads((packaged("openapi") / "openapi.json").read_text("utf-8"))
    groups: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                tag = (item[method].get("tags") or ["other"])[0]
                groups.setdefault(tag, []).append(_operation(document, path, method, item[method]))
    parts = [
        "# HTTP interface\n",
        (
            "Made from [openapi.json](../../openapi/openapi.json), OpenAPI 3.1, which a program should read instead. "
            "Errors are [problem details](problems.md).\n"
        ),
    ]
    for tag in sorted(groups):
        parts += [f"## {tag}\n", *groups[tag]]
    schemas = document["components"]["schemas"]
    parts += ["## Schemas\n", *(_schema(document, name, schemas[name]) for name in sorted(schemas))]
    return "\n".join(parts)


def _operation(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> str:
    lines = [f"### `{method.upper()} {path}`\n", plain(operation.get("summary", "")) + "\n"]
    if about := operation.get("description"):
        lines.append(plain(about) + "\n")
    scopes = sorted({scope for need in operation.get("security", []) for names in need.values() for scope in names})
    if scopes:
        lines.append("Needs a token with scope " + " or ".join(f"`{scope}`" for scope in scopes) + ".\n")
    parameters = [_followed(document, each) for each in operation.get("parameters", [])]
    if parameters:
        rows = [
            (
                f"`{each['name']}`",
                each["in"] + (", required" if each.get("required") else ""),
                _form(each.get("schema", {})),
                plain(each.get("description", "")),
            )
            for each in parameters
        ]
        lines.append(table(("parameter", "where", "value", ""), rows))
    answers = []
    if body := operation.get("requestBody"):
        answers.append(("body", _content(_followed(document, body)), ""))
    for status, answer in operation["responses"].items():
        found = _followed(document, answer)
        answers.append((status, _content(found), plain(found.get("description", ""))))
    lines.append(table(("", "content", ""), answers))
    return "\n".join(lines)


def _schema(document: dict[str, Any], name: str, schema: dict[str, Any]) -> str:
    lines = [f"### {name}\n"]
    if about := schema.get("description"):
        lines.append(plain(about) + "\n")
    required = set(schema.get("required", []))
    rows = [
        (f"`{field}`", _form(value), "required" if field in required else "", plain(value.get("description", "")))
        for field, value in schema.get("properties", {}).items()
    ]
    if rows:
        lines.append(table(("field", "value", "", ""), rows))
    elif schema.get("enum"):
        lines.append("One of " + ", ".join(f"`{each}`" for each in schema["enum"]) + ".\n")
    return "\n".join(lines)


def _followed(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    found: Any = value
    while "$ref" in found:
        reference, found = found["$ref"], document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
    return dict(found)


def _content(value: dict[str, Any]) -> str:
    return "; ".join(
        f"`{kind}` {_form(each.get('schema', {}))}".rstrip() for kind, each in value.get("content", {}).items()
    )


def _form(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_form(each) for each in schema[several]))
    if "const" in schema:
        return f"`{json.dumps(schema['const'], ensure_ascii=False)}`"
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    kind = schema.get("type", "")
    if kind == "array":
        return f"array of {_form(schema.get('items', {})) or 'anything'}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_form(schema['additionalProperties']) or 'anything'}"
    limits = [
        f"{word} {schema[key]}"
        for key, word in (
            ("minimum", "≥"), ("maximum", "≤"), ("exclusiveMinimum", ">"), ("exclusiveMaximum", "<"),
            ("minLength", "length ≥"), ("maxLength", "length ≤"), ("minItems", "items ≥"), ("maxItems", "items ≤"),
        )
        if key in schema
    ]  # fmt: skip
    if "pattern" in schema:
        limits.append(f"like `{schema['pattern']}`")
    return " ".join([str(kind), *limits]).strip()
