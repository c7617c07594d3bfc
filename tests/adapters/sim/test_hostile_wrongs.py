"""Hostile policies: each wrong where it hurts, its verdict and its line, and the accounts stay right."""

from __future__ import annotations

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.simulation import SimEnd, SimResult
from tests.adapters.sim.hostile import CALLBACKS, DONE, EJECTED, FAULT, UNSUPPORTED, Hostile, Wrong, check_accounts

NO_TASK = "which is no task"
OUTSIDE = "a pointer to outside of its memory"
ENDLESS = "it does not end"
ANY = ""
NULL = "a null pointer or an index out of bounds"
LOOPS = {
    "for": Wrong("for (;;) sink += 3", FAULT, ENDLESS),
    "goto": Wrong("here: sink ^= 5; goto here", FAULT, ENDLESS),
    "asks-the-time": Wrong("while (scx_bpf_now()) sink++", FAULT, ENDLESS),
    "waits-for-memory": Wrong("while (!*(volatile u64 *)small) sink++", FAULT, ENDLESS),
    "recursion": Wrong("sink = deeper(1)", FAULT),
    "mutual-recursion": Wrong("sink = even(1)", FAULT, "endless recursion"),
    "recursion-by-pointer": Wrong("itself = by_pointer; sink = by_pointer(1)", FAULT, "endless recursion"),
    "bpf-loop": Wrong("bpf_loop(1 << 23, spins, 0, 0)", FAULT, ENDLESS),
    "bpf-for": Wrong("{ s32 i; bpf_for(i, 0, 0x7fffffff) sink += i; }", FAULT, ENDLESS),
    "bpf-for-in-bpf-for": Wrong(
        "{ s32 i, j; bpf_for(i, 0, 1 << 20) bpf_for(j, 0, 1 << 20) sink += j; }",
        FAULT,
        ENDLESS,
    ),
    "map-loop": Wrong("for (;;) bpf_map_update_elem(&table, (u32 *)&sink, (u64 *)&sink, 0), sink++", FAULT, ENDLESS),
    "walks-forever": Wrong("bpf_iter_scx_dsq_new(&it, 7, 0); for (;;) bpf_iter_scx_dsq_next(&it)", FAULT, ENDLESS),
    "creates-forever": Wrong("for (;;) scx_bpf_create_dsq(sink++, -1)", UNSUPPORTED, "more than 131072 dispatch"),
    "destroys-forever": Wrong("for (;;) scx_bpf_create_dsq(99, -1), scx_bpf_destroy_dsq(99)", FAULT, ENDLESS),
    "prints-forever": Wrong("for (;;) scx_bpf_kick_cpu(0, 0)", FAULT, ENDLESS),
    "copies-forever": Wrong(
        "for (;;) __builtin_memcpy(forged, small, sizeof(small)), sink += forged[0]",
        FAULT,
        ENDLESS,
    ),
}
MEMORY = {
    "reads-the-end": Wrong("sink = *(volatile u64 *)END", FAULT, OUTSIDE),
    "writes-the-end": Wrong("*(volatile u64 *)END = 1", FAULT, OUTSIDE),
    "across-the-end": Wrong("sink = *(volatile u64 *)(END - 4)", FAULT, OUTSIDE),
    "the-last-word": Wrong("*(volatile u64 *)(END - 8) += 0", DONE),
    "far-read": Wrong("sink = *(volatile u64 *)(1ULL << 40)", FAULT, OUTSIDE),
    "far-write": Wrong("*(volatile u64 *)(1ULL << 63) = 1", FAULT, OUTSIDE),
    "highest": Wrong("sink = *(volatile u8 *)~0ULL", FAULT, OUTSIDE),
    "memset": Wrong("__builtin_memset(small, 1, 1ULL << 40)", FAULT, OUTSIDE),
    "memcpy": Wrong("__builtin_memcpy(small, (void *)(END - 8), 4096)", FAULT, OUTSIDE),
    "grow": Wrong("sink = __builtin_wasm_memory_grow(0, 1 << 20)", DONE),
    "grow-and-touch": Wrong("{ u64 at = END; if (__builtin_wasm_memory_grow(0, 64) + 1) fill(at, END, 7); }", DONE),
    "grow-to-the-limit": Wrong("while (__builtin_wasm_memory_grow(0, 1024) + 1) sink++", DONE),
    "grow-then-outside": Wrong("__builtin_wasm_memory_grow(0, 1); sink = *(volatile u64 *)END", FAULT, OUTSIDE),
    "null-read": Wrong("sink = nothing->scx.weight", FAULT, NULL),
    "null-write": Wrong("nothing->scx.slice = 1", FAULT, NULL),
    "null-call": Wrong("itself = 0; sink = itself(1)", FAULT, "a call of what is no function"),
    "wild-call": Wrong("itself = (void *)0x7654321; sink = itself(1)", FAULT, "a call of what is no function"),
    "index": Wrong("small[sink + 4] = 1", FAULT, NULL),
    "index-below": Wrong("small[(s64)sink - 1] = 1", FAULT, NULL),
    "index-far": Wrong("sink = small[sink + (1ULL << 60)]", FAULT, NULL),
    "big-frame": Wrong("big()", FAULT, OUTSIDE),
    "alloca": Wrong(
        "for (;;) { volatile char *room = __builtin_alloca(4096); *room = 1; sink += *room; }",
        FAULT,
        OUTSIDE,
    ),
    "vla": Wrong(
        "{ u64 n = 1 << 22; n += sink; volatile char room[n]; room[0] = 1; sink += room[0]; }",
        FAULT,
        OUTSIDE,
    ),
    "divides-by-zero": Wrong("sink = 7 / sink", FAULT, "divide by zero"),
    "trap": Wrong("__builtin_trap()", FAULT, NULL),
    "unreachable": Wrong('asm volatile("unreachable")', FAULT),
    "masks": Wrong("for (int i = 0; i < 100000; i++) sink += (u64)bpf_cpumask_create()", DONE),
}
POINTERS = {
    "no-task": Wrong("sink = scx_bpf_task_cpu(0)", FAULT, NO_TASK),
    "inside-a-task": Wrong("sink = scx_bpf_task_cpu((void *)p0 + 8)", FAULT, NO_TASK),
    "before-the-first": Wrong("sink = scx_bpf_task_cpu(bpf_task_from_pid(1000) - 1)", FAULT, NO_TASK),
    "behind-the-last": Wrong("sink = scx_bpf_task_cpu(bpf_task_from_pid(1000) + 64)", FAULT, NO_TASK),
    "far-behind": Wrong("sink = scx_bpf_task_running(bpf_task_from_pid(1000) + (1ULL << 53))", FAULT, NO_TASK),
    "a-copy": Wrong(
        "{ static struct task_struct copy; copy = *p0; sink = scx_bpf_task_cpu(&copy); }",
        FAULT,
        NO_TASK,
    ),
    "released-twice": Wrong("bpf_task_release(p0); bpf_task_release(p0); sink = scx_bpf_task_cpu(p0)", DONE),
    "mask-released-twice": Wrong(
        "{ struct bpf_cpumask *m = bpf_cpumask_create(); bpf_cpumask_release(m); bpf_cpumask_release(m); }",
        DONE,
    ),
    "no-such-pid": Wrong("sink = (u64)bpf_task_from_pid(-1) | (u64)bpf_task_from_pid(0x7fffffff); ZERO", DONE),
    "no-such-cpu": Wrong("sink = (u64)scx_bpf_cpu_curr(1 << 30)", EJECTED, "invalid CPU 1073741824"),
    "map-of-nothing": Wrong("sink = (u64)bpf_map_lookup_elem(0, &zero)", FAULT, "a map that is none"),
    "not-a-map": Wrong("sink = (u64)bpf_map_lookup_elem(small, &zero)", FAULT, "a map that is none"),
    "beside-a-map": Wrong("sink = (u64)bpf_task_storage_get(&array, p0, 0, 1)", FAULT, "a map that is none"),
    "storage-of-a-group": Wrong("sink = (u64)bpf_task_storage_get(&groups, p0, 0, 1)", FAULT, "a map that is none"),
    "forged-map": Wrong(
        "for (int i = 0; i < 64; i++) forged[i] = (u64)forged; bpf_map_update_elem(forged, &zero, (u64 *)&sink, 0)",
        ANY,
    ),
    "storage-of-nobody": Wrong("sink = (u64)bpf_task_storage_get(&stored, (void *)small, 0, 1)", FAULT, "no task"),
    "cgroup-of-nobody": Wrong("sink = (u64)bpf_cgrp_storage_get(&groups, (void *)small, 0, 1)", FAULT, "no cgroup"),
    "queue-too-full": Wrong("for (u64 i = 0; i < 100; i++) bpf_map_push_elem(&queue, &i, BPF_EXIST)", DONE),
    "table-too-full": Wrong("for (u32 i = 0; i < 1000; i++) bpf_map_update_elem(&table, &i, (u64 *)&sink, 0)", DONE),
    "per-cpu-of-no-cpu": Wrong("sink = (u64)bpf_map_lookup_percpu_elem(&per_cpu, &zero, 1 << 20); ZERO", DONE),
    "null-of-a-map": Wrong("{ u32 k = 9; *(u64 *)bpf_map_lookup_elem(&array, &k) += 1; }", FAULT, NULL),
    "forged-iterator": Wrong("{ *(int *)&it = 99; sink = (u64)bpf_iter_scx_dsq_next(&it); ZERO; }", DONE),
    "closed-iterator": Wrong(
        "bpf_iter_scx_dsq_new(&it, 7, 0); bpf_iter_scx_dsq_destroy(&it); sink = (u64)bpf_iter_scx_dsq_next(&it)",
        DONE,
    ),
    "many-iterators": Wrong(
        "for (int i = 0; i < 64; i++) bpf_iter_scx_dsq_new(&it, 7, 0)",
        FAULT,
        "iterators are open",
    ),
    "iterator-of-no-queue": Wrong("sink = bpf_iter_scx_dsq_new(&it, 99, 0) + 2; ZERO", DONE),
    "forged-timer": Wrong("{ forged[0] = 77; sink = bpf_timer_start((void *)forged, 0, 0) + 22; ZERO; }", DONE),
    "timer-of-nothing": Wrong(
        "bpf_timer_init(TIMER(1), &timers, 0); sink = bpf_timer_start(TIMER(1), 0, 0) + 22; ZERO",
        DONE,
    ),
    "timer-calls-nothing": Wrong("arm((void *)0x7777)", FAULT, "a call of what is no function"),
    "timer-traps": Wrong("arm(traps)", FAULT, NULL),
    "timer-again": Wrong("arm(again)", FAULT, "its timers fire more than"),
    "timer-soon": Wrong("arm(soon)", FAULT, "its timers fire more than"),
    "words-of-nowhere": Wrong("scx_bpf_error_bstr((char *)END, 0, 0)", FAULT, OUTSIDE),
    "value-of-nowhere": Wrong('{ unsigned long long at = END; scx_bpf_error_bstr("%s", &at, 8); }', FAULT, OUTSIDE),
    "says-too-much": Wrong('for (int i = 0; i < 9; i++) scx_bpf_error_bstr("%0999999d", 0, 0)', EJECTED, "000"),
    "says-escapes": Wrong('scx_bpf_error_bstr("\\033[2Jred", 0, 0)', EJECTED, "scx_bpf_error: [2Jred"),
    "leaves": Wrong('scx_bpf_exit_bstr(-1, "enough", 0, 0)', EJECTED, "enough"),
}
RUNTIME = {
    "all-zero": Wrong("fill(1024, END, 0)", ANY),
    "all-ones": Wrong("fill(1024, END, ~0ULL)", ANY),
    "all-tasks": Wrong("fill((u64)p0, (u64)p0 + 8 * STRIDE, ~0ULL)", ANY),
    "maps": Wrong("fill((u64)&stored, (u64)&stored + 8, 1ULL << 60)", ANY),
    "weight": Wrong("p0->scx.weight = 0", DONE),
    "flags": Wrong("p0->scx.flags = ~0", DONE),
    "mask": Wrong("p0->cpus_ptr = (void *)(1ULL << 50); p0->nr_cpus_allowed = -7", DONE),
    "own-mask": Wrong("fill((u64)&p0->cpus_mask, (u64)&p0->cpus_mask + 64, 0)", DONE),
    "index": Wrong("p0->index = 1 << 30; p0->pid = -1; p0->cgroups = 0", DONE),
    "slice-of-others": Wrong(
        "for (int i = 0; i < 20; i++) bpf_task_from_pid(1000 + i) ? bpf_task_from_pid(1000 + i)->scx.slice = ~0ULL : 0",
        ANY,
    ),
}
# No code of the policy's is on the stack when these are noticed.
PLACELESS = ("timer-calls-nothing", "timer-again", "timer-soon")
WRONGS = LOOPS | MEMORY | POINTERS | RUNTIME


@pytest.fixture(scope="module")
def hostile(simulator: WasmSimulator) -> Hostile:
    return Hostile(simulator, WRONGS)


@pytest.fixture(scope="module")
def well(simulator: WasmSimulator, hostile: Hostile) -> SimResult:
    return good(hostile)


def good(hostile: Hostile) -> SimResult:
    return hostile.run("", "init")


def test_it_behaves_when_it_is_told_to(well: SimResult) -> None:
    assert well.end == SimEnd(verdict=DONE)
    check_accounts(well)


def cases() -> list[tuple[str, str]]:
    """Each wrong in three callbacks, one after the other."""
    places = [name for name in CALLBACKS if name not in ("init", "init_task")]
    return [
        (wrong, places[(3 * number + more * 4) % len(places)])
        for number, wrong in enumerate(WRONGS)
        for more in range(3 if wrong not in LOOPS else 1)
    ]


@pytest.mark.parametrize(("wrong", "callback"), cases())
def test_wrong(hostile: Hostile, well: SimResult, wrong: str, callback: str) -> None:
    wanted = WRONGS[wrong]
    result = hostile.run(wrong, callback)
    check_accounts(result)
    if wanted.verdict == ANY:
        assert result.end.verdict in (DONE, EJECTED, FAULT)  # it wrecks its own view of things; how, is its own affair
    else:
        assert result.end.verdict == wanted.verdict, result.end
        assert wanted.words in result.end.message
        if wanted.verdict in (EJECTED, FAULT) and wrong not in PLACELESS:
            assert hostile.near(wrong, result.end.place), result.end
    assert good(hostile) == well
