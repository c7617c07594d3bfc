"""Real programs of a workload, at hand for guests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schedops.bench.programs import Installed
    from schedops.model.workload import Workload
    from schedops.ports import Progress


def installed_programs(workload: Workload, progress: Progress) -> Installed:
    """Its packages, downloaded when they are not there yet.

    :raises InputError: ``no-programs``: it has none.
    :raises Unavailable: the archive cannot be reached, does not have them, or the disk is full.
    """
    from schedops.adapters.toolbox.guest_programs import programs_archive, versions_of
    from schedops.bench.programs import Installed
    from schedops.workloads.real_setup import require_programs

    archive = programs_archive(require_programs(workload).packages, progress=progress)
    return Installed(archive=archive, versions=versions_of(archive))
