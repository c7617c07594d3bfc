"""``schedops setup``: install what is missing on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from schedops.cli.common import answers, output_option
from schedops.report.envelope import Answer


@click.command()
@click.option("--no-kernels", is_flag=True, help="tools only; fetch kernels later with `schedops kernel fetch`")
@click.option("--mirror", metavar="URL", help="Debian archive to use instead of this machine's own")
@output_option
@answers("setup")
def setup(*, no_kernels: bool, mirror: str | None) -> Answer:
    """Install what is missing on this machine: tools, then the kernels that the fleet file names.

    As root, system packages are installed with apt-get; otherwise the line to run is printed (exit 69). What the
    distribution has too old is unpacked under the cache directory and never installed. Safe to repeat.

    \b
    Example:
      schedops setup
      schedops setup --no-kernels
    """
    from schedops.adapters.console import console_progress
    from schedops.adapters.host_programs import link_beside
    from schedops.adapters.toolbox.provision import provide

    with console_progress() as progress:
        done = list(provide(progress=progress, mirror=mirror))
        if not no_kernels:
            from schedops.adapters.kernel.kernel_archive import KernelArchive
            from schedops.adapters.kernel.kernels import KernelStore
            from schedops.cli.kernel import fleet_kernels

            store = KernelStore()
            archive = KernelArchive(store, progress=progress, mirror=mirror)
            missing = [name for name in fleet_kernels() if store.find(name) is None]
            done += [f"kernel {archive.fetch(name).kernel.name} fetched" for name in missing]
    link = link_beside(Path(sys.executable).parent) if sys.prefix != sys.base_prefix else None
    done += [f"{link} linked"] if link else []
    text = "\n".join(done) if done else "nothing is missing"
    return Answer({"done": done}, f"{text}\n`schedops doctor` shows what is here")
