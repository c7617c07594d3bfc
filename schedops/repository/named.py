"""What POLICY may mean: a name of the library, a directory with policy.yaml, a .bpf.c, a .bpf.o, or ``-``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from schedops.errors import InputError
from schedops.model.policy import Capabilities, Policy, PolicySource, PrebuiltPolicy, Provenance
from schedops.repository.includes import headers_of
from schedops.repository.library import find_policy, read_headers, read_policy, without_comments
from schedops.repository.tree import settled, text
from schedops.schema.files import MAX_BYTES, read_bounded

DECLARABLE = ("weights", "hotplug", "partial")
STDIN = "<stdin>"
_SUFFIX = ".bpf.c"
_OBJECT_SUFFIX = ".bpf.o"
_MAX_OBJECT_BYTES = 8 << 20
_ELF = b"\x7fELF"
# Whatever stands between the quotes: that the kernel would not have such a name is a finding, not bad input.
_STRING = r'"((?:[^"\\\n]|\\.){0,300})"'
_OPS = re.compile(r"\bsched_ext_ops\b|\bSCX_OPS_(?:CID_)?DEFINE\b")
_OPS_NAME = re.compile(rf"\.name\s{{0,20}}=\s{{0,20}}(?:\([^()\n]{{0,40}}\)\s{{0,20}})?(?:{_STRING}|(\w{{1,127}}))")


def resolve_policy(root: Path, wanted: str, *, cwd: Path) -> PolicySource:
    """The policy that *wanted* means; the library's headers go with all of them.

    A bare file that no ``policy.yaml`` beside it describes has no parameters and promises nothing.

    :param cwd: what relative paths are relative to.
    :raises InputError: ``unknown-policy``, ``invalid-document``, ``not-a-policy``.
    """
    if "/" not in wanted and wanted not in (".", "..") and not wanted.endswith(_SUFFIX):
        return find_policy(root, wanted)
    place = (cwd / wanted).resolve()
    if place.is_dir():
        return _directory(root, place)
    if not place.is_file() or not place.name.endswith(_SUFFIX):
        raise InputError(
            "not-a-policy",
            f"{wanted[:200]!r} is neither a directory with policy.yaml nor a {_SUFFIX} file",
            hint="`schedops library list` names the policies of the library",
        )
    return _described(root, place) or _bare(root, place, cwd)


def resolve_subject(
    root: Path, wanted: str, *, cwd: Path, declared: Sequence[str] = (), stdin: bytes = b""
) -> PolicySource | PrebuiltPolicy:
    """As :func:`resolve_policy`, and also a built object, or a source on standard input.

    :param declared: what a bare file promises, of :data:`DECLARABLE`.
    :param stdin: what was read there; *wanted* is ``-``.
    :raises InputError: as :func:`resolve_policy`; ``declared-twice``: its policy.yaml says what it promises.
    """
    if wanted == "-":
        return _declared(_of_text(root, STDIN, "stdin.bpf.c", _decoded(stdin), beside=cwd), declared)
    if wanted.endswith(_OBJECT_SUFFIX):
        return _prebuilt(root, (cwd / wanted).resolve(), cwd, declared)
    found = resolve_policy(root, wanted, cwd=cwd)
    return _declared(found, declared) if is_bare(found.policy) else _held_to_its_own(found, declared)


def is_bare(policy: Policy) -> bool:
    """No ``policy.yaml`` describes it."""
    return policy.loses_when == _NOBODY_SAID


def _described(root: Path, place: Path) -> PolicySource | None:
    if not (place.parent / "policy.yaml").is_file():
        return None
    described = _directory(root, place.parent)
    return described if described.policy.source == place.name else None


def _directory(root: Path, place: Path) -> PolicySource:
    base, below = (root, str(place.parent.relative_to(root))) if place.is_relative_to(root) else (place.parent, "")
    return settled([read_policy(base, place.name, read_headers(root), below=below)], where=str(place))[0]


def _bare(root: Path, place: Path, cwd: Path) -> PolicySource:
    source = settled([text(place.parent, place.name, below="")], where=str(place))[0]
    return _of_text(root, _shown(place, root, cwd), place.name, source, beside=place.parent)


def _of_text(root: Path, path: str, name: str, source: str, *, beside: Path) -> PolicySource:
    code = without_comments(source)
    if _OPS.search(code) is None:
        raise InputError("not-a-policy", f"{path} defines no struct sched_ext_ops", where=path)
    policy = _undescribed(name, name.removesuffix(_SUFFIX), _ops_name(code))
    library = settled([read_headers(root)], where=str(root))[0]
    headers = settled([headers_of(root, str(beside), source, library)], where=path)[0]
    return PolicySource(policy=policy, path=path, text=source, headers=headers)


def _prebuilt(root: Path, place: Path, cwd: Path, declared: Sequence[str]) -> PrebuiltPolicy:
    elf = read_bounded(place, limit=_MAX_OBJECT_BYTES)
    if not elf.startswith(_ELF):
        raise InputError("not-a-policy", f"{place} is no ELF object", where=str(place), hint="clang -target bpf -c")
    policy = _undescribed(place.name, place.name.removesuffix(_OBJECT_SUFFIX), "")
    return PrebuiltPolicy(policy=_promising(policy, declared), path=_shown(place, root, cwd), elf=elf)


def _undescribed(file: str, stem: str, ops_name: str) -> Policy:
    return Policy(
        name=_slug(stem),
        description=f"The file {file}, without a description.",
        tags=(),
        classes=(),
        source=file,
        ops_name=ops_name,
        loses_when=_NOBODY_SAID,
        provenance=Provenance(author="human", pathway="create"),
    )


def _ops_name(code: str) -> str:
    """``.name`` of the ops table as written, through one macro; empty when the text does not say it."""
    names = list(_OPS_NAME.finditer(code))
    if not names:
        return ""
    table = max((match.start() for match in _OPS.finditer(code) if match.start() < names[-1].start()), default=0)
    found = next(name for name in names if name.start() > table)
    if found.group(2) is None:
        return str(found.group(1))
    macro = re.search(rf"^[ \t]*#[ \t]*define[ \t]+{found.group(2)}[ \t]+{_STRING}", code, re.MULTILINE)
    return macro.group(1) if macro else ""


def _declared(source: PolicySource, declared: Sequence[str]) -> PolicySource:
    return replace(source, policy=_promising(source.policy, declared))


def _promising(policy: Policy, declared: Sequence[str]) -> Policy:
    given = {name: name in declared for name in DECLARABLE}
    return replace(policy, capabilities=Capabilities(**given))


def _held_to_its_own(source: PolicySource, declared: Sequence[str]) -> PolicySource:
    if not declared:
        return source
    raise InputError(
        "declared-twice",
        f"the policy.yaml of {source.policy.name} says what it honours",
        where=f"{source.path.rpartition('/')[0]}/policy.yaml::$.capabilities",
        hint="--declare is for bare files; change `capabilities` there",
    )


def _decoded(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise InputError("file-too-large", f"{STDIN} is larger than {MAX_BYTES} bytes", where=STDIN)
    try:
        source = data.decode("utf-8")
    except UnicodeDecodeError as error:
        what = f"not UTF-8: byte {error.start} is 0x{data[error.start]:02x}"
        raise InputError("invalid-document", f"{STDIN}: {what}", where=STDIN) from None
    if "\0" in source:
        raise InputError("invalid-document", f"{STDIN}: NUL byte", where=STDIN)
    return source


def _shown(place: Path, *bases: Path) -> str:
    """Relative to the first of *bases* that it is below."""
    below = next((base for base in bases if place.is_relative_to(base.resolve())), None)
    return str(place.relative_to(below.resolve())) if below else str(place)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63] or "unnamed"


_NOBODY_SAID = "Nobody has said."
