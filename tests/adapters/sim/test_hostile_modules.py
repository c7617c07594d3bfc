"""Hostile policies as the linker and the sandbox see them: names, imports, sections, sizes, callbacks, constructors."""

from __future__ import annotations

import pytest

from schedops.adapters.sim import build
from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.simulation import SimResult
from tests.adapters.sim.conftest import MS, mixed_plan, policy, run
from tests.adapters.sim.hostile import DONE, EJECTED, FAULT, UNSUPPORTED, check_accounts

SOURCE = """
#include "schedops.h"
char _license[] SEC("license") = "GPL";
volatile u64 sink;
@TOP@
void OP(m_enqueue, struct task_struct *p, u64 flags) { @BODY@; scx_bpf_dsq_insert(p, 7, SCX_SLICE_DFL, flags); }
void OP(m_dispatch, s32 cpu, struct task_struct *p) { scx_bpf_dsq_move_to_local(7); }
s32 OP_SLEEPABLE(m_init) { return scx_bpf_create_dsq(7, -1); }
SEC(".struct_ops.link")
struct sched_ext_ops m_ops = {
	.enqueue = (void *)m_enqueue, .dispatch = (void *)m_dispatch, .init = (void *)m_init, .name = "modules", @OPS@
};
"""


def imported(name: str, result: str, arguments: str, module: str = "engine") -> str:
    return f'extern {result} evil({arguments}) __attribute__((import_module("{module}"), import_name("{name}")));'


def exported(name: str) -> str:
    return f'__attribute__((export_name("{name}"))) u64 mine(u32 x) {{ return 1; }}'


def mapped(type_: str, entries: str, value: str = "u64") -> str:
    members = f"__uint(type, BPF_MAP_TYPE_{type_}); __uint(max_entries, {entries}); __type(key, u32);"
    return f'struct {{ {members} __type(value, {value}); }} m SEC(".maps");'


SPLIT = (UNSUPPORTED, "does not fit into the sandbox")
MISSING = (UNSUPPORTED, "the simulator does not have it: it calls")
COMPILES_NOT = (UNSUPPORTED, "it does not compile")
LINKS_NOT = (UNSUPPORTED, "it does not link")
TOO_BIG = (UNSUPPORTED, "up to 256 MiB can be")
NO_CALLBACK = (UNSUPPORTED, "a callback that is no function: tick")
FINE = (DONE, "")
EXIT = imported("kf_exit", "void", "u32 kind, s64 code, u64 at, u64 length")
EARLY = "__attribute__((constructor)) static void early(void)"
CIRCLE = """
void OP(c_enqueue, struct task_struct *p, u64 flags)
{
	scx_bpf_dsq_insert_vtime(p, 8, 300000, (u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32(), flags);
}
void OP(c_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;
	u64 i = 0;
	bpf_for_each(scx_dsq, p, 8, 0) {
		if (i++ % 3 != 1)
			continue;
		scx_bpf_dsq_move_set_vtime(&___it, i << 62 | bpf_get_prandom_u32());
		scx_bpf_dsq_move_vtime(&___it, p, 8, 0);
	}
	scx_bpf_dsq_move_to_local(8);
}
s32 OP_SLEEPABLE(c_init) { return scx_bpf_create_dsq(8, -1); }
"""
# name -> (above, in ops.enqueue(), in the ops, verdict and words)
MODULES = {
    "exports-an-accessor": (exported("rt_slice"), "", "", SPLIT),
    "exports-memory": (exported("memory"), "", "", SPLIT),
    "exports-the-table": (exported("__indirect_function_table"), "", "", SPLIT),
    "exports-a-kfunc": (exported("kf_dsq_insert"), "mine(1)", "", FINE),
    "defines-an-accessor": ("u64 rt_slice(u32 task) { return 1; }", "", "", LINKS_NOT),
    "defines-it-weakly": ("__weak u64 rt_slice(u32 task) { return 1; }", "", "", FINE),
    "defines-a-kfunc": ("void scx_bpf_put_cpumask(const struct cpumask *m) {}", "", "", LINKS_NOT),
    "defines-memset": ("void *memset(void *to, int with, unsigned long n) { return to; }", "", "", FINE),
    "defines-an-import": ("u64 kf_now(void) { return 1; }", "sink = scx_bpf_now()", "", FINE),
    "defines-others": (
        "u64 run, setup, tasks, cpus, stop; u64 finish(void) { return 1; }",
        "sink = finish()",
        "",
        FINE,
    ),
    "imports-run": (imported("run", "u32", "u64 n"), "evil(9)", "", MISSING),
    "imports-set-op": (imported("set_op", "void", "u32 n, u64 f"), "evil(1, 1)", "", MISSING),
    "imports-memory": (imported("memory", "void", "void"), "evil()", "", MISSING),
    "imports-another-type": (imported("kf_now", "u64", "float x"), "evil(1)", "", SPLIT),
    "imports-wasi": (imported("proc_exit", "void", "u32 n", "wasi_snapshot_preview1"), "evil(0)", "", MISSING),
    "imports-env": (imported("kf_now", "u64", "void", "env"), "evil()", "", MISSING),
    "imports-many": (
        "".join(f"extern void nobody_{n}(void);" for n in range(500)),
        "".join(f"nobody_{n}();" for n in range(500)),
        "",
        (UNSUPPORTED, "nobody_100, nobody_101, ..."),
    ),
    "fault-of-its-own": (imported("kf_fault", "void", "u32 n"), "evil(4)", "", (FAULT, "no cgroup")),
    "words-at-the-end": (EXIT, "evil(1025, 0, ~0ULL - 5, ~0ULL)", "", (EJECTED, "")),
    "words-below": (EXIT, "evil(1026, 0, 1ULL << 63, 9)", "", (EJECTED, "runnable task stall")),
    "words-without-end": (EXIT, "evil(0, 0, 1024, 1ULL << 63)", "", (EJECTED, "")),
    "undefined": ("extern void nobody(void);", "nobody()", "", MISSING),
    "undefined-data": ("extern int nowhere;", "nowhere++", "", LINKS_NOT),
    "giant-hash": (mapped("HASH", "1U << 31"), "", "", TOO_BIG),
    "giant-array": (mapped("ARRAY", "1 << 26"), "", "", TOO_BIG),
    "giant-value": (mapped("ARRAY", "1U << 31", "char[1 << 30]"), "", "", TOO_BIG),
    "beyond-32-bits": (mapped("ARRAY", "(1ULL << 32) + 4"), "", "", TOO_BIG),
    "empty-map": (mapped("QUEUE", "0"), "", "", TOO_BIG),
    "ring-with-values": (mapped("RINGBUF", "4096"), "", "", (UNSUPPORTED, "without key and value")),
    "giant-lru": (mapped("LRU_HASH", "1U << 31"), "", "", TOO_BIG),
    "hash-of-maps": (mapped("HASH_OF_MAPS", "4"), "", "", (UNSUPPORTED, "of type 13 (hash of maps)")),
    "hints-of-its-own": (mapped("ARRAY", "4", "u32").replace(" m ", " hints "), "", "", FINE),
    "data-200m": ("char big[200UL << 20];", "big[p->pid] = 1", "", FINE),
    "data-with-values": ("char big[48UL << 20] = { 1 };", "big[p->pid] = 1", "", COMPILES_NOT),
    "callback-by-number": ("", "", ".tick = (void *)0x123456", NO_CALLBACK),
    "callback-far": ("", "", ".tick = (void *)~0ULL", NO_CALLBACK),
    "callback-is-data": ("u64 data;", "", ".tick = (void *)&data", NO_CALLBACK),
    "callback-of-other-types": (
        "u64 wrong(u64 a, u64 b, float c) { return a; }",
        "",
        ".tick = (void *)wrong",
        (UNSUPPORTED, "types of arguments"),
    ),
    "callback-of-the-engine": (imported("kf_now", "u64", "void"), "", ".tick = (void *)evil", (UNSUPPORTED, "types")),
    "two-policies": (
        'SEC("") struct sched_ext_ops other = { .name = "other" };',
        "",
        "",
        (UNSUPPORTED, "2 sched_ext_ops"),
    ),
    "batch": ("", "", ".dispatch_max_batch = ~0U", (UNSUPPORTED, "dispatch_max_batch")),
    "timeout": ("", "", ".timeout_ms = ~0U", (EJECTED, "timeout_ms")),
    "flags": ("", "", ".flags = ~0ULL", (EJECTED, "invalid ops flags")),
    "tables": ("static __externref_t t[0];", "__builtin_wasm_table_grow(t, 0, 9)", "", COMPILES_NOT),
    "waits-for-ever": (
        '__attribute__((target("atomics"))) int w(int *a) { return __builtin_wasm_memory_atomic_wait32(a, 0, -1); }',
        "sink = w((int *)&sink)",
        "",
        SPLIT,
    ),
    "floats": ("double f = 0.1;", "f = f / (sink * 1.0); sink = f", "", FINE),
    "assembler-loop": ("", 'asm volatile("loop\\nbr 0\\nend_loop\\n")', "", (FAULT, "it does not end")),
    "assembler-stack": ("", 'asm volatile("i64.const 1\\n")', "", SPLIT),
    "endless-constructor": (f"{EARLY} {{ for (;;) sink++; }}", "", "", (FAULT, "it does not end in early")),
    "trap-in-constructor": (f"{EARLY} {{ __builtin_trap(); }}", "", "", (FAULT, "in early")),
    "start": ('__attribute__((export_name("_start"))) void start(void) { __builtin_trap(); }', "", "", FINE),
    "deep-types": (
        "typedef int a0[1];"
        + "".join(f"typedef a{n} a{n + 1}[1];" for n in range(1500))
        + "const volatile a1500 deep;",
        "sink = (u64)&deep",
        "",
        (UNSUPPORTED, "debug information"),
    ),
    "long-name": (
        f"static __noinline void f{'x' * 9000}(void) {{ __builtin_trap(); }}",
        f"f{'x' * 9000}()",
        "",
        (FAULT, "in fxxx"),
    ),
    "keys-in-a-circle": (
        CIRCLE,
        "",
        ".enqueue = (void *)c_enqueue, .dispatch = (void *)c_dispatch, .init = (void *)c_init",
        FINE,
    ),
}


@pytest.fixture(scope="module")
def well(simulator: WasmSimulator) -> SimResult:
    return run(simulator, mixed_plan(60, end_ns=20 * MS), "random", 3)


def ended(simulator: WasmSimulator, above: str, body: str, ops: str) -> SimResult:
    text = SOURCE.replace("@TOP@", above).replace("@BODY@", body).replace("@OPS@", ops)
    return run(simulator, mixed_plan(60, end_ns=20 * MS), policy(text), 3)


@pytest.mark.parametrize("name", MODULES)
def test_module(simulator: WasmSimulator, well: SimResult, name: str) -> None:
    above, body, ops, (verdict, words) = MODULES[name]
    result = ended(simulator, above, body, ops)
    check_accounts(result)
    assert (result.end.verdict, words in result.end.message) == (verdict, True), result.end
    assert len(result.end.message) < 600
    assert run(simulator, mixed_plan(60, end_ns=20 * MS), "random", 3) == well


def test_what_the_linker_may_use_up(simulator: WasmSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that explodes when it is optimised ends with the linker's limits."""
    monkeypatch.setattr(build, "_LINK_LIMITS", ("--cpu=0:1",))
    assert "it does not link" in ended(simulator, "", "sink = 4711", "").end.message
