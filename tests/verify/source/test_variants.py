"""The same flaw, said in other ways: behind helpers, macros, constants, in a switch, before a goto. And what only looks like it."""

# ruff: noqa: E501 - C on one line
from __future__ import annotations

import pytest

from schedops.verify.source.check import check_source
from tests.verify.source.sources import source

ENQUEUE = "void BPF_STRUCT_OPS(t_enqueue, struct task_struct *p, u64 enq_flags)\n{\n%s\n}\n"
DISPATCH = "void BPF_STRUCT_OPS(t_dispatch, s32 cpu, struct task_struct *prev)\n{\n%s\n}\n"
SELECT = "s32 BPF_STRUCT_OPS(t_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)\n{\n%s\n}\n"
INSERT = "scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);"
PUT = f"static void put(struct task_struct *p, u64 enq_flags) {{ {INSERT} }}\n"
TRY = (
    "static bool try(struct task_struct *p, u64 enq_flags) {\n"
    f"if (p->nr_cpus_allowed > 1) return false; {INSERT} return true; }}\n"
)
TABLE = (
    'SEC(".struct_ops.link") struct sched_ext_ops t_ops = { .enqueue = (void *)t_enqueue, '
    '.dispatch = (void *)t_dispatch, .init = (void *)t_init, .name = "t", .timeout_ms = 5000 };\n'
    'char _license[] SEC("license") = "GPL";\n'
)
INIT = "s32 BPF_STRUCT_OPS_SLEEPABLE(t_init)\n{\n%s\n}\n"
STORAGE = (
    'struct { __uint(type, BPF_MAP_TYPE_TASK_STORAGE); __type(key, int); __type(value, u64); } store SEC(".maps");\n'
)
HASH = (
    "struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 64); __type(key, s32); __type(value, u64); } "
    'seen SEC(".maps");\n'
)
QUEUES = "#define A_DSQ 1\n#define B_DSQ (A_DSQ + 1)\nenum { C_DSQ = B_DSQ + 1 };\nstatic const u64 D_DSQ = 1 << 4;\n"
MAP = 'struct { __uint(type, BPF_MAP_TYPE_QUEUE); __uint(max_entries, 8); __type(value, s32); } q SEC(".maps");\n'


def _errors(text: str) -> set[str]:
    return {finding.rule for finding in check_source(source(text)) if finding.level == "error"}


BROKEN = {
    "ENQUEUE-DROPS": (
        ENQUEUE % "",
        ENQUEUE % "u64 v = p->scx.dsq_vtime; if ((s64)(v - now) < 0) v = now; nr++;",
        ENQUEUE % f"switch (p->policy) {{ case 3: return; default: {INSERT} }}",
        ENQUEUE % f"if (p->scx.weight < 10) goto out; {INSERT} out: return;",
        ENQUEUE % f"if (p->scx.weight >= 10) {INSERT}",
        TRY + ENQUEUE % "if (try(p, enq_flags)) return; nr_shared++; return;",
        PUT + ENQUEUE % "u64 n = __sync_fetch_and_add(&nr, 1); if ((n & 1023) == 7) return; put(p, enq_flags);",
        "#define UNLESS(c) if (!(c)) return\n" + ENQUEUE % f"UNLESS(p->scx.weight > 5); {INSERT}",
        ENQUEUE % f"do {{ if (p->pid == 7) return; }} while (0); {INSERT}",
        STORAGE + ENQUEUE % f"u64 *at = bpf_task_storage_get(&store, p, 0, 0); if (!at) return; {INSERT}",
        HASH + ENQUEUE % f"s32 k = p->pid; u64 n = 1, *at; bpf_map_update_elem(&seen, &k, &n, 0); "
        f"at = bpf_map_lookup_elem(&seen, &k); if (!at) return; {INSERT}",
    ),
    "VTIME-NO-CLAMP": (
        "u64 least(struct task_struct *p) { return 0; }\n"
        + ENQUEUE % "u64 v = p->scx.dsq_vtime; scx_bpf_dsq_insert_vtime(p, 1, 1000000, v, enq_flags);"
        + DISPATCH % "scx_bpf_dsq_move_to_local(1);"
        + "static void charge(struct task_struct *p) { p->scx.dsq_vtime += 1000; }\n"
        "void BPF_STRUCT_OPS(t_stopping, struct task_struct *p, bool runnable) { charge(p); }\n",
    ),
    "HOT-PRINTK": (ENQUEUE % f'bpf_printk("here"); {INSERT}',),
    "DSQ-NOT-CREATED": (
        ENQUEUE % "scx_bpf_dsq_insert(p, slice_ns, 7, enq_flags);"
        + DISPATCH % "scx_bpf_dsq_move_to_local(7);"
        + INIT % "return scx_bpf_create_dsq(7, -1);"
        + TABLE,
        ENQUEUE % "s32 on = scx_bpf_task_cpu(p); scx_bpf_dsq_insert(p, 64 + on, 1000000, enq_flags);"
        + DISPATCH % "scx_bpf_dsq_move_to_local(64 + cpu);"
        + INIT % "return scx_bpf_create_dsq(64, -1);"
        + TABLE,
        ENQUEUE % "scx_bpf_dsq_insert(p, 7, 1000000, enq_flags);"
        + DISPATCH % "scx_bpf_dsq_move_to_local(7);"
        + "void BPF_STRUCT_OPS_SLEEPABLE(t_init, s32 cpu) { scx_bpf_create_dsq(7, -1); }\n"
        + TABLE.replace(".init ", ".cpu_online "),
    ),
    "SEC-KFUNC": (ENQUEUE % f"(crash_kexec)(0); {INSERT}",),
    "PUSH-UNCHECKED": (
        MAP + ENQUEUE % "s32 pid = p->pid; (void)bpf_map_push_elem(&q, &pid, BPF_EXIST);",
        MAP
        + "static void put(struct task_struct *p) { s32 pid = p->pid; bpf_map_push_elem(&q, &pid, 0); }\n"
        + ENQUEUE % "put(p);",
        MAP + "long err;\n" + ENQUEUE % "s32 pid = p->pid; err = bpf_map_push_elem(&q, &pid, 0);",
    ),
    "INSERT-TWICE": (
        SELECT % "bool idle = false; s32 c = scx_bpf_select_cpu_dfl(p, prev_cpu, 0, &idle); if (idle) {"
        " scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, 1000000, 0); scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, 1000000, 0); } return c;",
        PUT + ENQUEUE % f"put(p, enq_flags); {INSERT}",
        TRY + ENQUEUE % f"try(p, enq_flags); if (p->nr_cpus_allowed == 1) return; {INSERT} {INSERT}",
        ENQUEUE % f"switch (p->policy) {{ case 1: {INSERT} default: {INSERT} }}",
    ),
    "DSQ-NOT-CONSUMED": (
        QUEUES + ENQUEUE % "scx_bpf_dsq_insert(p, C_DSQ, 1000000, 0);" + DISPATCH % "scx_bpf_dsq_move_to_local(B_DSQ);",
        QUEUES
        + "static u64 of(struct task_struct *p) { if (p->scx.weight > 100) return A_DSQ; return D_DSQ; }\n"
        + ENQUEUE % "u64 id = of(p); scx_bpf_dsq_insert(p, id, 1000000, 0);"
        + DISPATCH % "scx_bpf_dsq_move_to_local(A_DSQ);",
        QUEUES
        + "static void put(struct task_struct *p, u64 id) { scx_bpf_dsq_insert(p, id, 1000000, 0); }\n"
        + ENQUEUE % "if (p->scx.weight > 100) put(p, A_DSQ); else put(p, B_DSQ);"
        + DISPATCH % "u32 i; bpf_for(i, 0, 1) scx_bpf_dsq_move_to_local(A_DSQ + i);",
    ),
    "KFUNC-CONTEXT": (
        "static void pull(void) { scx_bpf_dsq_move_to_local(1); }\nvoid BPF_STRUCT_OPS(t_running, struct task_struct *p) { pull(); }\n",
        "void BPF_STRUCT_OPS(t_tick, struct task_struct *p) { scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, 1000000, 0); }\n",
        "s32 BPF_STRUCT_OPS(t_init) { return scx_bpf_create_dsq(1, -1); }\n",
    ),
    "DSQ-MIXED": (
        QUEUES + ENQUEUE % "if (p->flags & 1) { scx_bpf_dsq_insert(p, 2, 1000000, 0); return; }"
        "scx_bpf_dsq_insert_vtime(p, B_DSQ, 1000000, p->scx.dsq_vtime, 0);"
        + DISPATCH
        % "scx_bpf_dsq_move_to_local(B_DSQ);",
    ),
    "UNCHECKED-LOOKUP": (
        "static struct c *get(struct task_struct *p) { return bpf_task_storage_get(&m, p, 0, 0); }\n"
        + ENQUEUE % f"struct c *c = get(p); c->n++; {INSERT}",
        "static void inc(u64 *n) { (*n)++; }\n"
        + ENQUEUE % f"u32 z = 0; u64 *n = bpf_map_lookup_elem(&m, &z); inc(n); {INSERT}",
        ENQUEUE % f"struct c *c; c = bpf_task_storage_get(&m, p, 0, 1); if (!c) nr++; c->n = 1; {INSERT}",
        ENQUEUE % f"struct c *c = bpf_task_storage_get(&m, p, 0, 0); if (c || p->flags) c->n = 1; {INSERT}",
    ),
    "UNCHECKED-PTR": (
        DISPATCH % "struct task_struct *p = bpf_task_from_pid(1); scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, 1000000, 0);",
        DISPATCH % "if (!prev || prev->scx.slice) nr++; if (prev->scx.slice > 5) nr++;",
    ),
    "REF-LEAK": (
        DISPATCH % "u32 i; bpf_for(i, 0, 4) { struct task_struct *p = bpf_task_from_pid(i); if (!p) continue;"
        " if (p->flags) continue; bpf_task_release(p); }",
        DISPATCH
        % "struct cgroup *c = bpf_cgroup_from_id(1); if (!c) return; if (cpu) goto out; nr++; bpf_cgroup_release(c); out: ;",
        "static const struct cpumask *on(void) { return scx_bpf_get_online_cpumask(); }\n"
        + DISPATCH
        % "const struct cpumask *m = on(); if (bpf_cpumask_test_cpu(cpu, m)) return; scx_bpf_put_cpumask(m);",
        DISPATCH % "if (bpf_cpumask_test_cpu(cpu, scx_bpf_get_online_cpumask())) nr++;",
        DISPATCH % "bpf_rcu_read_lock(); if (cpu == 3) return; bpf_rcu_read_unlock();",
    ),
    "SELECT-CPU-NEG": (
        SELECT % "s32 cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0); return cpu;",
        "static s32 pick(struct task_struct *p) { return scx_bpf_pick_idle_cpu(p->cpus_ptr, 0); }\n"
        + SELECT % "s32 cpu = pick(p); if (cpu < 0) nr++; return cpu;",
        ENQUEUE % f"{INSERT} scx_bpf_kick_cpu(scx_bpf_pick_idle_cpu(p->cpus_ptr, 0), 0);",
    ),
    "HOT-LOOP": (
        ENQUEUE % f"for (int i = 0; i < 100; i++) for (int j = 0; j < 100; j++) h ^= i; {INSERT}",
        "static void mix(void) { u32 j; bpf_for(j, 0, 200) h ^= j; }\n"
        + ENQUEUE % f"u32 i; bpf_for(i, 0, 1 << 6) mix(); {INSERT}",
        "static int cb(u32 i, void *ctx) { return 0; }\n" + ENQUEUE % f"bpf_loop(50 * 1000, cb, 0, 0); {INSERT}",
        ENQUEUE % f"bpf_repeat(9000) h++; {INSERT}",
    ),
    "UNBOUNDED-LOOP": (
        DISPATCH % "for (;;) { if (!scx_bpf_dsq_move_to_local(1)) break; }",
        DISPATCH % "do { nr++; } while (scx_bpf_dsq_nr_queued(1));",
        "u32 nr_slots = 1;\n" + DISPATCH % "u32 i; for (i = 0; i < nr_slots; i++) a[i & 7] += i;",
        "static void all(void) { s32 pid; while (!bpf_map_pop_elem(&q, &pid)) nr++; }\n" + DISPATCH % "all();",
    ),
    "INDEX-UNBOUNDED": (
        "u64 a[8];\nstatic void count(s32 cpu) { a[cpu]++; }\n" + DISPATCH % "count(cpu);",
        "u64 a[8];\n" + ENQUEUE % f"a[scx_bpf_task_cpu(p)]++; {INSERT}",
        "u64 a[8];\n" + ENQUEUE % f"s32 cpu = scx_bpf_task_cpu(p); a[cpu] = 1; {INSERT}",
        "u64 a[8];\n" + ENQUEUE % f"s32 cpu = scx_bpf_task_cpu(p); if (cpu < 8) a[cpu] = 1; {INSERT}",
    ),
    "SLICE-INF": (
        "#define FOREVER (~0ULL)\n" + ENQUEUE % "scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, FOREVER, 0);",
        ENQUEUE % "u64 s = SCX_SLICE_INF; scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, s, 0);",
    ),
    "KICK-FLAGS": (ENQUEUE % f"u64 f = SCX_KICK_IDLE; {INSERT} scx_bpf_kick_cpu(0, f | SCX_KICK_WAIT);",),
    "LOCAL-ON-UNCHECKED": (
        "static u64 pick(struct task_struct *p) { return p->pid % 8; }\n"
        + ENQUEUE % "scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | pick(p), 1000000, 0);",
        ENQUEUE % "scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | 2, 1000000, 0);",
    ),
    "SEC-HELPER": (
        "#define peek bpf_probe_read_user\n" + ENQUEUE % f"peek(buf, 8, (void *)p->mm->arg_start); {INSERT}",
    ),
}

SOUND = {
    "a knob for tests that is off": "const volatile u32 every;\nu32 nr;\n"
    + ENQUEUE % f"if (every && !(++nr % every)) return; {INSERT}",
    "storage that every task has": STORAGE
    + ENQUEUE % f"u64 *at = bpf_task_storage_get(&store, p, 0, 0); if (!at) return; {INSERT}"
    + "s32 BPF_STRUCT_OPS_SLEEPABLE(t_init_task, struct task_struct *p, struct scx_init_task_args *args)\n"
    "{ return bpf_task_storage_get(&store, p, 0, 1) ? 0 : -12; }\n",
    "a helper whose pointer is always there": STORAGE
    + "static u64 *find(struct task_struct *p) { u64 *v = bpf_task_storage_get(&store, p, 0, 1);"
    " if (!v) return NULL; return v; }\n" + ENQUEUE % f"u64 *at; if (!(at = find(p))) return; {INSERT}",
    "a queue that is enqueued again": ENQUEUE % "scx_bpf_dsq_insert(p, p->flags ? 1 : 2, 1000000, 0);"
    + DISPATCH % "scx_bpf_dsq_move_to_local(1);"
    + "void BPF_STRUCT_OPS(t_tick, struct task_struct *p) { scx_bpf_dsq_reenq(2, 0); }\n",
    "one name for two variables": ENQUEUE
    % f"u64 *v = bpf_map_lookup_elem(&m, &z); if (!v) {{ {INSERT} return; }} {INSERT}"
    " for (int i = 0; i < 4; i++) { u64 *v = bpf_map_lookup_elem(&m, &i); if (!v) break; } *v = 1;",
    "a scheduler by cids": ENQUEUE % INSERT
    + "s32 BPF_STRUCT_OPS(t_cpuctl_init, struct cgroup *c) { return 0; }\n"
    + INIT % "return scx_bpf_create_dsq(3, -1);"
    + TABLE.replace("sched_ext_ops ", "sched_ext_ops_cid ").replace(
        ".dispatch = (void *)t_dispatch", ".cpuctl_init = (void *)t_cpuctl_init"
    ),
    "virtual time that is brought up when a task wakes": ENQUEUE
    % "scx_bpf_dsq_insert_vtime(p, 1, 1000000, p->scx.dsq_vtime, enq_flags);"
    + DISPATCH % "scx_bpf_dsq_move_to_local(1);"
    + "static void bring_up(struct task_struct *p) { if ((s64)(p->scx.dsq_vtime - now) < 0) p->scx.dsq_vtime = now; }\n"
    "void BPF_STRUCT_OPS(t_runnable, struct task_struct *p, u64 f) { bring_up(p); }\n"
    "void BPF_STRUCT_OPS(t_stopping, struct task_struct *p, bool runnable) { p->scx.dsq_vtime += 1000; }\n",
    "prints only when asked to": "const volatile bool debug;\n" + ENQUEUE % f'if (debug) bpf_printk("here"); {INSERT}',
    "a queue for every CPU": ENQUEUE % "scx_bpf_dsq_insert(p, 64 + scx_bpf_task_cpu(p), 1000000, enq_flags);"
    + DISPATCH % "scx_bpf_dsq_move_to_local(64 + cpu);"
    + INIT % "u32 i; bpf_for(i, 0, scx_bpf_nr_cpu_ids()) scx_bpf_create_dsq(64 + i, -1); return 0;"
    + TABLE,
    "every case inserts": ENQUEUE % f"switch (p->policy) {{ case 1: {INSERT} break; default: {INSERT} break; }}",
    "either helper or here": TRY + ENQUEUE % f"if (try(p, enq_flags)) return; {INSERT}",
    "the same condition twice": ENQUEUE % f"bool a = p->flags; if (a) {INSERT} if (!a) {INSERT}",
    "the scheduler is ended": ENQUEUE % f'if (!p->mm) {{ scx_bpf_error("no mm"); return; }} {INSERT}',
    "a push that is checked later": MAP
    + ENQUEUE % f"s32 pid = p->pid; int err = bpf_map_push_elem(&q, &pid, 0); if (err) {INSERT}",
    "goto insert": ENQUEUE % f"if (p->flags) goto put; nr++; put: {INSERT}",
    "a checked lookup": ENQUEUE % f"struct c *c = bpf_task_storage_get(&m, p, 0, 0); if (c && c->n) c->n = 2; {INSERT}",
    "checked by comparison": ENQUEUE
    % f"struct c *c = bpf_task_storage_get(&m, p, 0, 0); if (c != NULL) c->n = 2; {INSERT}",
    "checked by a helper": "static bool bad(struct c *c) { return !c; }\n"
    + ENQUEUE % f"struct c *c = bpf_task_storage_get(&m, p, 0, 0); if (bad(c)) nr++; else c->n = 2; {INSERT}",
    "the helper checks": "static void inc(u64 *n) { if (n) (*n)++; }\n"
    + ENQUEUE % f"u32 z = 0; inc(bpf_map_lookup_elem(&m, &z)); {INSERT}",
    "released in a helper": "static void drop(struct task_struct *p) { bpf_task_release(p); }\n"
    + DISPATCH % "struct task_struct *p = bpf_task_from_pid(1); if (p) drop(p);",
    "handed to a map": DISPATCH % "struct bpf_cpumask *c = bpf_cpumask_create(); if (!c) return;"
    " c = bpf_kptr_xchg(&kept, c); if (c) bpf_cpumask_release(c);",
    "a negative pick is replaced": SELECT
    % "s32 c = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0); if (c < 0) c = prev_cpu; return c;",
    "an error code after what never happens": "#define ESRCH 3\n"
    + SELECT % "if (!p->mm) return -ESRCH; return prev_cpu;",
    "a bounded index": "u64 a[8];\n" + DISPATCH % "if ((u32)cpu >= 8) return; a[cpu]++;",
    "an index bounded in two steps": "u64 a[8];\n"
    + ENQUEUE % f"s32 cpu = scx_bpf_task_cpu(p); {INSERT} if (cpu < 0) return; if (cpu < 8) a[cpu] = 1;",
    "an index bounded as unsigned": "u64 a[8];\n"
    + ENQUEUE % f"s32 cpu = scx_bpf_task_cpu(p); if (cpu < 8U) a[cpu] = 1; if ((u32)cpu < 8) a[cpu] = 2; {INSERT}",
    "a loop up to a parameter": "const volatile u32 nr_slots = 4;\n"
    + DISPATCH % "u32 i; for (i = 0; i < nr_slots; i++) nr += i;",
    "a loop up to what nobody changes": "static u32 nr_slots = 4;\n"
    + DISPATCH % "u32 i; for (i = 0; i < nr_slots; i++) a[i & 7] += i;",
    "a lock that is given back": DISPATCH
    % "bpf_rcu_read_lock(); if (cpu == 3) { bpf_rcu_read_unlock(); return; } bpf_rcu_read_unlock();",
    "a masked index": "u64 a[8];\n" + DISPATCH % "u32 i = cpu & 7; a[i]++;",
    "a loop that is left": ENQUEUE % f"u32 i; bpf_for(i, 0, 100000) {{ if (i > nr) break; }} {INSERT}",
    "a counted loop": DISPATCH % "int n = 0; while (scx_bpf_dsq_nr_queued(1)) { if (++n > 8) break; }",
    "one queue after the other mode": "const volatile bool fifo;\n"
    + ENQUEUE
    % "if (fifo) { scx_bpf_dsq_insert(p, 1, 1000000, 0); return; } scx_bpf_dsq_insert_vtime(p, 1, 1000000, nr, 0);"
    + DISPATCH % "scx_bpf_dsq_move_to_local(1);",
    "an unknown queue": ENQUEUE % "scx_bpf_dsq_insert(p, p->wake_cpu, 1000000, 0);"
    + DISPATCH % "scx_bpf_dsq_move_to_local(cpu);",
    "a variable that begins as nothing": ENQUEUE
    % "u64 id = 0; if (p->flags) id = 1; else id = 2; scx_bpf_dsq_insert(p, id, 1000000, 0);"
    + DISPATCH % "if (!scx_bpf_dsq_move_to_local(1)) scx_bpf_dsq_move_to_local(2);",
    "two builds of one file": "#ifdef SLOW\n"
    + ENQUEUE % ""
    + "#else\n"
    + ENQUEUE.replace("t_enqueue", "u_enqueue") % INSERT
    + "#endif\n",
}


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in BROKEN.items() for text in texts])
def test_flaw_is_found_however_it_is_written(rule, text):
    assert rule in _errors(text)


@pytest.mark.parametrize("name", SOUND)
def test_sound_code_is_left_alone(name):
    assert _errors(SOUND[name]) == set()
