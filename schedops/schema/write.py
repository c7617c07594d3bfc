"""A value as the YAML file people review: fields in order, defaults left out, equal values give equal bytes."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

from schedops.schema.decode import encode
from schedops.schema.registry import API_VERSION, kind_of
from schedops.schema.strict import plain_meaning

_WIDTH = 110


def yaml_bytes(value: Any, *, comment: str = "") -> bytes:
    """A document as YAML that :func:`schedops.schema.read.load` reads back to the same value.

    :param comment: first line of the file, without ``#``.
    :raises TypeError: *value* is not a document.
    """
    import yaml  # noqa: PLC0415 - 0.03 s, and only those who write a file need it

    kind = kind_of(type(value))
    if kind is None:
        raise TypeError(f"{type(value).__name__} is not a document")
    document = {"apiVersion": API_VERSION, "kind": kind, **_without_defaults(value, encode(value))}

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: Any, data: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=_style(data))

    Dumper.add_representer(str, text)
    written = yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, indent=2)
    return ((f"# {comment}\n" if comment else "") + written).encode("utf-8")


def _without_defaults(value: Any, encoded: dict[str, Any]) -> dict[str, Any]:
    kept = {}
    for field in dataclasses.fields(value):
        default = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
        inner = getattr(value, field.name)
        if default is dataclasses.MISSING or inner != default:
            kept[field.name] = _pruned(inner, encoded[field.name])
    return kept


def _pruned(inner: Any, encoded: Any) -> Any:
    if dataclasses.is_dataclass(inner):
        return _without_defaults(inner, encoded)
    if isinstance(inner, tuple):
        return [_pruned(item, part) for item, part in zip(inner, cast("list[Any]", encoded), strict=True)]
    return encoded


def _style(text: str) -> str | None:
    if "\n" in text and "\t" not in text:
        return "|"
    try:
        plain = plain_meaning(text) == text
    except ValueError:
        plain = False
    return None if plain and "\t" not in text else '"'
