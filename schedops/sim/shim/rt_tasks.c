/* SPDX-License-Identifier: GPL-2.0-only */
/* The mirrors of tasks and cgroups, kept up to date by the engine through rt_*. */

#define PF_IDLE 0x00000002
#define PF_EXITING 0x00000004
#define PF_KTHREAD 0x00200000
#define MAX_PRIO_SHIFT 120

static struct task_struct *mirrors;
static u32 nr_mirrors; /* the plan's tasks, then the idle tasks of the CPUs */
static u32 nr_tasks;
static struct cgroup *cgroup_mirrors;
static struct kernfs_node *cgroup_nodes;
static u32 nr_cgroups;
static u32 nr_cpus;

/* Once, before anything else. The address of the first task; each takes rt_stride() bytes. */
u64 EXPORT(rt_start)(u32 tasks, u32 cgroups, u32 cpus)
{
	nr_tasks = tasks;
	nr_mirrors = tasks + cpus;
	nr_cgroups = cgroups;
	nr_cpus = cpus;
	cgroup_mirrors = alloc(cgroups * sizeof(*cgroup_mirrors));
	cgroup_nodes = alloc(cgroups * sizeof(*cgroup_nodes));
	mirrors = alloc(nr_mirrors * sizeof(*mirrors));
	return (u64)mirrors;
}

u64 EXPORT(rt_stride)(void)
{
	return sizeof(struct task_struct);
}

static FAST u32 task_index(const struct task_struct *p)
{
	u64 index = ((u64)p - (u64)mirrors) / sizeof(*p);

	if (__builtin_expect(index >= nr_mirrors, 0)) {
		__kf_fault(FAULT_TASK);
		__builtin_trap();
	}
	return index;
}

void EXPORT(rt_task)(u32 task, s32 pid, u32 cgroup, s32 static_prio, u32 weight, u32 nr_allowed, u32 kernel)
{
	struct task_struct *p = &mirrors[task];

	p->pid = p->tgid = pid;
	p->flags = kernel ? PF_KTHREAD : 0;
	p->static_prio = p->prio = static_prio;
	p->scx.weight = weight;
	p->scx.disallow = false; /* __scx_init_task() */
	p->nr_cpus_allowed = nr_allowed;
	p->cpus_ptr = &p->cpus_mask;
	p->own_css.dfl_cgrp = &cgroup_mirrors[cgroup];
	p->cgroups = &p->own_css;
	p->index = task;
}

void EXPORT(rt_comm)(u32 task, u64 low, u64 high)
{
	__builtin_memcpy(mirrors[task].comm, &low, 8);
	__builtin_memcpy(mirrors[task].comm + 8, &high, 8);
}

/* swapper/N */
void EXPORT(rt_idle_task)(u32 cpu)
{
	struct task_struct *p = &mirrors[nr_tasks + cpu];
	char *end = p->comm + 8;

	rt_task(nr_tasks + cpu, 0, 0, MAX_PRIO_SHIFT, 0, 1, 1);
	p->flags = PF_IDLE | PF_KTHREAD;
	p->cpus_mask.bits[cpu / 64] = 1UL << cpu % 64;
	__builtin_memcpy(p->comm, "swapper/", 8);
	for (u32 unit = 100; unit; unit /= 10) {
		if (cpu >= unit || unit == 1)
			*end++ = '0' + cpu / unit % 10;
	}
}

/*
 * Programs run with migration disabled, which the task sees in whose context they run (kernel/bpf/trampoline.c:
 * __bpf_prog_enter(), with CONFIG_PREEMPT_RCU from 6.18 on). It stands in the current task of each CPU all the time.
 */
void EXPORT(rt_current)(u32 leaves, u32 comes)
{
	if (leaves < nr_mirrors)
		mirrors[leaves].migration_disabled = 0;
	if (comes < nr_mirrors)
		mirrors[comes].migration_disabled = 1;
}

void EXPORT(rt_mask)(u32 task, u32 word, u64 bits) { mirrors[task].cpus_mask.bits[word] = bits; }
void EXPORT(rt_allowed)(u32 task, u32 nr_allowed) { mirrors[task].nr_cpus_allowed = nr_allowed; }
u64 EXPORT(rt_mask_at)(u32 task) { return (u64)&mirrors[task].cpus_mask; }

void EXPORT(rt_weight)(u32 task, s32 static_prio, u32 weight)
{
	mirrors[task].static_prio = mirrors[task].prio = static_prio;
	mirrors[task].scx.weight = weight;
}

void EXPORT(rt_flags)(u32 task, u32 flags) { mirrors[task].scx.flags = flags; }
u32 EXPORT(rt_disallow)(u32 task) { return mirrors[task].scx.disallow; }
void EXPORT(rt_exiting)(u32 task) { mirrors[task].flags |= PF_EXITING; }
u64 EXPORT(rt_slice)(u32 task) { return mirrors[task].scx.slice; }
void EXPORT(rt_set_slice)(u32 task, u64 slice) { mirrors[task].scx.slice = slice; }
u64 EXPORT(rt_vtime)(u32 task) { return mirrors[task].scx.dsq_vtime; }
void EXPORT(rt_set_vtime)(u32 task, u64 vtime) { mirrors[task].scx.dsq_vtime = vtime; }

/* update_curr_scx() */
u64 EXPORT(rt_use)(u32 task, u64 ns, u32 own)
{
	u64 *slice = &mirrors[task].scx.slice;

	mirrors[task].se.sum_exec_runtime += ns;
	if (own && *slice != SCX_SLICE_INF)
		*slice -= ns < *slice ? ns : *slice;
	return *slice;
}

u64 EXPORT(rt_init_args)(u32 task, u32 fork)
{
	static struct scx_init_task_args args;

	args.fork = fork;
	args.cgroup = mirrors[task].own_css.dfl_cgrp;
	return (u64)&args;
}

u64 EXPORT(rt_exit_args)(u32 task, u32 cancelled)
{
	static struct scx_exit_task_args args;

	args.cancelled = cancelled;
	return (u64)&args;
}

u64 EXPORT(rt_release_args)(u32 task, u32 reason)
{
	static struct scx_cpu_release_args args;

	args = (struct scx_cpu_release_args){ reason, &mirrors[task] };
	return (u64)&args;
}

static char exit_reason[32], exit_message[1024];

void EXPORT(rt_exit_text)(u32 which, u32 place, u64 eight)
{
	char *text = which ? exit_message : exit_reason;

	if (place + 8 < (which ? sizeof(exit_message) : sizeof(exit_reason)))
		__builtin_memcpy(text + place, &eight, 8);
}

/* words: its own, of scx_bpf_error() or scx_bpf_exit() */
u64 EXPORT(rt_exit_info)(u32 kind, s64 code, u64 words, u64 length)
{
	static struct scx_exit_info info;

	if (length)
		__builtin_memcpy(exit_message, (void *)words, length < sizeof(exit_message) ? length : sizeof(exit_message) - 1);
	info = (struct scx_exit_info){ kind, code, exit_reason, exit_message, "" };
	return (u64)&info;
}

u64 EXPORT(rt_cgroup)(u32 cgroup, s32 parent, u32 level, u32 weight)
{
	struct cgroup *g = &cgroup_mirrors[cgroup];

	g->kn = &cgroup_nodes[cgroup];
	g->kn->id = cgroup + 1;
	g->level = level;
	g->index = cgroup;
	g->parent = parent < 0 ? NULL : &cgroup_mirrors[parent];
	return (u64)g;
}

u64 EXPORT(rt_cgroup_args)(u32 weight)
{
	static struct scx_cgroup_init_args args;

	args = (struct scx_cgroup_init_args){ .weight = weight, .bw_period_us = 100000, .bw_quota_us = ~0ULL };
	return (u64)&args;
}

static FAST u32 cgroup_index(const struct cgroup *g)
{
	u64 index = ((u64)g - (u64)cgroup_mirrors) / sizeof(*g);

	if (__builtin_expect(index >= nr_cgroups, 0)) {
		__kf_fault(FAULT_CGROUP);
		__builtin_trap();
	}
	return index;
}

struct cgroup *bpf_cgroup_ancestor(struct cgroup *g, int level)
{
	if (level < 0 || level > g->level)
		return NULL;
	while (g && g->level > level)
		g = g->parent;
	return g;
}

struct cgroup *bpf_cgroup_acquire(struct cgroup *g) { return g; }
void bpf_cgroup_release(struct cgroup *g) {}
struct cgroup *bpf_cgroup_from_id(u64 id) { return id && id <= nr_cgroups ? &cgroup_mirrors[id - 1] : NULL; }

long bpf_task_under_cgroup(struct task_struct *p, struct cgroup *ancestor)
{
	struct cgroup *g = mirrors[task_index(p)].own_css.dfl_cgrp;

	cgroup_index(ancestor);
	while (g && g != ancestor)
		g = g->parent;
	return !!g;
}

struct cgroup *scx_bpf_task_cgroup(struct task_struct *p) { return mirrors[task_index(p)].own_css.dfl_cgrp; }
struct task_struct *bpf_task_acquire(struct task_struct *p) { return p; }
void bpf_task_release(struct task_struct *p) {}
