"""Rules about being built, loaded, in charge and gone again."""

from __future__ import annotations

from schedops.verify import stages
from schedops.verify.rule import Rule

COMPILE_ERROR = Rule(
    id="COMPILE-ERROR",
    level="error",
    stage=stages.COMPILE,
    title="The compiler refuses the source",
    why="""\
The source is compiled once for every kernel, against a `vmlinux.h` made from that kernel's own BTF. A field, enum or
kfunc that a kernel does not have is an error here and on that kernel only: compare the kernels in the table.

Errors of the BPF back end look unusual: signed division exists from `-mcpu=v4` on only, and a stack frame holds
512 bytes.""",
    fix="Mend the line that is shown. What exists on some kernels only needs `bpf_core_field_exists()` or a weak "
    "`__ksym` with `bpf_ksym_exists()`.",
    source="clang-19, `-target bpf -mcpu=v3`; MAX_BPF_STACK in include/linux/filter.h, Linux 6.16",
    bad="s32 share(s32 nice)\n{\n\treturn nice / 4;\n}\n",
    good="u32 share(u32 weight)\n{\n\treturn weight / 4;\n}\n",
)
COMPILE_WARNING = Rule(
    id="COMPILE-WARNING",
    level="warning",
    stage=stages.COMPILE,
    title="The compiler warns",
    why="In BPF most warnings are flaws that show late: a comparison of signed with unsigned is a CPU number below "
    "zero that passes a bound check, an unused result is an error nobody handles.",
    fix="Mend it, or say why it is meant with a cast or an attribute.",
    source="clang-19 `-Wall`",
)
VERIFIER_REFUSED = Rule(
    id="VERIFIER-REFUSED",
    level="error",
    stage=stages.LOAD,
    title="The kernel's verifier refuses a program",
    why="""\
Before a program may run, the kernel walks all its paths and refuses it unless every memory access is within bounds,
every pointer that may be NULL is checked, every reference is given back, and every loop ends. Which kfuncs may be
called from which callback is checked here too; from Linux 7.1 on some calls are refused at load that earlier kernels
accepted and punished at run time.""",
    fix="The finding names the source line of the refused instruction. Check the pointer or bound the value right "
    "before its use, in the same function; the verifier forgets what it knew across calls of global functions.",
    source="kernel/bpf/verifier.c, kernel/sched/ext.c (scx_kfunc_context_filter in newer kernels), Linux 6.16 to 7.3",
)
NOT_IN_CHARGE = Rule(
    id="NOT-IN-CHARGE",
    level="error",
    stage=stages.ENABLE,
    title="Loaded, and not the scheduler of ordinary tasks",
    why="""\
Attaching a `sched_ext_ops` returns success in cases in which the policy never schedules anything: `init` returned an
error, `SCX_OPS_ENQ_LAST` without `enqueue`, or an error within the first milliseconds. With
`SCX_OPS_SWITCH_PARTIAL` it is enabled and only tasks that chose SCHED_EXT themselves are given to it: all others stay
on the kernel's fair class, every load test passes on that, and nothing was tested.

So a policy counts as in charge only when `/sys/kernel/sched_ext/state` says `enabled`, `root/ops` has its name,
`enable_seq` rose by exactly one, and an ordinary SCHED_NORMAL task has `ext.enabled` in `/proc/PID/sched`; before and
after every load.""",
    fix="Look at what `init` returns and at `.flags`. Drop `SCX_OPS_SWITCH_PARTIAL`, or declare `partial: true` when "
    "it is meant.",
    source="kernel/sched/ext.c: scx_enable(), validate_ops(), scx_switching_all, Linux 6.16 to 7.3; seen on each",
)
WRONG_NAME = Rule(
    id="WRONG-NAME",
    level="error",
    stage=stages.ENABLE,
    title="The kernel knows the policy by another name than its description does",
    why="`/sys/kernel/sched_ext/root/ops` is how everybody (deployment, monitoring, this verifier) tells which policy "
    "runs. With another name there the policy that was verified cannot be told from any other.",
    fix="Make `ops_name` in `policy.yaml` and `.name` of the `sched_ext_ops` the same.",
    source="kernel/sched/ext.c: scx_attr_ops_show(), Linux 6.16",
)
EJECTED = Rule(
    id="EJECTED",
    level="error",
    stage=stages.LIVENESS,
    title="The kernel put the policy out, or it left by itself",
    why="""\
sched_ext watches what a policy does and removes it at the first thing that is not allowed: a CPU number that does not
exist, a dispatch queue that does not exist, more inserts per `dispatch` than `dispatch_max_batch`, a kfunc from a
callback where it has no meaning, FIFO and vtime order on one queue. All tasks go back to the kernel's fair class; the
attached link stays and looks well. `scx_bpf_exit()` and `scx_bpf_error()` of the policy itself end the same way.

One ejection is enough for a verdict: it is the kernel's statement and depends on no clock.""",
    fix="The text has the kernel's own words for what was done, and the load under which it happened. Check the value "
    "it names before it is handed to the kfunc.",
    source="kernel/sched/ext.c: scx_error(), enum scx_exit_kind, Linux 6.16 to 7.3",
)
UNLOAD = Rule(
    id="UNLOAD",
    level="error",
    stage=stages.UNLOAD,
    title="It does not go when told to, or leaves something behind",
    why="A rollback is only as good as this: the policy is detached and the fair class takes over, at most some "
    "hundred milliseconds later. Programs that stay loaded keep their maps and memory; a policy that had gone before "
    "it was told to was ejected after the last look.",
    fix="`exit`, `exit_task` and `disable` must be short. What is kept in maps must not keep programs alive (timers, "
    "programs in maps).",
    source="kernel/sched/ext.c: scx_disable_workfn(), Linux 6.16; corpus: all good policies are gone within 0.5 s",
)
RELOAD = Rule(
    id="RELOAD",
    level="error",
    stage=stages.UNLOAD,
    title="It loads once and not a second time",
    why="Upgrades and rollbacks attach an object many times on one boot. What remains from the time before (cgroup or "
    "task storage, pinned maps, a half-finished exit) must not keep the next one from taking charge.",
    fix="Let `init` create everything anew and fail with a reason; pin nothing.",
    source="measured: the object is attached a second time in the guest in which it was just detached",
)
KERNEL_COMPLAINT = Rule(
    id="KERNEL-COMPLAINT",
    level="error",
    stage=stages.KERNEL_LOG,
    title="The kernel complained while the policy ran",
    why="A WARNING, BUG, Oops, soft lockup, RCU stall or hung task in the log means that the kernel's own state was "
    "damaged or that it could not do its work for seconds. Policies reach this by keeping CPUs busy in callbacks, by "
    "waiting for other CPUs (`SCX_KICK_WAIT`), and through bugs of the kernel; which of them does not matter to the "
    "machine it happens on.",
    fix="Read the line and the trace after it. If it is a known bug of that kernel, add it to the allow-list with a "
    "link and an expiry date.",
    source="kernel log of the guest; no good policy of the corpus causes one on Linux 6.16 to 7.3",
)
GUEST_HUNG = Rule(
    id="GUEST-HUNG",
    level="error",
    stage=stages.LIVENESS,
    title="The machine hung or died with the policy attached, twice",
    why="The test machine answers from a real-time task that no sched_ext policy can hold up. When it does not answer "
    "any more, CPUs are stuck in the kernel: in a callback, or waiting for another CPU. On hardware this is a machine "
    "that has to be reset. Once may be the emulator; it counts when it happens in a second, fresh machine too.",
    fix="Look for callbacks that wait or loop: `SCX_KICK_WAIT` in `dispatch`, long `bpf_for` loops, "
    "`scx_bpf_kick_cpu()` to all CPUs from every CPU.",
    source="measured: SCX_KICK_WAIT to every CPU from dispatch hangs Linux 6.16 and 6.18 each time",
)
HOLDS_CPUS = Rule(
    id="HOLDS-CPUS",
    level="error",
    stage=stages.LIVENESS,
    title="CPUs stand still while the policy is attached, and not without it",
    why="""\
A real-time task on each CPU of the test machine wants to wake every 20 ms; no sched_ext policy schedules it. When it
is late by more than 250 ms, the CPU stood still: the host did not run it, or the kernel kept it with interrupts off.
Callbacks run with the run queue locked and interrupts off, and so does a CPU that waits for another one.

A busy host is told from a policy by turns: the load with the policy, the same load on the kernel's own scheduler, and
so on three times. It counts only when CPUs stood still every time with it, and for at most 100 ms without.""",
    fix="Look for long loops in callbacks, kicks of all CPUs from every CPU (`scx_bpf_kick_cpu()`), `SCX_KICK_WAIT`, "
    "and locks that many callbacks take.",
    source="measured by the guest's tickers, bound to one CPU each, SCHED_FIFO",
)
NOT_MEASURED = Rule(
    id="NOT-MEASURED",
    level="note",
    stage=stages.LOAD,
    title="Not measured, so neither good nor bad",
    why="The host gave the guest too little time, the emulator failed, or a figure was missing. Such a measurement "
    "says nothing about the policy, and what is unknown never passes.",
    fix="Verify again on a quieter host. Nothing needs to change in the policy.",
    source="a real-time task of the guest woke more than 250 ms late, or the kernel's sched_ext watchdog did not get "
    "to run (`watchdog failed to check in`)",
)

RULES = (
    COMPILE_ERROR,
    COMPILE_WARNING,
    VERIFIER_REFUSED,
    NOT_IN_CHARGE,
    WRONG_NAME,
    EJECTED,
    UNLOAD,
    RELOAD,
    KERNEL_COMPLAINT,
    GUEST_HUNG,
    HOLDS_CPUS,
    NOT_MEASURED,
)
