"""``policies/library/<name>/``: a policy's description, its source and the headers it may include."""

from __future__ import annotations

import re
from pathlib import Path

from schedops.model.policy import Param, Policy, PolicySource
from schedops.repository.includes import headers_of
from schedops.repository.tree import POLICIES, Found, document, names_in, settled, text, unknown

LIBRARY = "library"
Headers = Found[tuple[tuple[str, str], ...]]
_RANGES = {"u8": (0, 2**8 - 1), "u16": (0, 2**16 - 1), "u32": (0, 2**32 - 1), "u64": (0, 2**64 - 1),
           "s32": (-(2**31), 2**31 - 1), "s64": (-(2**63), 2**63 - 1), "bool": (0, 1)}  # fmt: skip
# Bounded everywhere, an unclosed comment reaches the end: the source is untrusted and must not make this slow.
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|//[^\n]*", re.DOTALL)
_CONSTANT = re.compile(r"\bconst\s+volatile\s+(\w{1,63})\s+(\w{1,63})\s*(?:=([^;]{0,200}))?;")


def load_policies(root: Path) -> tuple[PolicySource, ...]:
    """Every policy of the library, by name.

    :raises InputError: ``invalid-document`` with every problem of every policy.
    """
    return settled(read_library(root), where=f"{POLICIES}/{LIBRARY}")


def load_policy(root: Path, directory: str) -> PolicySource:
    """The policy in ``policies/library/<directory>``. :raises InputError: ``invalid-document``."""
    return settled([read_policy(root, directory, read_headers(root))], where=f"{POLICIES}/{LIBRARY}/{directory}")[0]


def find_policy(root: Path, name: str) -> PolicySource:
    """A policy by name; the others may be broken.

    :raises InputError: ``unknown-policy`` with the nearest names, or ``invalid-document``.
    """
    known = names_in(root, LIBRARY)
    if name not in known:
        raise unknown("policy", name, known, command="schedops library list")
    return load_policy(root, name)


def read_library(root: Path) -> tuple[Found[PolicySource], ...]:
    """Every directory of the library, by name, with its problems as values."""
    headers = read_headers(root)
    directories = [name for name in names_in(root, LIBRARY) if (root / POLICIES / LIBRARY / name).is_dir()]
    return tuple(read_policy(root, name, headers) for name in directories)


def read_headers(root: Path) -> Headers:
    """(name, text) of ``policies/include/*.h``, by name."""
    below = f"{POLICIES}/include"
    found = [(name, text(root, name, below=below)) for name in names_in(root, "include", ".h")]
    headers = tuple((name, part.value) for name, part in found if part.value is not None)
    return Found(headers, tuple(line for _, part in found for line in part.problems))


def read_policy(
    root: Path, directory: str, headers: Headers, *, below: str = f"{POLICIES}/{LIBRARY}"
) -> Found[PolicySource]:
    """The policy in ``<below>/<directory>``, held to its own promises."""
    folder = f"{below}/{directory}" if below else directory
    manifest = document(root, "policy.yaml", Policy, below=folder)
    policy = manifest.value
    if policy is None:
        return Found(None, (*manifest.problems, *headers.problems))
    source = text(root, policy.source, below=folder)
    promises = manifest_problems(policy, directory)
    if source.value is not None:
        promises = (*promises, *source_problems(policy, source.value))
    lines = tuple(f"{folder}/policy.yaml::{line}" for line in promises)
    problems = (*lines, *source.problems, *headers.problems)
    if source.value is None or problems:
        return Found(None, problems)
    path = f"{folder}/{policy.source}"
    own = headers_of(root, folder, source.value, headers.value or ())
    if own.problems:
        return Found(None, own.problems)
    return Found(PolicySource(policy=policy, path=path, text=source.value, headers=own.value or ()))


def manifest_problems(policy: Policy, directory: str) -> tuple[str, ...]:
    """What the description says that cannot be, whatever the source says; ``$.path: message``."""
    problems = [] if policy.name == directory else [f"$.name: {policy.name} lives in a directory named {directory}"]
    names = [param.name for param in policy.params]
    for at, param in enumerate(policy.params):
        path = f"$.params[{at}]"
        if names.index(param.name) != at:
            problems.append(f"{path}.name: a second parameter {param.name}")
        problems += [f"{path}.{line}" for line in _range_problems(param)]
    return tuple(problems)


def source_problems(policy: Policy, source: str) -> tuple[str, ...]:
    """Where description and source disagree; ``$.path: message``."""
    code = without_comments(source)
    constants = constants_of(code)
    problems = []
    for at, param in enumerate(policy.params):
        type_, value = constants.get(param.name, ("", ""))
        if not type_:
            problems.append(f"$.params[{at}].name: {policy.source} has no `const volatile {param.type} {param.name}`")
        elif type_ != param.type:
            problems.append(f"$.params[{at}].type: {param.name} is {type_} in {policy.source}, not {param.type}")
        elif (number := literal(value)) is not None and number != param.default:
            problems.append(f"$.params[{at}].default: {param.name} is {number} in {policy.source}, not {param.default}")
    if f'"{policy.ops_name}"' not in code:
        problems.append(f'$.ops_name: {policy.source} never says "{policy.ops_name}"')
    return tuple(problems)


def constants_of(code: str) -> dict[str, tuple[str, str]]:
    """Name -> (type, value as written) of each ``const volatile`` of a source without its comments."""
    return {name: (type_, value.strip()) for type_, name, value in _CONSTANT.findall(code)}


def without_comments(source: str) -> str:
    """The source with a blank for every comment."""
    return _COMMENT.sub(" ", source)


def _range_problems(param: Param) -> list[str]:
    low, high = _RANGES[param.type]
    problems = []
    if param.min > param.max:
        problems.append(f"min: {param.min} {param.unit} is above max {param.max}")
    elif not param.min <= param.default <= param.max:
        problems.append(f"default: {param.default} {param.unit} is not within {param.min}..{param.max}")
    if param.min < low or param.max > high:
        problems.append(f"type: {param.min}..{param.max} does not fit {param.type}")
    return problems


def literal(value: str) -> int | None:
    """What a constant is set to; None when that is no plain number."""
    if not value:
        return 0  # a constant without a value starts as zero
    if value in ("true", "false"):
        return int(value == "true")
    plain = re.fullmatch(r"(-?(?:0[xX][0-9a-fA-F]+|[0-9]+))[uUlL]*", value)
    return int(plain.group(1), 0) if plain and not re.fullmatch(r"-?0[0-9]+", plain.group(1)) else None
