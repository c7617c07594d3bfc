"""Ports joined to real adapters; nothing else imports adapters wholesale. Commands import what they use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schedops import __version__
from schedops.adapters.crew import Threads

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from schedops.adapters.host.machines import HostMachines
    from schedops.forge_ports import Forge
    from schedops.model.evidence import Tools
    from schedops.ports import Archive, Crew, Embedder, KernelImage, Progress, Simulator, World


def world(progress: Progress) -> World:
    """The real world. Nothing is started, and no tool is looked for, before it is used."""
    from schedops.adapters.clock import SystemClock
    from schedops.adapters.compiler.clang import Clang
    from schedops.adapters.disk.verdicts import DiskVerdicts
    from schedops.adapters.host_facts import Host
    from schedops.adapters.kernel.kernels import KernelStore
    from schedops.adapters.sim.later import LaterSimulator
    from schedops.adapters.vm.qemu import Qemu
    from schedops.adapters.vm.stoppable import StoppableMachines
    from schedops.ports import World

    kernels = KernelStore()

    def newest() -> KernelImage | None:
        stored = kernels.list()
        return stored[-1] if stored else None

    machines = StoppableMachines(Qemu(probe_image=newest))
    return World(
        clock=SystemClock(),
        progress=progress,
        toolchain=Clang(),
        machines=machines,
        kernels=kernels,
        crew=Threads(machines),
        verdicts=DiskVerdicts(),
        simulator=LaterSimulator(),
        host=Host(),
    )


def this_host(progress: Progress, *, quiet: bool) -> AbstractContextManager[HostMachines]:
    """This machine itself instead of micro-VMs; see :func:`schedops.adapters.host.machines.this_host`."""
    from schedops.adapters.host.machines import this_host

    return this_host(progress, quiet=quiet)


def probes(joined: World) -> Callable[[KernelImage], bytes]:
    """Builds the probes on the scheduler for a kernel, when they are asked for."""
    from schedops.adapters.probe_object import probe_object

    return lambda image: probe_object(joined.toolchain, image)


def archive(joined: World) -> Archive:
    """The Debian archive that this machine's own sources name; nothing is asked of it before it is used."""
    from schedops.adapters.kernel.kernel_archive import KernelArchive
    from schedops.adapters.kernel.kernels import KernelStore

    return KernelArchive(KernelStore(), progress=joined.progress)


def simulator() -> Simulator:
    """The real simulator; wasmtime is imported now, the compiler is looked for when it is needed."""
    from schedops.adapters.sim.simulator import WasmSimulator

    return WasmSimulator()


def crew() -> Crew:
    """Threads that need no breaker: a simulation's batches are short."""
    return Threads()


def forge(root: Path, *, github: bool, repository: str | None = None) -> Forge:
    """Where the pull requests of the checkout at *root* live: beside it, or on GitHub.

    :param repository: owner/name on GitHub; None: what the remote ``origin`` names.
    :raises InputError: GitHub, and no token, no such remote, or another host than the token is for.
    """
    import os

    from schedops.adapters.clock import SystemClock
    from schedops.adapters.forge.forge_local import LocalForge

    if not github:
        return LocalForge(root, clock=SystemClock())
    from schedops.adapters.forge.github_where import github_forge

    return github_forge(root, repository=repository, environ=os.environ)


def tools(joined: World) -> Tools:
    """What made a document, for its evidence.

    :raises Unavailable: a tool is missing.
    """
    from schedops.adapters.package import package_digest
    from schedops.adapters.toolbox.tools import require_tool
    from schedops.model.evidence import Tools

    versions = joined.toolchain.versions()
    return Tools(
        schedops=__version__,
        schedops_sha256=package_digest(),
        clang=versions["clang"],
        bpftool=versions["bpftool"],
        qemu=require_tool("qemu-system-x86_64").version,
        accelerator=joined.machines.accelerator().name,
    )


def embedder() -> Embedder:
    """What `library search` compares texts by: the one that needs no download, or another one that is installed.

    ``$SCHEDOPS_EMBEDDER`` names an entry point of the group ``schedops.embedders``; called, it gives an Embedder.

    :raises Unavailable: no installed package offers that name.
    """
    import os
    from importlib.metadata import entry_points

    from schedops.errors import Unavailable
    from schedops.repository.embed import HashedEmbedder

    wanted = os.environ.get("SCHEDOPS_EMBEDDER", "")
    if not wanted:
        return HashedEmbedder()
    for point in entry_points(group="schedops.embedders", name=wanted):
        made: Embedder = point.load()()
        return made
    text = f"no installed package offers an embedder named {wanted[:60]!r}"
    raise Unavailable("embedder-missing", text, hint="install it, or unset SCHEDOPS_EMBEDDER")
