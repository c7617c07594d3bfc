"""The port Machines on the machine at hand: its kernel is the only one there is, and its CPUs are all there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schedops.adapters.host import noise as noises
from schedops.adapters.host.fitness import Fit, online_cpus, require_default, require_fit
from schedops.adapters.host.keeper import Keeper, keeping
from schedops.adapters.host.kernel import running_kernel
from schedops.adapters.host.process import host_program, running
from schedops.adapters.host.session import HostSession
from schedops.adapters.host_facts import Host
from schedops.errors import InputError
from schedops.model.environment import HostFacts
from schedops.model.event import Event
from schedops.model.guest import Accelerator
from schedops.model.rung import BARE_METAL, VIRTUAL_HOST
from schedops.ports import KernelImage, Progress

STAGE = "host"


class HostMachines:
    """Implements the port. A boot is an agent with a root file system of its own; the kernel is the same each time.

    :param program: of ``schedops/guest``. *keeper*: this machine is ours as long as it lives.
    """

    def __init__(self, fit: Fit, image: KernelImage, facts: HostFacts, *, program: Path, keeper: Keeper) -> None:
        self.image = image
        self.cpus = online_cpus()
        self._fit = fit
        self._facts = facts
        self._program = program
        self._keeper = keeper

    @contextmanager
    def boot(
        self, image: KernelImage, *, cpus: int, sockets: int = 1, programs: Path | None = None
    ) -> Iterator[HostSession]:
        """See :class:`schedops.ports.Machines`.

        :raises InputError: ``not-this-host``: another kernel, or another number of CPUs or sockets than it has.
        """
        if (image.kernel.btf_sha256, cpus, sockets) != (self._fit.btf_sha256, self.cpus, 1):
            text = f"this host has {self.image.kernel.release} and {self.cpus} CPUs, and nothing else"
            raise InputError("not-this-host", text, hint="--on vm")
        require_default()
        with running(self._program, self._fit.cgroups, lock=self._keeper.lock, programs=programs) as machine:
            session = HostSession(machine, where=f"this host, {image.kernel.release}, {cpus} CPUs")
            session.hello(now_ns=0, cpus=cpus)  # an agent on a host does not touch the clock
            yield session

    def accelerator(self) -> Accelerator:
        """There is none."""
        virtual = self._facts.virtualisation
        if virtual == "none":
            return Accelerator(name="none", qemu_version="", reason="this host itself", rung=BARE_METAL)
        reason = f"this host itself, which is virtual: {virtual}"
        return Accelerator(name="none", qemu_version="", reason=reason, rung=VIRTUAL_HOST)


@contextmanager
def this_host(progress: Progress, *, quiet: bool, program: Path | None = None) -> Iterator[HostMachines]:
    """The machine at hand for as long as the context; then it is as it was, however that ends.

    What makes it noisy is told.

    :param quiet: change meanwhile what of that can be changed and put back.
    :param program: of ``schedops/guest``; by default it is built if need be.
    :raises Unavailable: as :func:`schedops.adapters.host.fitness.require_fit`, :func:`keeping`.
    """
    fit = require_fit()
    image, program = running_kernel(fit), program or host_program()
    with keeping(program, fit.cgroups) as keeper:
        for one in noises.noise():
            for text in _told(one, keeper, quiet=quiet):
                progress.emit(Event(kind="note", stage=STAGE, text=text))
        yield HostMachines(fit, image, Host().facts(), program=program, keeper=keeper)


def _told(one: noises.Noise, keeper: Keeper, *, quiet: bool) -> list[str]:
    if not (quiet and one.settings):
        return [f"{one.text}" + (f"; mend: {one.command}" if one.command else "")]
    wrong = [why for setting in one.settings if (why := keeper.change(setting.path, setting.value))]
    return [f"{one.text}: changed for this run", *(f"not changed: {why}" for why in wrong)]
