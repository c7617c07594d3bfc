"""Where something is measured: a micro-VM, or this machine itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from schedops.model.policy import ParamValue, PolicySource
    from schedops.model.verification import BuiltObject
    from schedops.ports import KernelImage, Progress, World

F = TypeVar("F", bound=Callable[..., Any])
VM, HOST = "vm", "host"


def place_options(*also: str) -> Callable[[F], F]:
    """Add --on and --quiet-host. *also*: what else --on may be."""
    words = "a micro-VM; this host itself, which needs root and is as it was afterwards"
    more = "; the simulator: exact, in seconds, and not measured" if "sim" in also else ""
    on = click.option(
        "--on", "place", type=click.Choice([VM, HOST, *also]), default=VM, show_default=True, help=words + more
    )
    quiet = click.option(
        "--quiet-host", is_flag=True, help="with --on host: change what makes it noisy, and put it back afterwards"
    )
    return lambda function: on(quiet(function))


@dataclass(frozen=True, slots=True)
class Place:
    """A world that measures there.

    :param image: asked for when it is needed: a micro-VM's kernel may not be there yet.
    """

    name: str
    world: World
    image: Callable[[], KernelImage]
    cpus: int
    _verifying: World

    def require_proved(self, source: PolicySource, params: Sequence[ParamValue], built: BuiltObject) -> None:
        """A policy may run there: anywhere in a micro-VM, on a host when it was verified for its kernel.

        :raises Unavailable: ``not-verified``. :raises Refused: it did not pass.
        """
        if self.name == HOST:
            from schedops.pipeline.proved import require_proved

            require_proved(self._verifying, source, params, built, self.image())


@contextmanager
def at(place: str, *, root: Path, kernel: str | None, cpus: int, quiet: bool, progress: Progress) -> Iterator[Place]:
    """Measure there for as long as the context; a host is as it was before when it ends.

    :raises Unavailable: as :func:`schedops.adapters.host.machines.this_host`.
    """
    from schedops.cli.sizes import bench_image
    from schedops.wiring import this_host, world

    joined = world(progress)
    if place != HOST:
        if quiet:
            raise click.UsageError("--quiet-host goes with --on host")
        yield Place(place, joined, lambda: bench_image(root, kernel, joined.kernels), cpus, joined)
        return
    _refuse_what_a_host_decides()
    with this_host(progress, quiet=quiet) as machines:
        yield Place(place, replace(joined, machines=machines), lambda: machines.image, machines.cpus, joined)


def _refuse_what_a_host_decides() -> None:
    context = click.get_current_context()
    for name in ("kernel", "cpus"):
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name}: a host has what it has")
