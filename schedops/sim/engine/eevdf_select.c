/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a task that wakes up goes: near the waker or near where it was, and there to an idle CPU if there is one. */
#include "eevdf.h"

#define MASK_USED ((machine.nr_cpus + 63) / 64)

static int shares_cache(s32 a, s32 b)
{
	return fair_rqs[a].llc == fair_rqs[b].llc;
}

/* record_wakee(): how often the waker turns to another one; halves every second. */
static void record_wakee(struct task *waker, struct task *p)
{
	struct fair_task *t = fair_of(waker);

	if (clock_ns > t->flips_at + 1000 * MSEC) {
		t->flips >>= 1;
		t->flips_at = clock_ns;
	}
	if (t->last_wakee != p->id) {
		t->last_wakee = p->id;
		t->flips++;
	}
}

/* wake_wide(): one that wakes many is not followed. */
static int wake_wide(struct task *waker, struct task *p)
{
	u32 high = fair_of(waker)->flips, low = fair_of(p)->flips;
	u32 factor = fair_llcs[fair_rqs[this_cpu].llc].nr;

	if (high < low) {
		u32 swap = high;

		high = low;
		low = swap;
	}
	return !(low < factor || high < low * factor);
}

/* wake_affine_idle() */
static s32 affine_idle(s32 here, s32 prev, int sync)
{
	if (fair_idle_cpu(here) && shares_cache(here, prev))
		return fair_idle_cpu(prev) ? prev : here;
	if (sync && nr_running(&fair_rqs[here]) == 1)
		return here;
	return fair_idle_cpu(prev) ? prev : -1;
}

/* wake_affine_weight() */
static s32 affine_weight(const struct fair_domain *d, struct task *p, s32 here, s32 prev, int sync)
{
	struct fair_rq *rq = &fair_rqs[here];
	u64 load = cpu_load(rq), other = cpu_load(&fair_rqs[prev]), own;

	if (sync && rq->curr) {
		u64 current = task_h_load(rq->curr);

		if (current > load)
			return here;
		load -= current;
	}
	own = fair_of(p)->e.queue ? task_h_load(p) : fair_of(p)->avg.load;
	load = (load + own) * 100 * cpus[prev].capacity;
	other = (other > own ? other - own : 0) * (100 + (d->pct - 100) / 2) * cpus[here].capacity;
	return load < other + (sync != 0) ? here : -1;
}

/* wake_affine() */
static s32 wake_affine(const struct fair_domain *d, struct task *p, s32 here, s32 prev, int sync)
{
	s32 cpu = affine_idle(here, prev, sync);

	if (cpu < 0)
		cpu = affine_weight(d, p, here, prev, sync);
	return cpu < 0 ? prev : cpu;
}

/*
 * select_idle_cpu() without idle cores: the first idle CPU behind start, looking at so many that are allowed. -1: none.
 * Whole words at a time, so that it does not cost one step per CPU.
 */
static s32 scan(const struct mask *in, const struct mask *domain, const struct mask *may, s32 start, u32 limit)
{
	u32 words = MASK_USED, w = start >> 6;
	u64 edge = ~0ULL << (start & 63);

	for (u32 i = 0; i <= words && limit; i++, w = w + 1 == words ? 0 : w + 1) {
		u64 part = i == 0 ? edge : i == words ? ~edge : ~0ULL;
		u64 looked = domain->w[w] & may->w[w] & part, found = looked & in->w[w];

		if (found) {
			u64 before = looked & ((found & -found) - 1);

			return (u32)__builtin_popcountll(before) < limit ? w * 64 + __builtin_ctzll(found) : -1;
		}
		if ((u32)__builtin_popcountll(looked) >= limit)
			return -1;
		limit -= __builtin_popcountll(looked);
	}
	return -1;
}

/* select_idle_smt(): an idle sibling of where it was. */
static s32 idle_sibling(struct task *p, s32 prev)
{
	for (struct cpu *s = cpus[prev].next_sibling; s->id != prev; s = s->next_sibling) {
		if (fair_idle_cpu(s->id) && allowed(p, s->id))
			return s->id;
	}
	return -1;
}

/* select_idle_cpu(); select_idle_core() when a whole core idles. */
static s32 idle_in_llc(struct task *p, s32 target, int cores)
{
	const struct fair_llc *llc = &fair_llcs[fair_rqs[target].llc];
	s32 start = target + 1 == (s32)machine.nr_cpus ? 0 : target + 1;
	s32 cpu;

	if (cores) {
		cpu = scan(&fair_idle_cores, &llc->mask, p->allowed, start, ~0U);
		return cpu >= 0 ? cpu : scan(&fair_idle, &llc->mask, p->allowed, start, ~0U);
	}
	return scan(&fair_idle, &llc->mask, p->allowed, start, llc->scan);
}

/* select_idle_capacity(), where all capacities are: the first idle CPU that is fast enough, else the fastest. */
static s32 idle_capacity(struct task *p, s32 target)
{
	const struct fair_llc *llc = &fair_llcs[fair_rqs[target].llc];
	s32 best = -1;

	for (u32 i = 0; i < machine.nr_cpus; i++) {
		s32 cpu = (target + i) % machine.nr_cpus;

		if (!fair_idle_cpu(cpu) || (llc->mixed && !mask_test(&llc->mask, cpu)) || !allowed(p, cpu))
			continue;
		if (fits_cpu(p, cpu))
			return cpu;
		if (best < 0 || cpus[cpu].capacity > cpus[best].capacity)
			best = cpu;
	}
	return best;
}

static int cores_idle(s32 cpu)
{
	const struct fair_llc *llc = &fair_llcs[fair_rqs[cpu].llc];

	for (u32 w = 0; w < MASK_USED; w++) {
		if (llc->mask.w[w] & fair_idle_cores.w[w])
			return 1;
	}
	return 0;
}

/* select_idle_sibling() */
static s32 idle_near(struct task *p, s32 prev, s32 target)
{
	s32 recent = fair_of(p)->recent, cpu = -1;
	int cores = 0;

	fair_of(p)->recent = prev;
	if (fair_idle_cpu(target) && allowed(p, target) && fits_cpu(p, target))
		return target;
	if (prev != target && shares_cache(prev, target) && fair_idle_cpu(prev) && allowed(p, prev) &&
	    fits_cpu(p, prev))
		return prev;
	if (recent >= 0 && recent != prev && recent != target && shares_cache(recent, target) &&
	    fair_idle_cpu(recent) && allowed(p, recent) && fits_cpu(p, recent))
		return recent;
	if (fair_asym) {
		cpu = idle_capacity(p, target);
		return cpu >= 0 ? cpu : target;
	}
	if (machine.has_smt) {
		cores = cores_idle(target);
		if (!cores && shares_cache(prev, target))
			cpu = idle_sibling(p, prev);
		if (cpu >= 0)
			return cpu;
	}
	cpu = idle_in_llc(p, target, cores);
	return cpu >= 0 ? cpu : target;
}

static int fair_fork_cpu(struct task *p, s32 cpu);

/* select_task_rq_fair(). A delayed task is still on its queue and stays there (ttwu_runnable(), core.c). */
static int fair_select_cpu(struct task *p, int prev, u32 flags)
{
	struct task *waker = fair_rqs[this_cpu].curr;
	s32 target = prev;
	int affine;

	if (fair_of(p)->e.delayed)
		return fair_of(p)->e.queue->rq->cpu->id;
	if (!(flags & WF_TTWU))
		return fair_fork_cpu(p, prev);
	avg_update_task(p);
	if (waker && waker != p)
		record_wakee(waker, p);
	affine = !(waker && wake_wide(waker, p)) && allowed(p, this_cpu);
	for (u32 l = 0; affine && this_cpu != prev && l < fair_rqs[this_cpu].nr_levels; l++) {
		const struct fair_domain *d = fair_rqs[this_cpu].levels[l].domain;

		if (mask_test(&d->span, prev)) {
			target = wake_affine(d, p, this_cpu, prev, flags & WF_SYNC);
			break;
		}
	}
	return idle_near(p, prev, target);
}
