"""What POLICY may mean: a name of the library, a directory with ``policy.yaml``, or a bare ``.bpf.c`` file."""

from __future__ import annotations

import re
from pathlib import Path

from schedops.errors import InputError
from schedops.model.policy import Policy, PolicySource, Provenance
from schedops.repository.library import find_policy, read_headers, read_policy
from schedops.repository.tree import settled, text

_SUFFIX = ".bpf.c"
_OPS_NAME = re.compile(r'\.name\s{0,20}=\s{0,20}"([A-Za-z0-9_.]{1,127})"')


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
    if (place.parent / "policy.yaml").is_file():
        described = _directory(root, place.parent)
        if described.policy.source == place.name:
            return described
    return _bare(root, place)


def _directory(root: Path, place: Path) -> PolicySource:
    base, below = (root, str(place.parent.relative_to(root))) if place.is_relative_to(root) else (place.parent, "")
    return settled([read_policy(base, place.name, read_headers(root), below=below)], where=str(place))[0]


def _bare(root: Path, place: Path) -> PolicySource:
    source = settled([text(place.parent, place.name, below="")], where=str(place))[0]
    found = _OPS_NAME.search(source)
    if found is None:
        raise InputError("not-a-policy", f'{place} sets no .name = "..." of struct sched_ext_ops', where=str(place))
    policy = Policy(
        name=_slug(place.name.removesuffix(_SUFFIX)),
        description=f"The file {place.name}, without a description.",
        tags=(),
        classes=(),
        source=place.name,
        ops_name=found.group(1),
        loses_when="Nobody has said.",
        provenance=Provenance(author="human", pathway="create"),
    )
    headers = settled([read_headers(root)], where=str(root))[0]
    path = str(place.relative_to(root)) if place.is_relative_to(root) else str(place)
    return PolicySource(policy=policy, path=path, text=source, headers=headers)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63] or "unnamed"
