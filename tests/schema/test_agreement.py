"""Each JSON Schema and its dataclass say the same; whoever changes one is made to change the other."""

from __future__ import annotations

import dataclasses
import json
from enum import Enum
from typing import Any

import pytest
from jsonschema.validators import Draft202012Validator

from schedops.schema.decode import fields_of, item_hints, optional_inner, required_of
from schedops.schema.files import data_dir
from schedops.schema.registry import API_VERSION, KINDS, kind_of, schema_file, type_of
from schedops.schema.validate import schema

WORDS = {str: "string", bool: "boolean", int: "integer", float: "number"}


def disagreements(node: dict[str, Any], hint: Any, root: dict[str, Any], path: str) -> list[str]:
    if "$ref" in node:
        node = root["$defs"][node["$ref"].removeprefix("#/$defs/")]
    inner = optional_inner(hint)
    hint = inner or hint
    if dataclasses.is_dataclass(hint):
        return of_object(node, hint, root, path, header=())
    if (items := item_hints(hint)) is not None:
        wrong = [] if node.get("type") == "array" else [f"{path}: not an array"]
        return wrong + disagreements(node["items"], items[0], root, f"{path}[]")
    if issubclass(hint, Enum):
        return [] if node.get("enum") == [member.value for member in hint] else [f"{path}: other enum values"]
    if "enum" in node:
        types = {type(value) for value in node["enum"]}
        return [] if types == ({hint} if inner is None else {hint, type(None)}) else [f"{path}: enum of other types"]
    wanted = WORDS[hint] if inner is None else [WORDS[hint], "null"]
    return [] if node.get("type") == wanted else [f"{path}: {node.get('type')} is not {wanted}"]


def of_object(
    node: dict[str, Any], type_: Any, root: dict[str, Any], path: str, *, header: tuple[str, ...]
) -> list[str]:
    wrong = []
    if node.get("additionalProperties") is not False:
        wrong.append(f"{path}: additionalProperties is not false")
    if list(node["properties"]) != [*header, *fields_of(type_)]:
        wrong.append(f"{path}: other properties, or in another order")
    if sorted(node["required"]) != sorted([*header, *required_of(type_)]):
        wrong.append(f"{path}: required is not what has no default")
    for name, hint in fields_of(type_).items():
        inner = node["properties"].get(name)
        if inner is not None:
            wrong += [] if inner.get("title") else [f"{path}.{name}: no title"]
            wrong += disagreements(inner, hint, root, f"{path}.{name}")
    return wrong


@pytest.mark.parametrize("kind", KINDS)
def test_schema_and_dataclass_agree(kind):
    root = schema(kind)
    assert of_object(root, type_of(kind), root, kind, header=("apiVersion", "kind")) == []


def test_a_disagreement_is_noticed():
    root = json.loads(json.dumps(schema("Hints")))
    root["$defs"]["Hint"]["properties"]["cpu_ms"] = root["$defs"]["Hint"]["properties"].pop("cpu_us")
    assert of_object(root, type_of("Hints"), root, "Hints", header=("apiVersion", "kind")) == [
        "Hints.hints[]: other properties, or in another order"
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_schema_is_valid_and_names_its_kind(kind):
    Draft202012Validator.check_schema(schema(kind))
    assert schema(kind)["properties"]["kind"]["const"] == kind
    assert schema(kind)["properties"]["apiVersion"]["const"] == API_VERSION
    assert schema(kind)["title"]


def test_every_file_is_registered_and_every_definition_used():
    assert sorted(path.name for path in data_dir("schemas").iterdir()) == sorted(schema_file(kind) for kind in KINDS)
    for kind in KINDS:
        text = json.dumps(schema(kind))
        assert [name for name in schema(kind).get("$defs", ()) if f'"#/$defs/{name}"' not in text] == []


@pytest.mark.parametrize("kind", KINDS)
def test_registry_knows_the_kind_of_its_type(kind):
    assert kind_of(type_of(kind)) == kind


def test_a_type_of_the_same_name_is_no_document():
    class Policy:
        pass

    assert kind_of(Policy) is None
