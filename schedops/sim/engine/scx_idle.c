/* SPDX-License-Identifier: GPL-2.0-only */
/* Which CPUs idle, and the built-in choice among them (kernel/sched/ext_idle.c). */
#include "scx.h"

static struct mask idle_cpus, idle_cores; /* idle_cores: CPUs whose core idles as a whole; kept with SMT only */
static struct mask every_cpu, *llc_cpus, *node_cpus;

static void idle_init(void)
{
	llc_cpus = alloc(machine.nr_llcs * sizeof(*llc_cpus));
	node_cpus = alloc(machine.nr_nodes * sizeof(*node_cpus));
	for (u32 i = 0; i < machine.nr_cpus; i++) {
		mask_set(&every_cpu, i);
		mask_set(&llc_cpus[cpus[i].llc], i);
		mask_set(&node_cpus[cpus[i].node], i);
		scx_cpu_of(&cpus[i])->distribute = -1;
	}
	idle_cpus = every_cpu;
	if (machine.has_smt)
		idle_cores = every_cpu;
}

static int core_idles(struct cpu *c)
{
	struct cpu *s = c;

	do { /* cpu_smt_mask() has none that is offline */
		if (!mask_test(&idle_cpus, s->id) && !s->offline)
			return 0;
	} while ((s = s->next_sibling) != c);
	return 1;
}

static void set_core(struct cpu *c, int idle)
{
	struct cpu *s = c;

	do {
		if (idle && !s->offline)
			mask_set(&idle_cores, s->id);
		else
			mask_clear(&idle_cores, s->id);
	} while ((s = s->next_sibling) != c);
}

/* update_builtin_idle(). The bit of a CPU that goes offline stays: who takes it is sent elsewhere by the core. */
static void mark_idle(struct cpu *c, int idle)
{
	if (idle)
		mask_set(&idle_cpus, c->id);
	else
		mask_clear(&idle_cpus, c->id);
	if (machine.has_smt)
		set_core(c, idle && core_idles(c));
}

/* scx_idle_test_and_clear_cpu() */
static int take_idle(s32 cpu)
{
	if (machine.has_smt && mask_test(&idle_cores, cpu))
		set_core(&cpus[cpu], 0);
	if (!mask_test(&idle_cpus, cpu))
		return 0;
	mask_clear(&idle_cpus, cpu);
	return 1;
}

/* cpumask_any_and_distribute(): the next one in both, after the one this CPU got last; -1 if there is none. */
static s32 any_of(const struct mask *a, const struct mask *b, const struct mask *c)
{
	s32 *last = &scx_cpu_of(&cpus[this_cpu])->distribute;
	u32 start = *last + 1 < MAX_CPUS ? *last + 1 : 0, words = (machine.nr_cpus + 63) / 64;

	for (u32 i = 0; i <= words; i++) {
		u32 w = (start / 64 + i) % words;
		u64 bits = a->w[w] & b->w[w] & c->w[w];

		if (!i)
			bits &= ~0ULL << start % 64;
		else if (i == words)
			bits &= ~(~0ULL << start % 64);
		if (bits)
			return *last = w * 64 + __builtin_ctzll(bits);
	}
	return -1;
}

/* pick_idle_cpu_in_node(): in both masks. */
static s32 pick_idle(const struct mask *wanted, const struct mask *within, u64 flags)
{
	for (;;) {
		s32 cpu = machine.has_smt ? any_of(&idle_cores, wanted, within) : -1;

		if (cpu < 0) {
			if (machine.has_smt && flags & SCX_PICK_IDLE_CORE)
				return -1;
			cpu = any_of(&idle_cpus, wanted, within);
		}
		if (cpu < 0 || take_idle(cpu))
			return cpu;
	}
}

/*
 * scx_pick_idle_cpu(). node: where to begin with masks per node (SCX_OPS_BUILTIN_IDLE_PER_NODE, ops.flags, 6.15), -2
 * without them. The other nodes are all equally far (machines tell no distances): they come by their number.
 */
static s32 pick_idle_from(const struct mask *wanted, s32 node, u64 flags)
{
	s32 cpu = pick_idle(wanted, node >= 0 ? &node_cpus[node] : &every_cpu, flags);

	if (cpu >= 0)
		return cpu;
	for (s32 other = 0; node >= 0 && !(flags & SCX_PICK_IDLE_IN_NODE) && other < (s32)machine.nr_nodes; other++) {
		cpu = other == node ? -1 : pick_idle(wanted, &node_cpus[other], flags);
		if (cpu >= 0)
			return cpu;
	}
	return -16; /* EBUSY */
}

/*
 * Near, then nearer to far: the LLC and the node of the CPU it ran on, where there is more than one of them
 * (scx_idle_update_selcpu_topology(); with masks per node the node is where the last search begins).
 */
static s32 pick_idle_near(const struct mask *wanted, const struct cpu *prev, u64 flags)
{
	u64 core = flags & SCX_PICK_IDLE_CORE;
	s32 cpu = -1;

	if (machine.nr_llcs > 1)
		cpu = pick_idle(wanted, &llc_cpus[prev->llc], core);
	if (cpu < 0 && machine.nr_nodes > 1 && !policy.per_node)
		cpu = pick_idle(wanted, &node_cpus[prev->node], core);
	return cpu < 0 ? pick_idle_from(wanted, policy.per_node ? prev->node : -2, flags) : cpu;
}

/* Does a CPU of the waker's idle mask idle? */
static int some_idle(const struct cpu *waker)
{
	for (u32 w = 0; w < MASK_WORDS; w++) {
		if (idle_cpus.w[w] & (policy.per_node ? node_cpus[waker->node].w[w] : ~0ULL))
			return 1;
	}
	return 0;
}

/* A waker that will sleep soon: to the CPU that idles beside its cache, or to its own. */
static s32 select_for_sync(const struct mask *wanted, s32 prev_cpu, u64 flags)
{
	struct cpu *own = &cpus[this_cpu];

	if (own->llc == cpus[prev_cpu].llc && mask_test(wanted, prev_cpu) && take_idle(prev_cpu))
		return prev_cpu;
	if (flags & SCX_PICK_IDLE_IN_NODE && own->node != cpus[prev_cpu].node)
		return -1;
	return !scx_cpu_of(own)->local.nr && some_idle(own) && mask_test(wanted, own->id) ? own->id : -1;
}

/* scx_select_cpu_dfl() of 6.18: an idle CPU, taken, or a negative error. */
static s32 select_idle(const struct mask *wanted, s32 prev_cpu, u64 wake_flags, u64 flags)
{
	struct cpu *prev = &cpus[prev_cpu];
	int may_stay = mask_test(wanted, prev_cpu);
	s32 cpu = wake_flags & SCX_WAKE_SYNC ? select_for_sync(wanted, prev_cpu, flags) : -1;

	if (cpu >= 0)
		return cpu;
	if (machine.has_smt) {
		if (may_stay && mask_test(&idle_cores, prev_cpu) && take_idle(prev_cpu))
			return prev_cpu;
		cpu = pick_idle_near(wanted, prev, flags | SCX_PICK_IDLE_CORE);
		if (cpu >= 0 || flags & SCX_PICK_IDLE_CORE)
			return cpu;
	}
	if (may_stay && take_idle(prev_cpu))
		return prev_cpu;
	return pick_idle_near(wanted, prev, flags);
}
