"""Compiler's errors that say what one kernel lacks and another has: told as that, beside the kernels that have it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from schedops.errors import InputError, Unavailable
from schedops.model.kernel import KernelApi
from schedops.model.verification import Check, Finding
from schedops.ports import Kernels
from schedops.verify import stages
from schedops.verify.static import Static

_MEMBER = re.compile(
    r"field designator '(\w+)' does not refer to any field in type 'struct sched_ext_ops'"
    r"|no member named '(\w+)' in 'struct sched_ext_ops'"
)
_IDENTIFIER = re.compile(r"undeclared (?:identifier|function) '(\w+)'")
_RULE = "COMPILE-ERROR"


def told(objects: Sequence[Static], kernels: Kernels) -> list[Static]:
    """The same, with errors about members, flags and kfuncs of other kernels under the rules for those.

    Where none of these kernels has the name it is a mistake of the policy, and stays the compiler's error.
    """
    errors = [finding for one in objects for finding in _errors(one)]
    if len(objects) < 2 or not any(_MEMBER.search(one.text) or _IDENTIFIER.search(one.text) for one in errors):
        return list(objects)
    apis = {one.image.kernel.name: api for one in objects if (api := _api(one, kernels)) is not None}
    return [_of_one(one, apis) for one in objects]


def _errors(one: Static) -> Iterator[Finding]:
    for check in one.checks:
        if check.stage == stages.COMPILE:
            yield from (finding for finding in check.findings if finding.rule == _RULE)


def _api(one: Static, kernels: Kernels) -> KernelApi | None:
    try:
        return kernels.api(one.image)
    except (InputError, Unavailable):
        return None


def _of_one(one: Static, apis: Mapping[str, KernelApi]) -> Static:
    name = one.image.kernel.name
    if name not in apis:
        return one
    checks = tuple(_of_check(check, name, apis) if check.stage == stages.COMPILE else check for check in one.checks)
    return replace(one, checks=checks)


def _of_check(check: Check, name: str, apis: Mapping[str, KernelApi]) -> Check:
    findings = tuple(_of_finding(finding, name, apis) for finding in check.findings)
    changed = next((one for one in findings if one.rule != _RULE and one not in check.findings), None)
    return check if changed is None else replace(check, text=changed.text, findings=findings)


def _of_finding(finding: Finding, name: str, apis: Mapping[str, KernelApi]) -> Finding:
    asked = _asked(finding.text) if finding.rule == _RULE else None
    if asked is None:
        return finding
    rule, word = asked
    having = [other for other, api in apis.items() if _has(rule, word, api)]
    if name in having or not having:
        return finding
    text = f"Linux {name} has no {_KINDS[rule].format(word)}; {' and '.join(sorted(having))} {_has_it(having)}"
    return replace(finding, rule=rule, text=text, advice=_ADVICE[rule])


def _has_it(having: Sequence[str]) -> str:
    return "has it" if len(having) == 1 else "have it"


def _asked(text: str) -> tuple[str, str] | None:
    """Which rule it is for, and the name."""
    if member := _MEMBER.search(text):
        return "COMPAT-OP", member[1] or member[2]
    if identifier := _IDENTIFIER.search(text):
        word = identifier[1]
        return ("COMPAT-FLAG" if word.startswith("SCX_") else "COMPAT-KFUNC"), word
    return None


def _has(rule: str, word: str, api: KernelApi) -> bool:
    if rule == "COMPAT-OP":
        return word in api.ops_members
    return word in dict(api.enums) if rule == "COMPAT-FLAG" else any(kfunc.name == word for kfunc in api.kfuncs)


_KINDS = {
    "COMPAT-OP": "ops.{} in its struct sched_ext_ops",
    "COMPAT-FLAG": "{}",
    "COMPAT-KFUNC": "kfunc {}()",
}
_ADVICE = {
    "COMPAT-OP": "Leave the member out, or leave this kernel out of the fleet: a table cannot be guarded.",
    "COMPAT-FLAG": "Leave it out, ask with `bpf_core_enum_value_exists()` under a local definition, or leave this "
    "kernel out of the fleet.",
    "COMPAT-KFUNC": "Declare it `__weak` and guard it with `bpf_ksym_exists()`, or leave this kernel out of the fleet.",
}
