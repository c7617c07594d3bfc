"""kfuncs where the kernel does not allow them, and with numbers that are none: ejected with the kernel's words."""

from __future__ import annotations

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from tests.adapters.sim.hostile import CALLBACKS, DONE, EJECTED, FAULT, Hostile, Wrong, check_accounts

MASK = "called from an operation only allowing"
# Where each may be called from (kernel/sched/ext.c of Linux 6.18: scx_kfunc_ids_*); the rest is refused.
UNLOCKED = {"init", "init_task"}
CONTEXTS = {
    "insert": ("scx_bpf_dsq_insert(p0, 7, 1, 0)", {"select_cpu", "enqueue", "dispatch"}),
    "insert-vtime": ("scx_bpf_dsq_insert_vtime(p0, 8, 1, 1, 0)", {"select_cpu", "enqueue", "dispatch"}),
    "to-local": ("scx_bpf_dsq_move_to_local(7)", {"dispatch"}),
    "slots": ("scx_bpf_dispatch_nr_slots()", {"dispatch"}),
    "cancel": ("scx_bpf_dispatch_cancel()", {"dispatch"}),
    "select": ("{ bool idle; scx_bpf_select_cpu_dfl(p0, 0, 0, &idle); }", {"select_cpu", "enqueue"} | UNLOCKED),
    "move": ("scx_bpf_dsq_move(&it, p0, 7, 0)", {"dispatch"} | UNLOCKED),
}
ENQUEUE = {
    "twice": Wrong(
        "scx_bpf_dsq_insert(p0, 7, 1, 0); scx_bpf_dsq_insert(p0, 7, 1, 0)", EJECTED, "already direct-dispatched"
    ),
    "another": Wrong(
        "if (p0->pid > 1000) scx_bpf_dsq_insert(bpf_task_from_pid(1000), 7, 1, 0)", EJECTED, "but trying to"
    ),
    "no-queue": Wrong("scx_bpf_dsq_insert(p0, 99, 1, 0); return", EJECTED, ""),
    "below": Wrong("scx_bpf_kick_cpu(-1, 0)", EJECTED, "invalid CPU -1"),
    "above": Wrong("scx_bpf_kick_cpu(2, SCX_KICK_IDLE)", EJECTED, "invalid CPU 2"),
    "far": Wrong("scx_bpf_kick_cpu(0x7fffffff, ~0ULL)", EJECTED, "invalid CPU 2147483647"),
    "internal-flags": Wrong("scx_bpf_dsq_insert(p0, 7, 1, ~0ULL)", EJECTED, "invalid enq_flags"),
    "peek-at-none": Wrong("sink = (u64)scx_bpf_dsq_peek(99)", EJECTED, "non-existent DSQ"),
    "idle-of-none": Wrong("sink = scx_bpf_test_and_clear_cpu_idle(-3)", EJECTED, "invalid CPU -3"),
    "destroy-none": Wrong("scx_bpf_destroy_dsq(99); scx_bpf_destroy_dsq(SCX_DSQ_LOCAL)", DONE),
    "count-none": Wrong("sink = 2 + scx_bpf_dsq_nr_queued(99); ZERO", DONE),
    "count-no-cpu": Wrong("sink = scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL_ON | 99)", EJECTED, "invalid CPU 99"),
    "a-node-below": Wrong("sink = 22 + scx_bpf_create_dsq(50, -7); ZERO", DONE),
    "a-node-above": Wrong("sink = 22 + scx_bpf_create_dsq(50, 70); ZERO", DONE),
    "a-built-in": Wrong("sink = 22 + scx_bpf_create_dsq(SCX_DSQ_GLOBAL, -1); ZERO", DONE),
    "again": Wrong("sink = 17 + scx_bpf_create_dsq(7, -1); ZERO", DONE),
}
DISPATCH = {
    "overflow": Wrong("for (int i = 0; i < 99; i++) scx_bpf_dsq_insert(p0, 7, 1, 0)", EJECTED, "buffer overflow"),
    "cancelled": Wrong("scx_bpf_dispatch_cancel()", EJECTED, "dispatch buffer underflow"),
    "slices": Wrong("scx_bpf_dsq_insert(p0, 7, ~0ULL, 0); p0->scx.slice = 1ULL << 63", DONE),
    "not-queued": Wrong("scx_bpf_dsq_insert(p0, SCX_DSQ_LOCAL_ON | 9999, 1, 0)", DONE),  # it runs: passed over
    "built-in": Wrong("scx_bpf_dsq_move_to_local(SCX_DSQ_LOCAL)", EJECTED, "invalid DSQ ID"),
    "no-such": Wrong("scx_bpf_dsq_move_to_local(~0ULL)", EJECTED, "invalid DSQ ID"),
    "forged-place": Wrong("*(int *)&it = 1 << 30; sink = scx_bpf_dsq_move(&it, p0, 7, 0); ZERO", DONE),
    "gone": Wrong("if (gone) scx_bpf_dsq_insert(gone, 7, 1, 0)", DONE),
    "unborn": Wrong("scx_bpf_dsq_insert(bpf_task_from_pid(1000) + 21, 7, 1, 0)", FAULT, "which is no task"),
}
WRONGS = {name: Wrong(code, EJECTED, MASK) for name, (code, _) in CONTEXTS.items()} | ENQUEUE | DISPATCH


@pytest.fixture(scope="module")
def hostile(simulator: WasmSimulator) -> Hostile:
    return Hostile(simulator, WRONGS)


def cases() -> list[tuple[str, str]]:
    asked = [
        (name, callback) for name, (_, allowed) in CONTEXTS.items() for callback in CALLBACKS if callback not in allowed
    ]
    return [*asked, *((name, "enqueue") for name in ENQUEUE), *((name, "dispatch") for name in DISPATCH)]


@pytest.mark.parametrize(("wrong", "callback"), cases())
def test_kfunc(hostile: Hostile, wrong: str, callback: str) -> None:
    wanted, result = WRONGS[wrong], hostile.run(wrong, callback)
    check_accounts(result)
    if callback == "init" and "p0" in wanted.code and wrong in CONTEXTS:
        assert result.end.verdict in (EJECTED, FAULT)  # there is no task yet, and that is noticed first
        return
    assert result.end.verdict == wanted.verdict, result.end
    assert wanted.words in result.end.message
    assert wanted.verdict == DONE or wrong == "no-queue" or hostile.near(wrong, result.end.place), result.end
