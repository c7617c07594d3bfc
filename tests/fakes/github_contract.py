"""GitHub's own description of its API: requests and answers are held to it, and answers are completed from it.

``tests/data/github/openapi-slice.json`` is cut from ``generated/api.github.com.json`` of the npm package
``@octokit/openapi`` 23.0.2 (sha256 829b4bebb19a53133289f7b0bc819f4f1118115821db2ca9f25e9ee995a7da2a): the operations
in use, without descriptions and examples.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from urllib.parse import parse_qs

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

_SLICE = Path(__file__).parent.parent / "data/github/openapi-slice.json"
_URN = "urn:github"


def _schema(value):
    """OpenAPI 3.0 to JSON Schema: ``nullable``, and references that name their document."""
    if isinstance(value, list):
        return [_schema(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _schema(item) for key, item in value.items()}
    if isinstance(made.get("$ref"), str):
        made["$ref"] = f"{_URN}{made['$ref']}"
    return {"anyOf": [made, {"type": "null"}]} if made.pop("nullable", None) is True else made


@functools.cache
def _document():
    return json.loads(_SLICE.read_text(encoding="utf-8"))


@functools.cache
def _registry():
    return Registry().with_resource(_URN, Resource(contents=_schema(_document()), specification=DRAFT202012))


def _open(value):
    while isinstance(value, dict) and "$ref" in value:
        target = _document()
        for key in value["$ref"][2:].split("/"):
            target = target[key]
        value = target
    return value


@functools.cache
def _templates():
    """(pattern, template); a reference has slashes in it, everything else is one segment."""
    found = []
    for template in _document()["paths"]:
        pattern = re.sub(
            r"\\\{(\w+)\\\}", lambda m: f"(?P<{m[1]}>{'.+' if m[1] == 'ref' else '[^/]+'})", re.escape(template)
        )
        found.append((re.compile(pattern), template))
    return sorted(found, key=lambda entry: -len(entry[1]))


def operation(method, path):
    """(template, parameters of the path) or None."""
    for pattern, template in _templates():
        match = pattern.fullmatch(path)
        if match and method.lower() in _document()["paths"][template]:
            return template, match.groupdict()
    return None


@functools.cache
def _validator(text):
    return Draft202012Validator(_schema(json.loads(text)), registry=_registry())


def _problems(schema, value):
    found = _validator(json.dumps(schema)).iter_errors(value)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in found]


def request_problems(method, template, query, body):
    """Beyond the schema: keys that the description does not know."""
    described = _document()["paths"][template][method.lower()]
    known = {one["name"]: one for one in map(_open, described.get("parameters", [])) if one["in"] == "query"}
    problems = [f"unknown query parameter {name}" for name in parse_qs(query) if name not in known]
    for name, values in parse_qs(query).items():
        enum = _open(known[name]["schema"]).get("enum") if name in known else None
        problems += [f"query {name}={values[0]}"] if enum and values[0] not in enum else []
    content = _open(described.get("requestBody", {})).get("content", {}).get("application/json")
    if content is None:
        return [*problems, *(["unexpected body"] if body is not None else [])]
    if body is None:
        return [*problems, "body missing"]
    return [*problems, *_problems(content["schema"], body), *_unknown(content["schema"], body, "$")]


def response_problems(method, template, status, body):
    described = _document()["paths"][template][method.lower()]["responses"].get(str(status))
    if described is None:
        return [f"status {status} is not documented"]
    content = _open(described).get("content", {}).get("application/json")
    return _problems(content["schema"], body) if content else []


def _unknown(schema, value, where):
    schema = _open(schema)
    if isinstance(value, list):
        items = schema.get("items", {})
        return [one for n, item in enumerate(value) for one in _unknown(items, item, f"{where}[{n}]")]
    if not isinstance(value, dict):
        return []
    known = {}
    for option in (schema, *schema.get("oneOf", []), *schema.get("anyOf", [])):
        known.update(_open(option).get("properties", {}))
    problems = [f"unknown key {where}.{key}" for key in value if known and key not in known]
    for key, item in value.items():
        problems += _unknown(known.get(key, {}), item, f"{where}.{key}")
    return problems


def sample(name):
    """The least that fits a schema of the description."""
    return json.loads(_sample(name))


@functools.cache
def _sample(name):
    return json.dumps(_least({"$ref": f"#/components/schemas/{name}"}))


def _least(schema):
    schema = _open(schema)
    if schema.get("nullable"):
        return None
    if "enum" in schema:
        return schema["enum"][0]
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return _least(schema[key][0])
    if "allOf" in schema:
        return {key: item for part in schema["allOf"] for key, item in _least(part).items()}
    kind = schema.get("type", "object")
    if kind == "object":
        return {key: _least(schema["properties"][key]) for key in schema.get("required", [])}
    if kind == "string":
        return "2026-01-01T00:00:00Z" if schema.get("format") == "date-time" else "https://example.org/x"
    return {"array": [], "integer": 1, "number": 1.0, "boolean": False}[kind]
