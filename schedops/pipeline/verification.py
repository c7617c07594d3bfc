"""A policy verified in the joined world: an earlier answer to the very same question, or all stages now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from schedops.errors import InputError, Unavailable
from schedops.model.policy import ParamValue, PolicySource, PrebuiltPolicy
from schedops.model.verification import VerificationReport
from schedops.ports import KernelImage, World
from schedops.verify import kept, stage
from schedops.verify.stages import IN_GUESTS, QUICK, SIMULATE


def verify_policy(
    joined: World,
    subject: PolicySource | PrebuiltPolicy,
    *,
    params: Sequence[ParamValue] = (),
    images: Sequence[KernelImage],
    missing: Sequence[str] = (),
    stages: Sequence[str] = QUICK,
    cpus: int = stage.CPUS,
    keep_going: bool = False,
    cached: bool = True,
) -> VerificationReport:
    """See :func:`schedops.verify.stage.run`; what it says of *stages*, *missing* and *keep_going* holds here.

    :param cached: earlier answers count; what is found now is kept in either case. Texts of kept checks say so.
    :raises InputError: ``object-has-no-parameters``, ``no-such-stage``: nothing would be run.
    """
    wanted = stage.applicable(subject, stages)
    if not wanted:
        raise InputError("no-such-stage", "an object has neither a source nor a compile stage", where=subject.path)
    if params and isinstance(subject, PrebuiltPolicy):
        text = "parameters are set when a policy is compiled, and this is an object"
        raise InputError("object-has-no-parameters", text, where=subject.path)
    key = _key(joined, subject, params, images, wanted, cpus, keep_going=keep_going)
    if cached and key and (found := _find(joined, key)) is not None:
        return replace(found, kernels_missing=tuple(sorted(missing)))
    report = stage.run(
        subject,
        params,
        images,
        stages=wanted,
        cpus=cpus,
        keep_going=keep_going,
        missing=missing,
        toolchain=joined.toolchain,
        machines=joined.machines,
        kernels=joined.kernels,
        clock=joined.clock,
        progress=joined.progress,
        crew=joined.crew,
        verdicts=joined.verdicts,
        simulator=joined.simulator,
        cached=cached,
    )
    if key and joined.verdicts is not None and kept.is_settled(report.checks) and report.verdict.exit_code < 2:
        joined.verdicts.keep(key, replace(report, checks=kept.unmarked(report.checks)))
    return report


def _find(joined: World, key: str) -> VerificationReport | None:
    if joined.verdicts is None or (found := joined.verdicts.find(key)) is None or not kept.is_settled(found.checks):
        return None
    return replace(found, checks=kept.marked(found.checks))


def _key(
    joined: World,
    subject: PolicySource | PrebuiltPolicy,
    params: Sequence[ParamValue],
    images: Sequence[KernelImage],
    wanted: Sequence[str],
    cpus: int,
    *,
    keep_going: bool,
) -> str:
    """Empty when nothing is to be kept, such as where a tool is missing: the stages say which."""
    if joined.verdicts is None:
        return ""
    try:
        tools = _tools(joined, wanted)
    except Unavailable:
        return ""
    return kept.whole_key(subject, params, images, stages=wanted, cpus=cpus, keep_going=keep_going, tools=tools)


def _tools(joined: World, wanted: Sequence[str]) -> tuple[str, ...]:
    compiles = "compile" in wanted
    versions = joined.toolchain.versions() if compiles else {}
    tools = [f"{name} {version}" for name, version in sorted(versions.items())]
    if SIMULATE in wanted:
        tools.append("simulator" if joined.simulator is not None else "no simulator")
    if set(wanted) & set(IN_GUESTS):
        emulator = joined.machines.accelerator()
        tools.append(f"{emulator.name} {emulator.qemu_version}")
    return tuple(tools)
