"""What kernels offer to a scheduler and what of it the simulator has; writes docs/sim-kfuncs.md.

    python benchmarks/sim_kfuncs.py [--read-kernels]

With --read-kernels the list of kfuncs (docs/sim-kfuncs.json) is read anew from the BTF of the kernels in the store, of
which there should be one of each series (`schedops kernel fetch`). Without, no kernel is needed. BTF does not say which
kinds of programs may call a kfunc: what belongs to other kinds is left out by name. Helpers are those of
bpf_base_func_proto() (kernel/bpf/helpers.c, 6.16), which sched_ext takes all of since bpf_scx_get_func_proto() went.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from schedops.adapters.kernel.kernels import KernelStore

ROOT = Path(__file__).parent.parent
DATA = ROOT / "docs/sim-kfuncs.json"
PAGE = ROOT / "docs/sim-kfuncs.md"
SHIM = ROOT / "schedops/sim/shim"
_HEADERS = ("kfuncs.h", "flavours.h", "bpf/bpf_helpers.h")
_OTHER_KINDS = re.compile(
    r"bpf_(xdp|skb|sk|sock|ct|crypto|xfrm|qdisc|ksock|io_uring|session|key|wakeup_sources|modify_return|kfunc_call)_"
    r"|hid_|tcp_|bbr_|cubictcp_|dctcp_|css_|crash_|bpf_.*(dentry|file|fsverity|pkcs7|_inode|path_d_path|lookup_\w+_key)"
    r"|bpf_(fentry_test1|icmp_send|kfree_skb|dynptr_from_(skb|xdp)|cast_to_kern_ctx|get_dentry_xattr)|__bpf_trap"
)
# Under another name in the shim, for the compiler's sake.
_STANDS_FOR = {"bpf_trace_printk": "bpf_printk"}
HELPERS = """
map_lookup_elem map_update_elem map_delete_elem map_push_elem map_pop_elem map_peek_elem map_lookup_percpu_elem
get_prandom_u32 get_smp_processor_id get_numa_node_id tail_call ktime_get_ns ktime_get_boot_ns ktime_get_tai_ns
ringbuf_output ringbuf_reserve ringbuf_submit ringbuf_discard ringbuf_query strncmp strtol strtoul
get_current_pid_tgid get_ns_current_pid_tgid get_current_uid_gid spin_lock spin_unlock jiffies64 per_cpu_ptr
this_cpu_ptr timer_init timer_set_callback timer_start timer_cancel kptr_xchg for_each_map_elem loop
user_ringbuf_drain ringbuf_reserve_dynptr ringbuf_submit_dynptr ringbuf_discard_dynptr dynptr_from_mem dynptr_read
dynptr_write dynptr_data cgrp_storage_get cgrp_storage_delete get_current_cgroup_id get_current_ancestor_cgroup_id
current_task_under_cgroup trace_printk get_current_task get_current_task_btf get_current_comm probe_read
probe_read_str probe_read_user probe_read_user_str probe_read_kernel probe_read_kernel_str snprintf_btf snprintf
task_pt_regs trace_vprintk perf_event_read_value perf_event_read send_signal send_signal_thread get_task_stack
copy_from_user copy_from_user_task task_storage_get task_storage_delete get_branch_snapshot find_vma
"""


def main(words: Sequence[str]) -> None:
    if "--read-kernels" in words:
        DATA.write_text(json.dumps(read_kernels(), indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(json.loads(DATA.read_text(encoding="utf-8"))), encoding="utf-8")


def read_kernels() -> dict[str, list[str]]:
    """Names of kfuncs by series of kernels, oldest first; of each series the newest kernel that is at hand."""
    store = KernelStore()
    images = {".".join(image.kernel.release.split(".")[:2]): image for image in store.list()}
    return {
        series: [kfunc.name for kfunc in store.api(image).kfuncs if not _OTHER_KINDS.match(kfunc.name)]
        for series, image in images.items()
    }


def known() -> frozenset[str]:
    """What the shim declares; the compiler refuses everything else by its name, or the linker makes it a refusal."""
    text = "\n".join((SHIM / name).read_text(encoding="utf-8") for name in _HEADERS)
    return frozenset(re.findall(r"^#define (\w+)", text, re.MULTILINE)) | frozenset(re.findall(r"\b(\w+)\(", text))


def done(name: str, names: frozenset[str]) -> bool:
    return _STANDS_FOR.get(name, name) in names


def since(name: str, kernels: Mapping[str, Sequence[str]]) -> str:
    """The series that have it: "6.16", or "6.16 to 6.18" or "6.16 only" when the newest no longer has it."""
    having = [series for series, names in kernels.items() if name in names]
    if having[-1] == list(kernels)[-1]:
        return having[0]
    return f"{having[0]} to {having[-1]}" if len(having) > 1 else f"{having[0]} only"


def page(kernels: Mapping[str, Sequence[str]]) -> str:
    """docs/sim-kfuncs.md."""
    names = known()
    kfuncs = sorted({name for found in kernels.values() for name in found}, key=lambda name: (name.lstrip("_"), name))
    scx = [name for name in kfuncs if "scx_" in name]
    others = [name for name in kfuncs if "scx_" not in name]
    helpers = [f"bpf_{name}" for name in HELPERS.split()]
    lines = [
        "# What a simulated policy may call",
        "",
        f"Kernels {', '.join(kernels)}, and the simulator: `done`, or `refused` (the run ends UNSUPPORTED, with the",
        "name; a policy that asks with `bpf_ksym_exists()` first is told that it is not there). *since*: the first of",
        "these kernels that has it, and the last where it is gone. Written by `python benchmarks/sim_kfuncs.py`.",
    ]
    for title, rows in (("kfuncs of sched_ext", scx), ("other kfuncs", others)):
        lines += ["", f"## {title}", "", _count(rows, names), "", "| kfunc | since | simulator |", "|---|---|---|"]
        lines += [f"| `{name}` | {since(name, kernels)} | {_word(name, names)} |" for name in rows]
    lines += ["", "## helpers", "", _count(helpers, names), "", "| helper | simulator |", "|---|---|"]
    lines += [f"| `{name}` | {_word(name, names)} |" for name in sorted(helpers)]
    return "\n".join(lines) + "\n"


def _word(name: str, names: frozenset[str]) -> str:
    return "done" if done(name, names) else "refused"


def _count(rows: Sequence[str], names: frozenset[str]) -> str:
    return f"{sum(done(name, names) for name in rows)} of {len(rows)} done."


if __name__ == "__main__":
    main(sys.argv[1:])
