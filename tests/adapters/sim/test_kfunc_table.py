"""docs/sim-kfuncs.md says what there is: what it calls done links, what it calls refused is refused by its name."""

from __future__ import annotations

import json

import pytest

from benchmarks import sim_kfuncs
from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.simulation import SimVerdict
from tests.adapters.sim.conftest import MS, mixed_plan, policy, run

KERNELS = json.loads(sim_kfuncs.DATA.read_text(encoding="utf-8"))
ALL = sorted({name for names in KERNELS.values() for name in names})
KNOWN = sim_kfuncs.known()
SOURCE = """
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
char _license[] SEC("license") = "GPL";
DECLARATIONS
void *volatile sink;
SEC("struct_ops/t_running") void t_running(struct task_struct *p) { CALLS }
SEC(".struct_ops.link") struct sched_ext_ops t_ops = { .running = (void *)t_running, .name = "table" };
"""


def test_the_page_is_what_the_command_writes() -> None:
    assert sim_kfuncs.page(KERNELS) == sim_kfuncs.PAGE.read_text(encoding="utf-8")


def test_every_series_is_there() -> None:
    assert list(KERNELS) == ["6.16", "6.18", "7.0", "7.3"]
    assert all("scx_bpf_create_dsq" in names for names in KERNELS.values())


def test_what_is_done_is_there(simulator: WasmSimulator) -> None:
    names = [name for name in ALL if sim_kfuncs.done(name, KNOWN)]
    helpers = [f"bpf_{name}" for name in sim_kfuncs.HELPERS.split()]
    names += [name for name in helpers if sim_kfuncs.done(name, KNOWN) and name not in ("bpf_loop", "bpf_trace_printk")]
    calls = " ".join(f"sink = (void *){name};" for name in names)
    flavours = " ".join(f"extern void {name}(void) __ksym;" for name in names if "___" in name)
    text = SOURCE.replace("CALLS", calls).replace("DECLARATIONS", flavours)
    end = run(simulator, mixed_plan(end_ns=MS), policy(text), 2).end
    assert len(names) > 90
    assert end.verdict == SimVerdict.DONE, end


@pytest.mark.parametrize("name", ["scx_bpf_dsq_reenq", "bpf_arena_reserve_pages", "bpf_wq_init"])
def test_what_is_refused_is_named(simulator: WasmSimulator, name: str) -> None:
    assert name in ALL
    assert not sim_kfuncs.done(name, KNOWN)
    text = SOURCE.replace("DECLARATIONS", f"extern void {name}(void) __ksym __weak;").replace("CALLS", f"{name}();")
    end = run(simulator, mixed_plan(end_ns=MS), policy(text), 2).end
    assert end.verdict == SimVerdict.UNSUPPORTED
    assert name in end.message
