"""The rules that only an object can break; those that its source can break too are declared beside that stage."""

from __future__ import annotations

from schedops.verify.rule import Rule
from schedops.verify.stages import OBJECT

MALFORMED = Rule(
    id="OBJ-MALFORMED",
    level="error",
    stage=OBJECT,
    title="The file is no BPF object that can be judged",
    why="""\
Offsets, counts and type numbers of the object are held against the file before they are used. One that points
outside it, type information that is missing or contradicts itself, or a file of more than 8 MiB is refused here:
nothing is sent to a kernel that was not understood first.""",
    fix="Compile it with `clang -target bpf -g -O2 -c`; `-g` makes the type information (`.BTF`). Do not strip it.",
    source="ELF-64 and Documentation/bpf/btf.rst, Linux 7.3",
)
OPS = Rule(
    id="OBJ-OPS",
    level="error",
    stage=OBJECT,
    title="The object does not have exactly one table of callbacks",
    why="""\
A policy is one variable of `struct sched_ext_ops` in the section `.struct_ops.link` (or `.struct_ops`). Without one
there is nothing to attach. With two, which one takes charge is up to the loader, and only one is ever verified. A
table of another type (`tcp_congestion_ops`, `hid_bpf_ops`) changes something that has nothing to do with
scheduling. `struct sched_ext_ops_cid` (Linux 7.3) is a scheduler, whose callbacks get topological CPU ids; it is not
judged yet, and what was not judged does not pass.

A callback that names a program which is not in the object is reported here too.""",
    fix="Keep one `struct sched_ext_ops`. Build two objects when there are two policies.",
    source="kernel/sched/ext.c: bpf_scx_reg(), one enabled scheduler at a time, Linux 6.12 to 7.0; libbpf "
    "bpf_map__attach_struct_ops()",
    bad="""\
SEC(".struct_ops.link")
struct sched_ext_ops day_ops = { .name = "day" };
SEC(".struct_ops.link")
struct sched_ext_ops night_ops = { .name = "night" };
""",
    good="""\
SEC(".struct_ops.link")
struct sched_ext_ops day_ops = { .name = "day" };
""",
)
BATCH = Rule(
    id="OBJ-BATCH",
    level="error",
    stage=OBJECT,
    title="dispatch_max_batch is out of range, or takes much memory",
    why="""\
The kernel allocates a buffer of so many entries for every possible CPU when the policy is attached. More than
INT_MAX is refused with -E2BIG and no message; more than 4096 is a warning. 0 stands for 32
(`SCX_DSP_DFL_MAX_BATCH`).""",
    fix="Leave it out, or set it to what one run of `dispatch` inserts at most.",
    source="kernel/sched/ext.c: bpf_scx_init_member(), scx_ops_enable() or scx_enable(), Linux 6.12 to 7.3",
    bad='SEC(".struct_ops.link")\nstruct sched_ext_ops x = { .dispatch_max_batch = 0xffffffff, .name = "x" };\n',
    good='SEC(".struct_ops.link")\nstruct sched_ext_ops x = { .dispatch_max_batch = 8, .name = "x" };\n',
)
FIELD = Rule(
    id="SEC-FIELD",
    level="error",
    stage=OBJECT,
    title="A field is read that says nothing about scheduling",
    why="""\
A struct_ops program may follow any typed pointer: from a task to its open files, signal handlers, keys, saved
registers or sockets. No scheduler needs those, and what a program reads it can write to a map or a ring buffer.

Errors: files, file systems, pending signals and their handlers, security blobs, saved registers and stacks, memory
areas, sockets, keys. Warnings: credentials, name spaces, `signal_struct`, the inside of `mm_struct`: schedulers
that group tasks by user read them.

Fields are known by the object's CO-RE relocations. A struct that is declared without `preserve_access_index` has
none, so its fields are not seen here.""",
    fix="Decide by run time, sleeps, weight, affinity and cgroup.",
    source="bpf_scx_is_valid_access() allows what btf_ctx_access() does: kernel/sched/ext.c, Linux 6.12 to 7.3",
    bad="void BPF_STRUCT_OPS(x_enqueue, struct task_struct *p, u64 enq_flags) { seen = p->sighand->count; }\n",
    good="void BPF_STRUCT_OPS(x_enqueue, struct task_struct *p, u64 enq_flags) { seen = p->scx.weight; }\n",
)
KFUNC = Rule(
    id="COMPAT-KFUNC",
    level="error",
    stage=OBJECT,
    title="A kfunc that the kernel does not have is called without a guard",
    why="""\
libbpf looks for every kfunc in the kernel's BTF. One that is missing and not `__weak` ends the load ("not found in
kernel or module BTFs"). A weak one gets address 0; the kernel's verifier refuses the program if it can reach the
call, and accepts it when every way to the call goes through a test of that address.

The guards are followed through the object, functions included: `bpf_ksym_exists()`, and `bpf_core_field_exists()`
and `bpf_core_enum_value_exists()` where the kernel's BTF tells the answer. A call behind a test that cannot be
answered here is a warning.""",
    fix="`if (bpf_ksym_exists(scx_bpf_dsq_peek)) ...` with something else to do where it is missing; or name only "
    "kernels that have it in the fleet file. `requires` of policy.yaml says what a policy needs.",
    source="libbpf 1.4 bpf_object__resolve_ksym_func_btf_id(); kernel/bpf/verifier.c fixup_kfunc_call(), "
    "Linux 6.12 to 7.3",
    bad="p = scx_bpf_dsq_peek(SHARED_DSQ);\n",
    good="p = bpf_ksym_exists(scx_bpf_dsq_peek) ? scx_bpf_dsq_peek(SHARED_DSQ) : NULL;\n",
)
SIGNATURE = Rule(
    id="COMPAT-SIG",
    level="error",
    stage=OBJECT,
    title="A kfunc is declared unlike the kernel's own",
    why="""\
libbpf compares the declaration in the object with the kernel's BTF: number of parameters, and for each whether it
is an integer, a pointer, a struct or an enum. Names and widths do not count. If they differ, a strong declaration
ends the load ("func_proto incompatible with vmlinux") and a weak one is taken as missing. Kernels changed
prototypes: 7.0 gave `scx_bpf_dsq_insert()` a result under the name `scx_bpf_dsq_insert___v2`; arguments that the
verifier adds (`aux`) are not part of what programs declare.""",
    fix="Take declarations from the target's vmlinux.h. For several kernels declare each form as a flavour "
    "(`scx_bpf_dsq_insert___v2___compat`) and ask with `bpf_ksym_exists()`.",
    source="libbpf 1.4 bpf_core_types_are_compat(); include/linux/btf.h KF_IMPLICIT_ARGS, Linux 7.0",
    bad="s32 scx_bpf_create_dsq(u64 dsq_id) __ksym;\n",
    good="s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym;\n",
)
MEMBER = Rule(
    id="COMPAT-OP",
    level="error",
    stage=OBJECT,
    title="The ops table sets a member that the kernel does not have",
    why="""\
libbpf copies the table member by member into the kernel's own `struct sched_ext_ops`. A member that the kernel
lacks is left out when it is zero, and ends the load with -ENOTSUP when it is not. A callback cannot be guarded from
inside the program: only the loader can set it to NULL.""",
    fix="Leave the callback out, do its work in one that all kernels have, or name only newer kernels in the "
    "fleet file.",
    source="libbpf 1.4 bpf_map__init_kern_struct_ops(); `cgroup_set_bandwidth` is there from Linux 6.17, "
    "seen on 6.16 and 7.3",
    bad='struct sched_ext_ops x = { .cgroup_set_bandwidth = (void *)x_set_bandwidth, .name = "x" };\n',
    good='struct sched_ext_ops x = { .cgroup_set_weight = (void *)x_set_weight, .name = "x" };\n',
)
FLAG = Rule(
    id="COMPAT-FLAG",
    level="error",
    stage=OBJECT,
    title="A constant is used that the kernel does not have",
    why="""\
An enumerator such as `SCX_OPS_ALWAYS_ENQ_IMMED` (in 7.3, not in 6.16) is declared by the headers of the kernels that
know it: for the others the policy does not compile. Defining its number in the policy would make it compile, and
then attaching ends in -EINVAL for a flag of `ops.flags`, and the scheduler is ended for an unknown flag of a call.

It is found when the policy is compiled for several kernels, of which one has the name and another has not.""",
    fix="Do without it, ask for it when the policy is loaded (`bpf_core_enum_value_exists()` under a definition of the "
    "policy's own), or name only kernels that have it in the fleet file.",
    source="kernel/sched/ext.c: [scx_]validate_ops(), SCX_OPS_ALL_FLAGS; BTF of Linux 6.16.12 and 7.3.4 compared",
    bad='struct sched_ext_ops x = { .flags = SCX_OPS_ALWAYS_ENQ_IMMED, .name = "x" };\n',
    good='struct sched_ext_ops x = { .flags = SCX_OPS_ENQ_EXITING, .name = "x" };\n',
)
MAP_SIZE = Rule(
    id="MAP-SIZE",
    level="error",
    stage=OBJECT,
    title="A map takes much kernel memory",
    why="""\
Arrays, queues, ring buffers and, unless told otherwise, hashes are allocated whole when the map is made; kinds that
are per CPU once for each CPU. This memory is not swapped and is charged to the loader's cgroup: 64 MiB is a
warning, 1 GiB an error. Task and cgroup storage, hashes with `BPF_F_NO_PREALLOC` and arenas grow as they are used
and are not counted.""",
    fix="Task storage (`BPF_MAP_TYPE_TASK_STORAGE`) for what belongs to tasks; `BPF_F_NO_PREALLOC`; a smaller bound.",
    source="kernel/bpf/arraymap.c array_map_alloc(), hashtab.c prealloc_init(), ringbuf.c, Linux 6.12 to 7.3",
    bad="struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1 << 22); __type(key, u32);\n"
    '         struct { char room[4096]; } *value; } table SEC(".maps");\n',
    good="struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1024); __type(key, u32);\n"
    '         __type(value, u64); } table SEC(".maps");\n',
)
UNINIT = Rule(
    id="ENUM-UNINIT",
    level="note",
    stage=OBJECT,
    title="Constants are read from variables that only a loader fills in",
    why="""\
The headers of sched-ext/scx put kernel constants in `const volatile` variables (`__SCX_DSQ_LOCAL`,
`__SCX_KICK_PREEMPT`), which `SCX_ENUM_INIT()` sets from the running kernel's BTF before the load. The verifier's
loader does the same. Under a loader that does not, every one of them is 0: tasks go to queue 0, flags are lost,
slices are 0.""",
    fix="Load the policy with a loader that sets them, or use the enumerators of vmlinux.h.",
    source="sched-ext/scx scheds/include/scx/enums.autogen.bpf.h; measured: with 0 tasks go to a queue that "
    "does not exist",
)
DRIFT = Rule(
    id="ENUM-DRIFT",
    level="error",
    stage=OBJECT,
    title="The object has the constants of another kernel",
    why="""\
Enumerators become numbers when the source is compiled, and kernels renumber them: `SCX_ENQ_HEAD` is 0x10 up to 6.18
and 0x10000 from 6.19; `SCX_ENQ_CPU_SELECTED` and the `SCX_TASK_` states moved too. An object compiled for one
kernel loads on the other and does something else there, without any message.

Error: a flag handed to a kfunc that the kernel does not know. Note: constants that differ between the objects made
for several kernels (right, when each gets its own), and enumerators in the object's type information that have
other values here. A number that is compared with a field, or comes out of a variable, cannot be told apart from any
other number.""",
    fix="Let schedops compile the policy once for each kernel, or ask the kernel at load time: "
    "`bpf_core_enum_value(enum scx_enq_flags, SCX_ENQ_HEAD)`.",
    source="BTF of Linux 6.16.12 and 7.3.4 compared: enum scx_enq_flags, enum scx_task_state",
)
RULES = (
    MALFORMED, OPS, BATCH, FIELD, KFUNC, SIGNATURE, MEMBER, FLAG, MAP_SIZE, UNINIT, DRIFT,
)  # fmt: skip
SHARED = (
    "DISPATCH-BATCH", "ENQ-LAST", "FLAGS", "HOT-LOOP", "KFUNC-CONTEXT", "NAME", "OBJ-EXTRA-PROG", "OBJ-LICENCE",
    "PARTIAL", "SEC-HELPER", "SEC-KFUNC", "SLEEPABLE-OP", "TIMEOUT-RANGE",
)  # fmt: skip
