"""The rules on loops and indices, as their pages say them."""

from __future__ import annotations

from schedops.verify.source.report import ERROR, rule


def _hash(rounds: int) -> str:
    return f"""
        #define ROUNDS {rounds}

        void BPF_STRUCT_OPS(hash_enqueue, struct task_struct *p, u64 enq_flags)
        {{
            u64 h = 0;
            u32 i;

            bpf_for(i, 0, ROUNDS)
                h = (h ^ i) * 1099511628211ULL;
            scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL + h % 2, enq_flags);
        }}
"""


HOT_LOOP = rule(
    "HOT-LOOP",
    ERROR,
    "A callback of the hot path does thousands of rounds",
    why="""
        `ops.enqueue()`, `ops.dispatch()` and their like run for every switch, with a run queue's lock held and
        interrupts off. A loop of fixed length that is never left early costs the same for every task; nested loops
        and loops in helpers multiply. From 4096 rounds on it is an error, from 1024 a warning.
        """,
    fix=(
        "Bound the search (`if (++seen >= 64) break;`), or keep the result up to date in a callback that is called "
        "rarely."
    ),
    source="Linux kernel/sched/ext.c, SCX_CALL_OP_TASK() under the rq lock; the limits are this verifier's",
    bad=_hash(8000),
    good=_hash(16),
)
UNBOUNDED = rule(
    "UNBOUNDED-LOOP",
    ERROR,
    "A loop whose end the verifier cannot see",
    why="""
        The verifier follows a `while` or `for` loop round by round. When nothing in its condition is a local variable
        that the loop counts, every round looks like the one before: "infinite loop detected", or a million
        instructions are used up and the program is refused as too large. A bound that is a variable of the policy
        may be four billion, as far as the verifier knows; of a `const volatile` one it knows the value.
        """,
    fix=(
        "`bpf_for(i, 0, N)` or `bpf_repeat(N)` with `break` where the work is done; for queues "
        "`bpf_for_each(scx_dsq, …)`."
    ),
    source="Linux kernel/bpf/verifier.c, is_state_visited() (bpf_is_state_visited() in v7.3), 1,000,000 instructions",
    bad="""
        #define SHARED_DSQ 1

        void BPF_STRUCT_OPS(fill_dispatch, s32 cpu, struct task_struct *prev)
        {
            while (scx_bpf_dsq_nr_queued(SHARED_DSQ) > 0)
                scx_bpf_dsq_move_to_local(SHARED_DSQ);
        }
        """,
    good="""
        #define SHARED_DSQ 1

        void BPF_STRUCT_OPS(fill_dispatch, s32 cpu, struct task_struct *prev)
        {
            bpf_repeat(8) {
                if (!scx_bpf_dsq_move_to_local(SHARED_DSQ))
                    break;
            }
        }
        """,
)
_COUNTERS = """
        #define MAX_CPUS 64
        static u64 served[MAX_CPUS];

        void BPF_STRUCT_OPS(serve_dispatch, s32 cpu, struct task_struct *prev)
        {
            %s
        }
"""
INDEX = rule(
    "INDEX-UNBOUNDED",
    ERROR,
    "An array is indexed by a number that nothing bounds",
    why="""
        For the verifier a CPU number from the kernel is any 32-bit number. An access to an array of the policy with
        it is refused: "unbounded memory access", "math between map_value pointer and register with unbounded min
        value is not allowed".
        """,
    fix=(
        "`if (cpu < 0 || cpu >= MAX_CPUS) return;` before the access (both ends: `s32` may be negative), or `cpu & "
        "(MAX_CPUS - 1)`."
    ),
    source="Linux kernel/bpf/verifier.c, adjust_ptr_min_max_vals(), check_mem_region_access() (v5.3 and later)",
    bad=_COUNTERS % "served[cpu]++;",
    good=_COUNTERS % "if (cpu >= 0 && cpu < MAX_CPUS)\n                served[cpu]++;",
)
_BATCH = """
        struct {
            __uint(type, BPF_MAP_TYPE_QUEUE);
            __uint(max_entries, 4096);
            __type(value, s32);
        } waiting SEC(".maps");

        char _license[] SEC("license") = "GPL";

        void BPF_STRUCT_OPS(batch_dispatch, s32 cpu, struct task_struct *prev)
        {
            struct task_struct *p;
            s32 pid, i;

            bpf_for(i, 0, %d) {
                if (bpf_map_pop_elem(&waiting, &pid))
                    break;
                p = bpf_task_from_pid(pid);
                if (!p)
                    continue;
                scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, 0);
                bpf_task_release(p);
            }
        }

        SEC(".struct_ops.link")
        struct sched_ext_ops batch_ops = {
            .dispatch = (void *)batch_dispatch,
            .dispatch_max_batch = %d,
            .timeout_ms = 5000,
            .name = "batch",
        };
"""
BATCH = rule(
    "DISPATCH-BATCH",
    ERROR,
    "One dispatch may insert more tasks than the buffer holds",
    why="""
        Inserts from `ops.dispatch()` are buffered until it returns or moves a task to the local queue. The buffer
        holds `dispatch_max_batch` tasks (32 unless set); one more ends the scheduler: "dispatch buffer overflow".
        It needs that many waiting tasks at once, so light
        load shows nothing. It is a warning where the policy leaves the buffer as it is.

        In an object the longest way through `dispatch` is counted, with the rounds of `bpf_for()` and `bpf_loop()`
        whose bounds are constants; a loop that also ends by a number it compares is a warning. Nothing is said of a
        policy that asks `scx_bpf_dispatch_nr_slots()` or that moves tasks from queues, which empties the buffer.
        """,
    fix="Set `.dispatch_max_batch` to the number of rounds, or stop when `scx_bpf_dispatch_nr_slots()` is 0.",
    source="Linux kernel/sched/ext.c, scx_dispatch_commit() (v6.12), scx_dsq_insert_commit() (v7.3), default 32",
    bad=_BATCH % (8, 4),
    good=_BATCH % (8, 8),
)
