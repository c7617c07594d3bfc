"""The probes on the scheduler, built for one kernel."""

from __future__ import annotations

from importlib.resources import files

from schedops.errors import Unavailable
from schedops.model.policy import Policy, PolicySource, Provenance
from schedops.model.verification import BuildFailure
from schedops.ports import KernelImage, Toolchain

_SOURCE = "sched.bpf.c"
# The toolchain builds policies; this one schedules nothing.
_POLICY = Policy(
    name="probes",
    description="watches the scheduler",
    tags=(),
    classes=(),
    source=_SOURCE,
    ops_name="",
    loses_when="",
    provenance=Provenance(author="human", pathway="create"),
)


def probe_object(toolchain: Toolchain, image: KernelImage) -> bytes:
    """The ELF object; from the cache when it was built before.

    :raises Unavailable: the compiler is missing, or this kernel's types are not as the probes expect them.
    """
    text = (files("schedops.probes") / _SOURCE).read_text(encoding="utf-8")
    built = toolchain.build(PolicySource(policy=_POLICY, path=f"schedops/probes/{_SOURCE}", text=text), (), image)
    if isinstance(built, BuildFailure):
        words = "; ".join(f"{one.file}:{one.line}: {one.text}" for one in built.problems[:5])
        raise Unavailable("probes-not-built", f"the probes do not compile for {image.kernel.name}", detail=words)
    return built.elf
