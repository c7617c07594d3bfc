"""Before a comparison: what earlier ones on this very machine say about how long it has to be."""

from __future__ import annotations

from collections.abc import Sequence

from schedops.bench.stage import environment_of
from schedops.gate.foresight import Foresight, foresee, in_words, seconds_a_round
from schedops.model.environment import differences
from schedops.model.event import Event
from schedops.model.measurements import Measurements
from schedops.model.workload import Workload
from schedops.ports import KernelImage, World
from schedops.schema.canonical import digest_of


def foretell(
    workload: Workload,
    looks: tuple[int, ...],
    image: KernelImage,
    *,
    cpus: int,
    earlier: Sequence[Measurements],
    world: World,
) -> tuple[Foresight, ...]:
    """Tell for each objective how many pairs it needs; earlier comparisons from elsewhere are left out, and said.

    :param earlier: of a workload of this name and this size, the newest first.
    """
    usable = []
    for one in earlier:
        if why := _elsewhere(one, workload, image, cpus, world):
            text = f"an earlier run is not counted, it is not comparable: {why}"
            world.progress.emit(Event(kind="note", stage="bench", text=text))
        else:
            usable.append(one)
    found = foresee(workload, looks, usable)
    for objective in found:
        text = in_words(objective, seconds_a_round(usable))
        world.progress.emit(Event(kind="note", stage="bench", text=text))
    return found


def _elsewhere(one: Measurements, workload: Workload, image: KernelImage, cpus: int, world: World) -> str:
    if one.workload_sha256 != digest_of(workload):
        return f"{workload.name} was another workload then"
    if one.environment is None or world.host is None:
        return "its environment is not known"
    here = environment_of(image, cpus=cpus, accelerator=world.machines.accelerator(), host=world.host)
    return "; ".join(differences(one.environment, here))
