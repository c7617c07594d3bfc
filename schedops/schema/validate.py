"""A JSON value against the JSON Schema of its kind: problems in words, bounded."""

from __future__ import annotations

import functools
import importlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from schedops.schema.files import data_dir
from schedops.schema.problem import Problem, member, shown
from schedops.schema.registry import schema_file

_TYPES = {"object": "an object", "array": "a list", "string": "a string", "integer": "an integer",
          "number": "a number", "boolean": "true or false", "null": "null"}  # fmt: skip
_BOUNDS = {
    "minimum": "is below {}",
    "maximum": "is above {}",
    "exclusiveMinimum": "is not above {}",
    "exclusiveMaximum": "is not below {}",
    "minLength": "is shorter than {} characters",
    "maxLength": "is longer than {} characters",
    "minItems": "has fewer than {} entries",
    "maxItems": "has more than {} entries",
    "pattern": "does not match {}",
}


@functools.cache
def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of a document kind. :raises KeyError: there is no such kind."""
    found: dict[str, Any] = json.loads((data_dir("schemas") / schema_file(kind)).read_bytes())
    return found


def schema_problems(document: Any, kind: str) -> tuple[Problem, ...]:
    """Everything the schema of *kind* has against *document*, in the order of the document's paths."""
    return _found(_validator(kind), document)


def problems_of(rules: Mapping[str, Any], value: Any) -> tuple[Problem, ...]:
    """As :func:`schema_problems`, for a schema that belongs to no kind, such as that of a tool's arguments."""
    return _found(_validators()(rules), value)


def _found(validator: Any, value: Any) -> tuple[Problem, ...]:
    found = [problem for error in validator.iter_errors(value) for problem in _problems(error)]
    return tuple(sorted(set(found), key=lambda problem: (problem.path, problem.message)))


@functools.cache
def _validator(kind: str) -> Any:
    return _validators()(schema(kind))


@functools.cache
def _validators() -> Any:
    validators: Any = importlib.import_module("jsonschema.validators")  # 0.08 s, and --help does without
    base = validators.Draft202012Validator
    # A float such as 4.0 is an integer to JSON Schema; documents here say integer when they mean one.
    checker = base.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    return validators.extend(base, {"pattern": _pattern}, type_checker=checker)


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[Any]:
    # Python's $ also matches before a newline at the end, the $ of JSON Schema (ECMA 262) does not.
    if isinstance(value, str) and not re.search(re.sub(r"\$\Z", r"\\Z", pattern), value):
        errors: Any = importlib.import_module("jsonschema.exceptions")
        yield errors.ValidationError("does not match")


def _problems(error: Any) -> list[Problem]:
    path, rule = _path(error.absolute_path), error.validator
    if rule == "required":
        return [Problem(path, f"{key} is missing") for key in error.validator_value if key not in error.instance]
    if rule == "additionalProperties":
        known = sorted(error.schema.get("properties", ()))
        unknown = [key for key in error.instance if key not in known]
        return [Problem(member(path, str(key)), f"unknown property{_nearest(str(key), known)}") for key in unknown]
    return [Problem(path, _words(error, rule))]


def _words(error: Any, rule: str) -> str:
    value, wanted = error.instance, error.validator_value
    if rule == "type":
        types = [wanted] if isinstance(wanted, str) else wanted
        quoted = "; write it in quotes" if types == ["string"] and isinstance(value, int | float | None) else ""
        return f"{shown(value)} is not {' or '.join(_TYPES[name] for name in types)}{quoted}"
    if rule in _BOUNDS:
        return f"{shown(value)} {_BOUNDS[rule].format(wanted)}"
    if rule == "enum":
        return f"{shown(value)} is not one of {', '.join(json.dumps(choice) for choice in wanted)}"
    if rule == "const":
        return f"{shown(value)} must be {json.dumps(wanted)}"
    if rule == "uniqueItems":
        return "an entry occurs twice"
    return str(error.schema.get("$comment") or error.message)


def _path(parts: Any) -> str:
    path = "$"
    for part in parts:
        path = f"{path}[{part}]" if isinstance(part, int) else member(path, part)
    return path


def _nearest(key: str, known: list[str]) -> str:
    import difflib  # noqa: PLC0415 - only when somebody mistyped

    close = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
