"""The description in the repository is what the service serves, and holds together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from registry.app import create_app
from registry.openapi import document
from registry.packaged import packaged
from registry.settings import Settings


@pytest.fixture(scope="module")
def text() -> bytes:
    return document(create_app(Settings(data=Path("unused"))))


@pytest.fixture(scope="module")
def api(text: bytes) -> dict[str, Any]:
    return dict(msgspec.json.decode(text))


def test_the_kept_description_is_what_is_served(text):
    kept = (packaged("openapi") / "openapi.json").read_bytes()
    assert kept == text, "run `licet-registry openapi`"


def test_every_reference_leads_somewhere(api, text):
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', text.decode())):
        node = api
        for part in reference.split("/"):
            node = node[part]
        assert node


def test_operations_have_one_name_each_and_say_what_they_do(api):
    operations = [each for item in api["paths"].values() for each in item.values()]
    names = [each["operationId"] for each in operations]
    assert len(set(names)) == len(names)
    assert all(each["summary"].endswith((".", "?")) and each["tags"] for each in operations)


def test_schemas_keep_what_decoders_refuse(api):
    schemas = api["components"]["schemas"]
    assert schemas["AccountCreate"]["additionalProperties"] is False
    assert schemas["Envelope"]["additionalProperties"] is False


def test_errors_are_described_as_they_are_sent(api):
    for status, response in api["components"]["responses"].items():
        assert list(response["content"]) == ["application/problem+json"], status
    for item in api["paths"].values():
        for method, operation in item.items():
            assert "500" in operation["responses"]
            if method == "post" and "#/components/parameters/IdempotencyKey" in str(operation.get("parameters")):
                assert {"409", "422"} <= set(operation["responses"])


def test_the_description_is_one_by_the_meta_schema_of_openapi(api):
    from schemathesis.specs.openapi.definitions import OPENAPI_31

    validator = jsonschema_rs.validator_for(OPENAPI_31)

    assert [str(error) for error in validator.iter_errors(api)] == []
    broken = {**api, "paths": {"/x": {"get": {"responses": "none"}}}}
    assert list(validator.iter_errors(broken))


def test_every_name_in_a_path_says_what_fits_it(api) -> None:
    bare = [
        (path, parameter["name"])
        for path, item in api["paths"].items()
        for operation in item.values()
        for parameter in operation.get("parameters", [])
        if parameter.get("in") == "path" and not {"pattern", "enum"} & parameter["schema"].keys()
    ]
    assert bare == []
