/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's names for what the engine does. */

s32 IMPORT(create_dsq)(u64 id, s32 node);
void IMPORT(destroy_dsq)(u64 id);
s32 IMPORT(dsq_nr_queued)(u64 id);
u32 IMPORT(dsq_insert)(void *p, u64 dsq_id, u64 slice, u64 enq_flags);
u32 IMPORT(dsq_insert_vtime)(void *p, u64 dsq_id, u64 slice, u64 vtime, u64 enq_flags);
u32 IMPORT(dsq_move_to_local)(u64 id);
u32 IMPORT(dispatch_nr_slots)(void);
void IMPORT(dispatch_cancel)(void);
u32 IMPORT(reenqueue_local)(void);
void *IMPORT(dsq_peek)(u64 id);
s32 IMPORT(iter_new)(u64 id, u64 flags);
void *IMPORT(iter_next)(s32 place);
void IMPORT(iter_destroy)(s32 place);
u32 IMPORT(dsq_move)(s32 place, void *p, u64 dsq_id, u64 enq_flags, u32 by_vtime);
void IMPORT(mask_word)(u32 word, u64 bits);
s32 IMPORT(select_cpu)(void *p, s32 prev_cpu, u64 wake_flags, u32 with_mask, u64 flags);
s32 IMPORT(pick_idle)(s32 node, u64 flags);
s32 IMPORT(pick_idle_of)(u32 task, u64 flags);
s32 IMPORT(pick_any)(s32 node, u64 flags);
u32 IMPORT(test_and_clear_cpu_idle)(s32 cpu);
void IMPORT(kick_cpu)(s32 cpu, u64 flags);
u64 IMPORT(now)(void);
u32 IMPORT(nr_nodes)(void);
u32 IMPORT(frequency)(s32 cpu);
void IMPORT(cpuperf_set)(s32 cpu, u32 perf);
s32 IMPORT(cpu_llc)(s32 cpu);
s32 IMPORT(cpu_node)(s32 cpu);
u32 IMPORT(capacity)(s32 cpu);
void *IMPORT(curr)(s32 cpu);
void *IMPORT(current)(void);
s32 IMPORT(task_cpu)(const void *p);
u32 IMPORT(task_running)(const void *p);
void *IMPORT(task_from_pid)(s32 pid);
u64 IMPORT(random)(void);

s32 scx_bpf_create_dsq(u64 id, s32 node) { return __kf_create_dsq(id, node); }
void scx_bpf_destroy_dsq(u64 id) { __kf_destroy_dsq(id); }
s32 scx_bpf_dsq_nr_queued(u64 id) { return __kf_dsq_nr_queued(id); }
bool scx_bpf_dsq_move_to_local(u64 id) { return __kf_dsq_move_to_local(id); }
u32 scx_bpf_dispatch_nr_slots(void) { return __kf_dispatch_nr_slots(); }
u32 scx_bpf_reenqueue_local(void) { return __kf_reenqueue_local(); }
void scx_bpf_dispatch_cancel(void) { __kf_dispatch_cancel(); }
struct task_struct *scx_bpf_dsq_peek(u64 id) { return __kf_dsq_peek(id); }

void scx_bpf_dsq_insert(struct task_struct *p, u64 id, u64 slice, u64 enq_flags)
{
	__kf_dsq_insert(p, id, slice, enq_flags);
}

void scx_bpf_dsq_insert_vtime(struct task_struct *p, u64 id, u64 slice, u64 vtime, u64 enq_flags)
{
	__kf_dsq_insert_vtime(p, id, slice, vtime, enq_flags);
}

bool __scx_bpf_dsq_insert_vtime(struct task_struct *p, struct scx_bpf_dsq_insert_vtime_args *args)
{
	return __kf_dsq_insert_vtime(p, args->dsq_id, args->slice, args->vtime, args->enq_flags);
}

/* SCX_DSQ_ITER_REV is bit 16; the engine's bit 0 says the same. Other bits are refused there. */
int bpf_iter_scx_dsq_new(struct bpf_iter_scx_dsq *it, u64 id, u64 flags)
{
	u64 others = flags & ~(u64)SCX_DSQ_ITER_REV;
	s32 place = __kf_iter_new(id, (flags & SCX_DSQ_ITER_REV ? 1 : 0) | others << 1);

	*it = (struct bpf_iter_scx_dsq){ .place = place > 0 ? place : 0 };
	return place > 0 ? 0 : place;
}

struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it)
{
	return it->place ? __kf_iter_next(it->place) : NULL;
}

void bpf_iter_scx_dsq_destroy(struct bpf_iter_scx_dsq *it)
{
	if (it->place)
		__kf_iter_destroy(it->place);
	it->place = 0;
}

void scx_bpf_dsq_move_set_slice(struct bpf_iter_scx_dsq *it, u64 slice)
{
	it->slice = slice;
	it->sets |= 1;
}

void scx_bpf_dsq_move_set_vtime(struct bpf_iter_scx_dsq *it, u64 vtime)
{
	it->vtime = vtime;
	it->sets |= 2;
}

static bool dsq_move(struct bpf_iter_scx_dsq *it, struct task_struct *p, u64 id, u64 enq_flags, bool by_vtime)
{
	if (it->sets & 1)
		p->scx.slice = it->slice;
	if (it->sets & 2)
		p->scx.dsq_vtime = it->vtime;
	it->sets = 0;
	return __kf_dsq_move(it->place, p, id, enq_flags, by_vtime);
}

bool scx_bpf_dsq_move(struct bpf_iter_scx_dsq *it, struct task_struct *p, u64 id, u64 enq_flags)
{
	return dsq_move(it, p, id, enq_flags, false);
}

bool scx_bpf_dsq_move_vtime(struct bpf_iter_scx_dsq *it, struct task_struct *p, u64 id, u64 enq_flags)
{
	return dsq_move(it, p, id, enq_flags, true);
}

s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags, bool *is_idle)
{
	s32 cpu = __kf_select_cpu(p, prev_cpu, wake_flags, 0, 0);

	*is_idle = cpu >= 0;
	return cpu >= 0 ? cpu : prev_cpu;
}

static void hand_over(const struct cpumask *m)
{
	for (u32 w = 0; w < WORDS; w++)
		__kf_mask_word(w, m->bits[w]);
}

s32 scx_bpf_select_cpu_and(struct task_struct *p, s32 prev_cpu, u64 wake_flags, const struct cpumask *m, u64 flags)
{
	hand_over(m);
	return __kf_select_cpu(p, prev_cpu, wake_flags, 1, flags);
}

/* cpumask_any_distribute(): the engine keeps where each CPU goes on. */
u32 IMPORT(any_distribute)(void);

u32 bpf_cpumask_any_distribute(const struct cpumask *m)
{
	hand_over(m);
	return __kf_any_distribute();
}

u32 bpf_cpumask_any_and_distribute(const struct cpumask *a, const struct cpumask *b)
{
	for (u32 w = 0; w < WORDS; w++)
		__kf_mask_word(w, a->bits[w] & b->bits[w]);
	return __kf_any_distribute();
}

#define NO_NODE -2 /* the engine's: the kfunc takes no node */

s32 scx_bpf_pick_idle_cpu(const struct cpumask *m, u64 flags)
{
	u64 task = ((u64)m - (u64)mirrors) / sizeof(*mirrors);

	/* Mostly it is a task's own mask, which the engine knows. */
	if (task < nr_tasks && m == &mirrors[task].cpus_mask)
		return __kf_pick_idle_of(task, flags);
	hand_over(m);
	return __kf_pick_idle(NO_NODE, flags);
}

s32 scx_bpf_pick_idle_cpu_node(const struct cpumask *m, int node, u64 flags)
{
	hand_over(m);
	return __kf_pick_idle(node == NO_NODE ? 1 << 30 : node, flags);
}

s32 scx_bpf_pick_any_cpu_node(const struct cpumask *m, int node, u64 flags)
{
	hand_over(m);
	return __kf_pick_any(node == NO_NODE ? 1 << 30 : node, flags);
}

s32 scx_bpf_pick_any_cpu(const struct cpumask *m, u64 flags)
{
	hand_over(m);
	return __kf_pick_any(NO_NODE, flags);
}

bool scx_bpf_test_and_clear_cpu_idle(s32 cpu) { return __kf_test_and_clear_cpu_idle(cpu); }
void scx_bpf_kick_cpu(s32 cpu, u64 flags) { __kf_kick_cpu(cpu, flags); }
u32 scx_bpf_nr_cpu_ids(void) { return nr_cpus; }
u32 scx_bpf_nr_node_ids(void) { return __kf_nr_nodes(); }
int scx_bpf_cpu_node(s32 cpu) { return __kf_cpu_node(cpu); }
u32 scx_bpf_cpuperf_cap(s32 cpu) { return __kf_capacity(cpu); }
u32 scx_bpf_cpuperf_cur(s32 cpu) { return __kf_frequency(cpu); }
void scx_bpf_cpuperf_set(s32 cpu, u32 perf) { __kf_cpuperf_set(cpu, perf); }
bool scx_bpf_task_running(const struct task_struct *p) { return __kf_task_running(p); }
s32 scx_bpf_task_cpu(const struct task_struct *p) { return __kf_task_cpu(p); }
struct task_struct *scx_bpf_cpu_curr(s32 cpu) { return __kf_curr(cpu); }
struct task_struct *bpf_task_from_pid(s32 pid) { return __kf_task_from_pid(pid); }
u64 scx_bpf_now(void) { return __kf_now(); }

bool scx_bpf_task_set_slice(struct task_struct *p, u64 slice)
{
	p->scx.slice = slice;
	return true;
}

bool scx_bpf_task_set_dsq_vtime(struct task_struct *p, u64 vtime)
{
	p->scx.dsq_vtime = vtime;
	return true;
}

u64 bpf_ktime_get_ns(void) { return __kf_now(); }
u64 bpf_ktime_get_boot_ns(void) { return __kf_now(); }
u64 bpf_ktime_get_coarse_ns(void) { return __kf_now(); }
u64 bpf_jiffies64(void) { return __kf_now() / 1000000; }
u32 bpf_get_smp_processor_id(void) { return __kf_this_cpu(); }

/* kernel/sched/topology.c, 6.18: the lowest CPU of each CPU's last-level cache. The only variable of the kernel's here. */
int sd_llc_id[MAX_CPUS];

void *bpf_per_cpu_ptr(const void *variable, u32 cpu)
{
	if (variable != sd_llc_id || cpu >= nr_cpus)
		return NULL;
	sd_llc_id[cpu] = __kf_cpu_llc(cpu);
	return &sd_llc_id[cpu];
}

u32 bpf_get_numa_node_id(void) { return __kf_cpu_node(__kf_this_cpu()); }
u32 bpf_get_prandom_u32(void) { return __kf_random(); }
struct task_struct *bpf_get_current_task_btf(void) { return __kf_current(); }

u64 bpf_get_current_pid_tgid(void)
{
	struct task_struct *p = bpf_get_current_task_btf();

	return (u64)p->tgid << 32 | (u32)p->pid;
}

int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end)
{
	*it = (struct bpf_iter_num){ start, end, 0 };
	return start > end ? -EINVAL : 0;
}

int *bpf_iter_num_next(struct bpf_iter_num *it)
{
	if (it->at >= it->end)
		return NULL;
	it->now = it->at++;
	return &it->now;
}

void bpf_iter_num_destroy(struct bpf_iter_num *it) {}
void bpf_rcu_read_lock(void) {}
void bpf_rcu_read_unlock(void) {}
void bpf_spin_lock(struct bpf_spin_lock *lock) {}
void bpf_spin_unlock(struct bpf_spin_lock *lock) {}
void bpf_preempt_disable(void) {}
void bpf_preempt_enable(void) {}
void bpf_local_irq_save(unsigned long *flags) {}
void bpf_local_irq_restore(unsigned long *flags) {}

/* kernel/bpf/rqspinlock.c, 6.16: there is nobody else who could hold it */
int bpf_res_spin_lock(struct bpf_res_spin_lock *lock)
{
	if (lock->val)
		return -35; /* EDEADLK */
	lock->val = 1;
	return 0;
}

void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock) { lock->val = 0; }

int bpf_res_spin_lock_irqsave(struct bpf_res_spin_lock *lock, unsigned long *flags) { return bpf_res_spin_lock(lock); }
void bpf_res_spin_unlock_irqrestore(struct bpf_res_spin_lock *lock, unsigned long *flags) { lock->val = 0; }
