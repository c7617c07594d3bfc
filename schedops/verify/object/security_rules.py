"""Rules on what a scheduler has no business with: helpers, kfuncs and fields of the kernel's structs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from schedops.model.verification import Finding
from schedops.verify.object.contexts import described
from schedops.verify.object.facts import Call, ObjectFacts

ALLOWED_HELPERS = frozenset(
    """
    map_lookup_elem map_update_elem map_delete_elem map_push_elem map_pop_elem map_peek_elem
    map_lookup_percpu_elem  for_each_map_elem task_storage_get task_storage_delete cgrp_storage_get
    cgrp_storage_delete kptr_xchg  ktime_get_ns ktime_get_boot_ns ktime_get_coarse_ns ktime_get_tai_ns jiffies64
    timer_init timer_set_callback timer_start timer_cancel loop spin_lock spin_unlock  get_smp_processor_id
    get_numa_node_id get_prandom_u32 per_cpu_ptr this_cpu_ptr  get_current_task get_current_task_btf
    get_current_pid_tgid get_current_uid_gid get_current_comm  get_ns_current_pid_tgid get_current_cgroup_id
    get_current_ancestor_cgroup_id current_task_under_cgroup  trace_printk trace_vprintk snprintf snprintf_btf
    strncmp strtol strtoul  ringbuf_output ringbuf_reserve ringbuf_submit ringbuf_discard ringbuf_query
    ringbuf_reserve_dynptr  ringbuf_submit_dynptr ringbuf_discard_dynptr user_ringbuf_drain  dynptr_from_mem
    dynptr_read dynptr_write dynptr_data  probe_read_kernel probe_read_kernel_str
    """.split()  # noqa: SIM905 - to be read
)
_READS_USER = "it reads the memory of programs"
WHY_DENIED: Mapping[str, str] = {
    "probe_write_user": "it writes to the memory of whatever program happens to run",
    "override_return": "it makes functions of the kernel fail",
    "send_signal": "it can kill whatever program happens to run",
    "send_signal_thread": "it can kill whatever thread happens to run",
    "probe_read": f"{_READS_USER} or of the kernel, whichever the address is in",
    "probe_read_str": f"{_READS_USER} or of the kernel, whichever the address is in",
    "probe_read_user": _READS_USER,
    "probe_read_user_str": _READS_USER,
    "copy_from_user": _READS_USER,
    "copy_from_user_task": "it reads the memory of any program",
    "get_stack": "it reads the stacks of programs",
    "get_stackid": "it reads the stacks of programs",
    "get_task_stack": "it reads the stacks of programs",
    "task_pt_regs": "it reads the registers of programs",
    "get_branch_snapshot": "it reads which branches programs took",
    "read_branch_records": "it reads which branches programs took",
    "find_vma": "it looks through the memory map of programs",
    "perf_event_output": "it sends data to whoever listens to perf events",
    "sys_bpf": "it loads further programs",
    "btf_find_by_name_kind": "it is for loaders of programs",
    "sys_close": "it closes files of whatever program happens to run",
    "kallsyms_lookup_name": "it tells where the kernel's functions lie in memory",
    "tail_call": "which program runs then is up to whoever writes to a map",
    "d_path": "it tells the names of files that programs use",
}
_SEARCHES = ("probe_read_kernel", "probe_read_kernel_str")
_MAY_SEARCH = frozenset({"init", "exit", "dump", "dump_cpu", "dump_task"})
ALLOWED_KFUNCS = re.compile(
    r"(__)?scx_bpf_\w+|bpf_iter_(scx_dsq|num|bits|css|task)_(new|next|destroy)|bpf_cpumask_\w+|bpf_rcu_read_(lock|unlock)"
    r"|bpf_preempt_(disable|enable)|bpf_local_irq_(save|restore)|bpf_res_spin_\w+"
    r"|bpf_task_(from_pid|from_vpid|acquire|release|under_cgroup|get_cgroup1)"
    r"|bpf_cgroup_(acquire|release|ancestor|from_id)|bpf_(percpu_)?obj_(new|drop)(_impl)?|bpf_refcount_acquire(_impl)?"
    r"|bpf_list_\w+|bpf_rbtree_\w+|bpf_arena_\w+|bpf_wq_\w+|bpf_cast_to_kern_ctx|bpf_rdonly_cast|bpf_throw"
    r"|bpf_dynptr_(adjust|clone|is_null|is_rdonly|size|slice|slice_rdwr|copy|memset)|bpf_map_sum_elem_count"
    r"|bpf_str\w+|bpf_get_(current|task)_cgroup\w*|bpf_stream_vprintk\w*|bpf_ktime\w*|bpf_cpu_time_counter\w*"
)
_KILLS = re.compile(r"crash_kexec|bpf_send_signal\w*|bpf_(task_)?kill\w*|panic|bpf_override\w*")
# What belongs to programs and their users: keys, files, signals, memory, registers, sockets.
_FORBIDDEN_FIELDS = re.compile(
    r"task_struct\.(ptracer_cred|files|fs|sighand|pending|seccomp|security|thread|stack|journal_info)\b"
    r"|(files_struct|fdtable|file|dentry|inode|path|vfsmount|super_block|linux_binprm|key|sock|sock_common|sk_buff|socket"
    r"|net|sighand_struct|vm_area_struct|pt_regs)\."
)
_PERSONAL_FIELDS = re.compile(
    r"task_struct\.(real_cred|cred|nsproxy|signal)\b|(cred|mm_struct|nsproxy|signal_struct)\."
)
_FIELD_KINDS = range(6)


def of_calls(facts: ObjectFacts, where: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    """Helpers and kfuncs."""
    for function in facts.functions.values():
        context = where.get(function.name, frozenset())
        for call in function.calls:
            if call.kind == "helper":
                yield from _helper(call, context)
            elif call.kind == "kfunc" and not ALLOWED_KFUNCS.fullmatch(call.name.split("___")[0]):
                yield _kfunc(call, context)


def of_fields(facts: ObjectFacts) -> Iterator[Finding]:
    """Fields that are read by their name; a struct declared without ``preserve_access_index`` hides them."""
    for one in facts.relocations:
        if one.kind not in _FIELD_KINDS:
            continue
        forbidden = _FORBIDDEN_FIELDS.match(one.path)
        if forbidden or _PERSONAL_FIELDS.match(one.path):
            why = "nothing about it helps to schedule" if forbidden else "it tells whose task it is, no more"
            yield Finding(
                rule="SEC-FIELD",
                level="error" if forbidden else "warning",
                text=f"{one.path} is read: {why}",
                place=one.place,
                advice="Decide by what tasks do (run time, sleeps, weight, affinity) and by their cgroup.",
            )


def _helper(call: Call, context: frozenset[str]) -> Iterator[Finding]:
    if call.name not in ALLOWED_HELPERS:
        why = WHY_DENIED.get(call.name, "it is not one of the helpers that a scheduler needs")
        name = f"helper {call.name}" if call.name.startswith("#") else f"bpf_{call.name}()"
        text = f"{name} in {described(context)}: {why}"
        yield Finding(rule="SEC-HELPER", level="error", text=text, place=call.place, advice="Leave it out.")
    elif call.name in _SEARCHES and not context <= _MAY_SEARCH:
        text = f"bpf_{call.name}() in {described(context - _MAY_SEARCH)}: it reads any address of the kernel, unchecked"
        advice = "Read fields through typed pointers (`p->scx.weight`), which the verifier checks."
        yield Finding(rule="SEC-HELPER", level="warning", text=text, place=call.place, advice=advice)


def _kfunc(call: Call, context: frozenset[str]) -> Finding:
    stops = ": it stops or kills what is not the policy's to stop" if _KILLS.fullmatch(call.name) else ""
    return Finding(
        rule="SEC-KFUNC",
        level="error",
        text=f"{call.name}() in {described(context)} is not one of the kfuncs that a scheduler needs{stops}",
        place=call.place,
        advice="Leave it out.",
    )
