"""A machine as the file people edit: a line for each CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schedops.model.machine import Machine
from schedops.report.progress import visible
from schedops.schema.decode import encode
from schedops.schema.registry import API_VERSION

_COSTS = (
    "tick_ns",
    "switch_ns",
    "migrate_llc_ns",
    "migrate_across_llc_ns",
    "migrate_across_node_ns",
    "smt_capacity",
)


def machine_file(machine: Machine, *, comments: Sequence[str] = ()) -> str:
    """YAML that reads back to the same machine; equal machines give equal text, with a final newline.

    :param comments: lines at the top of the file, without ``#``.
    """
    document = encode(machine)
    lines = [
        *(f"# {visible(line)}" for line in comments),
        f"apiVersion: {API_VERSION}",
        "kind: Machine",
        f"name: {document['name']}",
        "cpus:",
        *(f"  - {_flow(cpu)} # {number}" for number, cpu in enumerate(document["cpus"])),
        *(f"{name}: {document[name]}" for name in _COSTS),
    ]
    if machine.idle_states:
        lines += ["idle_states:", *(f"  - {_flow(state)}" for state in document["idle_states"])]
    if machine.frequency is not None:
        lines.append(f"frequency: {_flow(document['frequency'])}")
    return "\n".join(lines) + "\n"


def _flow(values: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in values.items()) + "}"
