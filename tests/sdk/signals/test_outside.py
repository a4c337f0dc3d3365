"""What others' own descriptions of their formats say, held against what we write and what we read."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings

from licet.signals import combined_mask
from licet.signals.files import read_file
from licet.signals.readers.odrl import read_tdmai
from licet.signals.strictness import permission_on
from licet.signals.writers import Subject, write
from licet.terms import ATOMS
from tests.sdk.signals.test_writers import _SUBJECTS, ISCC

_ANSWER = {"enum": ["true", "false"]}
_TEXT = {"type": "string"}
#: docs.tdmai.org/technical-specification/json-schema-definition: required members, values, and nothing else.
TDMAI: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["version", "iscc", "intent"],
    "properties": {
        "version": {"const": "1.0"},
        "iscc": _TEXT,
        "intent": {"enum": ["activate", "update", "supersede"]},
        **dict.fromkeys(("all", "train-ai", "train-genai", "ai-use", "search"), _ANSWER),
        **dict.fromkeys(("reference", "summary", "policy"), _TEXT),
    },
    "additionalProperties": False,
}
#: CAWG's training and data mining assertion 1.1: a map of entries, each with one of three uses, and words for one.
CAWG: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["entries"],
    "properties": {
        "entries": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {
                "enum": [f"cawg.{each}" for each in ("data_mining", "ai_inference", "ai_training")]
                + ["cawg.ai_generative_training"]
            },
            "additionalProperties": {
                "type": "object",
                "required": ["use"],
                "properties": {"use": {"enum": ["allowed", "notAllowed", "constrained"]}, "constraint_info": _TEXT},
                "additionalProperties": False,
                # Who says that something is constrained says how: without, it is read as not allowed.
                "if": {"properties": {"use": {"const": "constrained"}}},
                "then": {"required": ["constraint_info"]},
                "else": {"properties": {"constraint_info": False}},
            },
        }
    },
    "additionalProperties": False,
}


@given(_SUBJECTS)
@settings(max_examples=60, deadline=None)
def test_declarations_and_assertions_hold_to_their_schemas(subject: Subject) -> None:
    jsonschema_rs.validator_for(TDMAI).validate(json.loads(write("tdmai", subject).body))
    assertion = json.loads(write("cawg", subject).body)
    if assertion["entries"]:  # nothing can be said where one word covers what is refused and what is free
        jsonschema_rs.validator_for(CAWG).validate(assertion)


@pytest.mark.parametrize("wrong", [{"search": "y"}, {"all": True}, {"intent": "supercede"}, {"licence": "none"}])
def test_the_schema_tells_a_declaration_from_what_is_none(wrong: dict[str, Any]) -> None:
    good = {"version": "1.0", "iscc": ISCC, "intent": "activate", "all": "false"}
    known = jsonschema_rs.validator_for(TDMAI)
    assert known.is_valid(good)
    assert not known.is_valid(good | wrong)


_ALL = ("mine", "index", "evaluate")
_GENERATIVE = ("train-gen", "finetune-style")


@pytest.mark.parametrize(
    ("declared", "allowed", "denied"),
    [
        # docs.tdmai.org, JSON format for usage declarations: its examples in their order.
        (
            {"all": "false", "ai-use": "true", "search": "true"},
            ("input", "search"),
            (*_ALL, "train-nongen", *_GENERATIVE),
        ),
        ({"all": "false"}, (), (*_ALL, "train-nongen", *_GENERATIVE)),
        ({"all": "true", "train-ai": "false"}, _ALL, ("train-nongen", *_GENERATIVE)),
        ({"all": "true", "train-genai": "false"}, (*_ALL, "train-nongen"), _GENERATIVE),
        (
            {"all": "false", "ai-use": "false", "search": "false"},
            (),
            (*_ALL, "train-nongen", *_GENERATIVE, "input", "search"),
        ),
        (
            {"all": "true", "train-genai": "false", "ai-use": "true", "search": "true"},
            (*_ALL, "train-nongen", "input", "search"),
            _GENERATIVE,
        ),
    ],
)
def test_the_examples_of_tdmai_are_read_as_it_explains_them(
    declared: dict[str, str], allowed: tuple[str, ...], denied: tuple[str, ...]
) -> None:
    read = combined_mask(read_tdmai({"iscc": ISCC, **declared}, at=""))
    said = {use: permission_on(read, use) for use in ATOMS}
    assert {use for use, permission in said.items() if permission == "allow"} == set(allowed)
    assert {use for use, permission in said.items() if permission == "deny"} == set(denied)
    assert set(said.values()) <= {"allow", "deny", "unset"}


@given(_SUBJECTS)
@settings(max_examples=60, deadline=None)
def test_a_croissant_carries_the_very_policy_that_is_published_alone(subject: Subject) -> None:
    policy, carried = json.loads(write("odrl", subject).body), json.loads(write("croissant", subject).body)
    assert carried["usageInfo"] == policy
    assert policy["@type"] == "Offer"
    # ODRL 2.2: each rule has one action and a target; what is offered obliges, what is prohibited does not.
    for rule in (*policy.get("permission", ()), *policy.get("prohibition", ())):
        assert {"action", "target"} <= rule.keys() <= {"action", "target", "duty"}
    assert not [rule for rule in policy.get("prohibition", ()) if "duty" in rule]
    alone = combined_mask(read_file(write("odrl", subject).body))
    together = combined_mask(read_file(write("croissant", subject).body))
    for use in ATOMS:
        assert permission_on(together, use) in (permission_on(alone, use), "license", "deny")
