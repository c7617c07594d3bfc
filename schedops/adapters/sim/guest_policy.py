"""A policy in its sandbox: joined to the engine, its maps made, its parameters set, its callbacks found."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import wasmtime

from schedops.adapters.sim.enums import loader_sets
from schedops.adapters.sim.module_layout import MAX_FIELDS, Fields, Layout, MapPlace, ObjectPlace
from schedops.adapters.sim.sandbox import Sandbox
from schedops.model.policy import Param, ParamValue
from schedops.model.simulation import SimPlan

# In the order of struct policy_ops and struct policy_room in the engine's scx.h, and of the shim's sched_ext_ops.
OPS = (
    "select_cpu",
    "enqueue",
    "dequeue",
    "dispatch",
    "tick",
    "runnable",
    "running",
    "stopping",
    "quiescent",
    "yield",
    "core_sched_before",
    "set_weight",
    "set_cpumask",
    "update_idle",
    "cpu_acquire",
    "cpu_release",
    "init_task",
    "exit_task",
    "enable",
    "disable",
    "dump",
    "dump_cpu",
    "dump_task",
    "cgroup_init",
    "cgroup_exit",
    "cgroup_prep_move",
    "cgroup_move",
    "cgroup_cancel_move",
    "cgroup_set_weight",
    "cgroup_set_bandwidth",
    "cgroup_set_idle",
    "cpu_online",
    "cpu_offline",
    "init",
    "exit",
)
ROOM = (
    "task",
    "comm",
    "mask",
    "allowed",
    "weight",
    "flags",
    "exiting",
    "forget",
    "hint",
    "slice",
    "set_slice",
    "set_vtime",
    "vtime",
    "use",
    "init_args",
    "exit_args",
    "cgroup",
    "cgroup_args",
    "mask_at",
    "timer",
    "idle_task",
    "current",
    "exit_info",
    "release_args",
    "exit_text",
    "disallow",
)
_TAIL = struct.Struct("<IIQ")  # dispatch_max_batch, timeout_ms, flags
_TASK_STORAGE = 29  # BPF_MAP_TYPE_TASK_STORAGE
_STORAGES = (_TASK_STORAGE, 32)  # and BPF_MAP_TYPE_CGRP_STORAGE: no number of entries
_SIZED = (1, 2, 5, 6, 9, 10, 22, 23)  # hash, array, per-CPU, LRU, per-CPU LRU, queue, stack
_RING = 27
_PAGE = 4096
_OTHER_MAPS = {13: "hash of maps"}
_MAX_MAP_BYTES = 256 << 20  # of values, on one CPU
_MAX_OBJECT_BYTES = 4096 - 8
_MAX_NAMES = 5  # of functions that are missing
_FORMATS = {1: "<B", 2: "<H", 4: "<I", 8: "<Q"}


class NotSimulated(Exception):
    """The policy needs what there is not."""


@dataclass(frozen=True, slots=True)
class GuestPolicy:
    """:param memory: the policy's. :param layout: of its module."""

    memory: wasmtime.Memory
    layout: Layout


def join(
    sandbox: Sandbox,
    module: wasmtime.Module,
    layout: Layout,
    plan: SimPlan,
    cpus: int,
    declared: Sequence[Param],
    values: Sequence[ParamValue],
    *,
    custody: bool,
) -> GuestPolicy:
    """Everything but ``ops.init()``, which the engine's setup calls.

    :param custody: see ``SimScheduler``.

    :raises NotSimulated: with the name of what the simulator does not have.
    """
    store = sandbox.store
    exports = wasmtime.Instance(store, module, _imports(sandbox, module)).exports(store)
    memory = exports["memory"]
    assert isinstance(memory, wasmtime.Memory)

    def call(name: str, *arguments: int) -> int:
        return int(exports[name](store, *arguments) or 0)  # type: ignore[operator]

    _set_params(memory, store, layout, declared, values, custody=custody)
    tasks = call("rt_start", len(plan.tasks), len(plan.cgroups), cpus)
    for one in layout.maps:
        _make_map(one, call)
    for made in layout.objects:
        _make_type(made, call)
    for place, name in enumerate(ROOM):
        sandbox.call("set_room", place, sandbox.callable(exports[f"rt_{name}"]))
    _set_ops(sandbox, memory, exports["__indirect_function_table"], layout, tasks, call("rt_stride"))
    return GuestPolicy(memory, layout)


def _make_map(one: MapPlace, call: Callable[..., int]) -> None:
    _check_size(one)
    if call("rt_map", one.address, one.type, one.key_size, one.inner or one.value_size, one.max_entries):
        named = f" ({_OTHER_MAPS[one.type]})" if one.type in _OTHER_MAPS else ""
        raise NotSimulated(f"map {one.name} is of type {one.type}{named}")
    if one.name == "hints" and (one.type, one.value_size) == (_TASK_STORAGE, 8):
        call("rt_hints", one.address)
    _tell_fields(one.name, one.address, one.fields, call)


def _make_type(one: ObjectPlace, call: Callable[..., int]) -> None:
    # The sizes that bpf_mem_alloc() of all kernels has: 4096 with a word of its own.
    if not 0 < one.size <= _MAX_OBJECT_BYTES:
        raise NotSimulated(f"an object of {one.size} bytes, struct {one.name}: up to {_MAX_OBJECT_BYTES} can be")
    if call("rt_type", one.address, one.size):
        raise NotSimulated("more types of objects than there is room for")
    _tell_fields(one.name, one.address, one.fields, call)


def _tell_fields(name: str, address: int, fields: Fields, call: Callable[..., int]) -> None:
    if len(fields) > MAX_FIELDS:
        raise NotSimulated(f"{name} with more than {MAX_FIELDS} members that the kernel keeps")
    for offset, kind in fields:
        call("rt_field", address, offset, kind)


def _check_size(one: MapPlace) -> None:
    """What the kernel refuses (kernel/bpf: the maps' alloc_check), or what would fill the policy's memory."""
    entries = 1 if one.type in _STORAGES else one.max_entries
    known = one.type in _SIZED or one.type in _STORAGES
    if known and not 0 < max(one.key_size, one.value_size, 8) * entries * bool(one.value_size) <= _MAX_MAP_BYTES:
        sizes = f"{one.max_entries} entries of {one.value_size} bytes"
        raise NotSimulated(f"map {one.name} with {sizes}: up to {_MAX_MAP_BYTES >> 20} MiB can be")
    if one.type == _RING:
        _check_ring(one)


def _check_ring(one: MapPlace) -> None:
    """As ringbuf_map_alloc() (kernel/bpf/ringbuf.c, 6.18) has it, and what would fill the policy's memory."""
    size = one.max_entries
    if one.key_size or one.value_size or size < _PAGE or size & (size - 1) or size > _MAX_MAP_BYTES:
        limits = f"a power of two from {_PAGE} bytes to {_MAX_MAP_BYTES >> 20} MiB, without key and value"
        raise NotSimulated(f"ring buffer {one.name} of {size} bytes: it has to be {limits}")


def _imports(sandbox: Sandbox, module: wasmtime.Module) -> list[Any]:
    found, missing = [], []
    for one in module.imports:
        function = sandbox.function(str(one.name)) if one.module == "engine" and str(one.name)[:3] == "kf_" else None
        if function is None:
            missing.append(str(one.name))
        else:
            found.append(function)
    if missing:
        named = ", ".join(name[:60] for name in sorted(missing)[:_MAX_NAMES])
        raise NotSimulated(f"it calls {named}{', ...' if len(missing) > _MAX_NAMES else ''}")
    return found


def _set_params(
    memory: wasmtime.Memory,
    store: wasmtime.Store,
    layout: Layout,
    declared: Sequence[Param],
    values: Sequence[ParamValue],
    *,
    custody: bool,
) -> None:
    chosen = {param.name: param.default for param in declared} | {value.name: value.value for value in values}
    chosen = loader_sets(layout.constants, custody=custody) | chosen
    for name, value in chosen.items():
        place = layout.constants.get(name)
        if place is None or place.size not in _FORMATS:
            raise NotSimulated(f"its parameter {name} is no const volatile integer of the source")
        data = struct.pack(_FORMATS[place.size], value % (1 << 8 * place.size))
        memory.write(store, data, place.address)


def _set_ops(sandbox: Sandbox, memory: wasmtime.Memory, table: Any, layout: Layout, tasks: int, stride: int) -> None:
    if len(layout.ops) != 1:
        raise NotSimulated(f"it has {len(layout.ops)} sched_ext_ops")
    start = layout.ops[0].address
    store = sandbox.store
    raw = bytes(memory.read(store, start, start + len(OPS) * 8 + _TAIL.size))
    for place, index in enumerate(struct.unpack_from(f"<{len(OPS)}Q", raw)):
        if not index:
            continue
        function = table.get(store, index) if index < 1 << 32 else None
        if not isinstance(function, wasmtime.Func):
            raise NotSimulated(f"a callback that is no function: {OPS[place]}")
        sandbox.call("set_op", place, sandbox.callable(function))
    batch, timeout_ms, flags = _TAIL.unpack_from(raw, len(OPS) * 8)
    sandbox.call("set_policy", tasks, stride, _signed(flags), batch, timeout_ms)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
