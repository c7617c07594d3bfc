"""JSON value to dataclass and back, led by the annotations: no aliases, no coercion."""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from enum import Enum
from typing import Any, TypeVar, cast

from schedops.schema.problem import Problem, invalid, line_of, member, shown
from schedops.schema.registry import API_VERSION, kind_of

T = TypeVar("T")
_HEADER = ("apiVersion", "kind")
_WORDS = {str: "a string", bool: "true or false", int: "an integer", float: "a number"}
_BROKEN = object()


def encode(value: Any) -> dict[str, Any]:
    """A dataclass as a JSON object, every field present; documents also say ``apiVersion`` and ``kind``.

    :raises TypeError: it holds something that has no place in a document (bytes, sets, objects).
    """
    body = cast("dict[str, Any]", _encode(type(value), value))
    kind = kind_of(type(value))
    return body if kind is None else {"apiVersion": API_VERSION, "kind": kind, **body}


def decode(type_: type[T], document: Any) -> T:
    """A JSON object as a dataclass. Documents must say the right ``apiVersion`` and ``kind``.

    :raises InputError: ``invalid-document`` with every problem in *detail*, one a line.
    """
    value, shape, invariants = decode_all(type_, document)
    if shape or invariants:
        name = type_.__name__
        raise invalid((line_of(name, problem) for problem in (*shape, *invariants)), where=name)
    return cast("T", value)


def decode_all(type_: type[T], document: Any) -> tuple[T | None, tuple[Problem, ...], tuple[Problem, ...]]:
    """The value, the problems of its shape, and those its own invariants (``__post_init__``) found."""
    decoder = _Decoder()
    body = document
    if (kind := kind_of(type_)) is not None and isinstance(document, dict):
        decoder.header(kind, document)
        body = {key: value for key, value in document.items() if key not in _HEADER}
    value = decoder.value(type_, body, "$")
    return (None if value is _BROKEN else value), tuple(decoder.shape), tuple(decoder.invariants)


@functools.cache
def fields_of(type_: type) -> dict[str, Any]:
    """Field name -> annotation, in the order of declaration."""
    hints = typing.get_type_hints(type_)
    return {field.name: hints[field.name] for field in dataclasses.fields(type_)}


@functools.cache
def required_of(type_: type) -> frozenset[str]:
    """Names of the fields without a default."""
    missing = dataclasses.MISSING
    return frozenset(f.name for f in dataclasses.fields(type_) if f.default is missing and f.default_factory is missing)


@functools.cache
def optional_inner(hint: Any) -> Any:
    """X of ``X | None``; None when the annotation is something else."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return None
    inner = [arm for arm in typing.get_args(hint) if arm is not type(None)]
    return inner[0] if len(inner) == 1 else None


@functools.cache
def item_hints(hint: Any) -> tuple[Any, bool] | None:
    """(item annotations, any length?) of a tuple; None when the annotation is something else."""
    if typing.get_origin(hint) is not tuple:
        return None
    args = typing.get_args(hint)
    return (args[0], True) if len(args) == 2 and args[1] is Ellipsis else (args, False)


def _encode(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    hint = optional_inner(hint) or hint
    if dataclasses.is_dataclass(hint) and isinstance(value, cast("type", hint)):
        return {name: _encode(inner, getattr(value, name)) for name, inner in fields_of(cast("type", hint)).items()}
    if (items := item_hints(hint)) is not None and isinstance(value, tuple | list):
        each, any_length = items
        return [_encode(each if any_length else each[at], item) for at, item in enumerate(value)]
    if isinstance(value, Enum):
        return value.value
    # An int where a float is declared must not give other bytes than the float it equals.
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"{type(value).__name__} has no place in a document")


class _Decoder:
    """Collects problems while it builds; a part that is broken leaves its owner unbuilt."""

    def __init__(self) -> None:
        self.shape: list[Problem] = []
        self.invariants: list[Problem] = []

    def header(self, kind: str, document: dict[str, Any]) -> None:
        for key, wanted in zip(_HEADER, (API_VERSION, kind), strict=True):
            if key not in document:
                self.shape.append(Problem("$", f"{key} is missing, it must be {wanted}"))
            elif document[key] != wanted:
                self.shape.append(Problem(f"$.{key}", f"{shown(document[key])} must be {wanted}"))

    def value(self, hint: Any, value: Any, path: str) -> Any:
        inner = optional_inner(hint)
        if inner is not None:
            return None if value is None else self.value(inner, value, path)
        if dataclasses.is_dataclass(hint):
            return self._object(cast("type", hint), value, path)
        if (items := item_hints(hint)) is not None:
            return self._tuple(items, value, path)
        if isinstance(hint, type) and issubclass(hint, Enum):
            return self._enum(hint, value, path)
        return self._scalar(hint, value, path)

    def _object(self, type_: type, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            return self._wrong(path, value, "an object")
        fields = fields_of(type_)
        unknown = [key for key in value if key not in fields]
        missing = sorted(required_of(type_) - value.keys())
        self.shape += [Problem(member(path, str(key)), "unknown property") for key in unknown]
        self.shape += [Problem(path, f"{key} is missing") for key in missing]
        parts = {name: self.value(fields[name], part, member(path, name))
                 for name, part in value.items() if name in fields}  # fmt: skip
        if unknown or missing or any(part is _BROKEN for part in parts.values()):
            return _BROKEN
        try:
            return type_(**parts)
        except ValueError as error:
            self.invariants.append(Problem(path, str(error)))
            return _BROKEN

    def _tuple(self, items: tuple[Any, bool], value: Any, path: str) -> Any:
        if not isinstance(value, list):
            return self._wrong(path, value, "a list")
        each, any_length = items
        if not any_length and len(value) != len(each):
            return self._wrong(path, value, f"a list of {len(each)}")
        hints = [each] * len(value) if any_length else each
        parts = tuple(self.value(hint, part, f"{path}[{at}]")
                      for at, (hint, part) in enumerate(zip(hints, value, strict=True)))  # fmt: skip
        return _BROKEN if any(part is _BROKEN for part in parts) else parts

    def _enum(self, type_: type[Enum], value: Any, path: str) -> Any:
        for member_ in type_:
            if isinstance(value, str) and member_.value == value:
                return member_
        return self._wrong(path, value, "one of " + ", ".join(str(m.value) for m in type_))

    def _scalar(self, hint: Any, value: Any, path: str) -> Any:
        if hint not in _WORDS:
            raise TypeError(f"{path}: {hint} has no place in a document")
        if hint is float and type(value) is int:
            value = float(value) if abs(value) < 1 << 1000 else math.inf
        if type(value) is not hint or (hint is float and not math.isfinite(value)):
            return self._wrong(path, value, _WORDS[hint])
        return value

    def _wrong(self, path: str, value: Any, wanted: str) -> Any:
        self.shape.append(Problem(path, f"{shown(value)} is not {wanted}"))
        return _BROKEN
