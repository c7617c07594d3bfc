/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policy may call: queues and tasks. Exported as kf_*; the shim's runtime gives them the kernel's names. */
#include "scx.h"

/* scx_kf_allowed(), 6.12 to 6.19; later kernels' verifier says so at load */
static int kf_allowed(u32 mask)
{
	if (kf_mask & mask)
		return 1;
	scx_error("kfunc with mask 0x%x called from an operation only allowing 0x%x", mask, kf_mask);
	return 0;
}

/* scx_kf_allowed_if_unlocked(): from where no callback holds a lock, which 6.18 takes for no mask at all. */
static int kf_allowed_unlocked(u32 mask)
{
	return !kf_mask || kf_allowed(mask);
}

/* The verifier lets only tasks through; here everything is looked at. */
static struct task *task_at(u64 address)
{
	u64 id = (address - policy.tasks) / policy.stride;

	if (address >= policy.tasks && id < nr_tasks && mirror(&tasks[id]) == address && tasks[id].state != T_NEW)
		return &tasks[id];
	stop(V_FAULT, 0, "a kfunc was given %llx, which is no task", address);
	return NULL;
}

s32 EXPORT(kf_create_dsq)(u64 id, s32 node)
{
	if (node >= (s32)machine.nr_nodes || (node < 0 && node != -1))
		return -22;
	if (id & SCX_DSQ_FLAG_BUILTIN)
		return -22;
	if (find_user_dsq(id))
		return -17;
	make_dsq(id);
	return 0;
}

void EXPORT(kf_destroy_dsq)(u64 id)
{
	struct dsq *d = find_user_dsq(id);

	if (d && d->nr)
		scx_error("attempting to destroy in-use dsq 0x%016llx (nr=%u)", id, d->nr);
	else if (d)
		d->destroyed = 1;
}

s32 EXPORT(kf_dsq_nr_queued)(u64 id)
{
	struct dsq *d = NULL;

	if (id == SCX_DSQ_LOCAL)
		d = local_dsq(this_cpu);
	else if ((id & SCX_DSQ_LOCAL_ON) == SCX_DSQ_LOCAL_ON)
		d = kf_cpu_valid((s32)id) ? local_dsq((s32)id) : NULL;
	else if (!(id & SCX_DSQ_FLAG_BUILTIN))
		d = find_user_dsq(id);
	return d ? (s32)d->nr : -2;
}

/* mark_direct_dispatch() */
static void insert_directly(struct task *p, u64 dsq_id, u64 enq_flags)
{
	if (direct_done) {
		scx_error("%s[%d] already direct-dispatched", p->comm, p->pid);
		return;
	}
	if (p != direct_task) {
		scx_error("scheduling for %s[%d] but trying to direct-dispatch %s[%d]", direct_task->comm,
			  direct_task->pid, p->comm, p->pid);
		return;
	}
	direct_done = 1;
	scx_of(p)->ddsp_dsq = dsq_id;
	scx_of(p)->ddsp_flags = enq_flags;
}

/* scx_dsq_insert_commit() */
static u32 insert_commit(struct task *p, u64 dsq_id, u64 enq_flags)
{
	if (direct_task) {
		insert_directly(p, dsq_id, enq_flags);
		return 1;
	}
	if (buffered >= policy.batch) {
		scx_error("dispatch buffer overflow");
		return 0;
	}
	buffer[buffered].task = p;
	buffer[buffered].qseq = p->ext ? scx_of(p)->qseq : 0;
	buffer[buffered].dsq_id = dsq_id;
	buffer[buffered++].enq_flags = enq_flags;
	return 1;
}

static struct task *insert_check(u64 address, u64 slice, u64 enq_flags)
{
	struct task *p;

	if (!kf_allowed(KF_ENQUEUE | KF_DISPATCH) || !(p = task_at(address)))
		return NULL;
	if (enq_flags & SCX_ENQ_INTERNAL) {
		scx_error("invalid enq_flags 0x%llx", enq_flags);
		return NULL;
	}
	if (slice)
		theirs.set_slice(p->id, slice);
	else if (!theirs.slice(p->id))
		theirs.set_slice(p->id, 1);
	return p;
}

u32 EXPORT(kf_dsq_insert)(u64 address, u64 dsq_id, u64 slice, u64 enq_flags)
{
	struct task *p = insert_check(address, slice, enq_flags);

	return p && insert_commit(p, dsq_id, enq_flags);
}

u32 EXPORT(kf_dsq_insert_vtime)(u64 address, u64 dsq_id, u64 slice, u64 vtime, u64 enq_flags)
{
	struct task *p = insert_check(address, slice, enq_flags);

	if (!p)
		return 0;
	theirs.set_vtime(p->id, vtime);
	return insert_commit(p, dsq_id, enq_flags | SCX_ENQ_PRIQ);
}

u32 EXPORT(kf_dsq_move_to_local)(u64 id)
{
	struct dsq *d;

	if (!kf_allowed(KF_DISPATCH))
		return 0;
	flush_buffer();
	d = id & SCX_DSQ_FLAG_BUILTIN ? NULL : find_user_dsq(id);
	if (!d) {
		scx_error("invalid DSQ ID 0x%016llx", id);
		return 0;
	}
	if (!consume(d, &cpus[dispatch_cpu]))
		return 0;
	consumed++;
	return 1;
}

u32 EXPORT(kf_dispatch_nr_slots)(void)
{
	return kf_allowed(KF_DISPATCH) ? policy.batch - buffered : 0;
}

void EXPORT(kf_dispatch_cancel)(void)
{
	if (!kf_allowed(KF_DISPATCH))
		return;
	if (buffered)
		buffered--;
	else
		scx_error("dispatch buffer underflow");
}

u64 EXPORT(kf_dsq_peek)(u64 id)
{
	struct dsq *d = id & SCX_DSQ_FLAG_BUILTIN ? NULL : find_user_dsq(id);

	if (id & SCX_DSQ_FLAG_BUILTIN)
		scx_error("peek disallowed on builtin DSQ 0x%llx", id);
	else if (!d)
		scx_error("peek on non-existent DSQ 0x%llx", id);
	return d && d->first ? mirror(d->first) : 0;
}

/* scx_bpf_reenqueue_local() of 6.12 to 6.18: from ops.cpu_release() alone, what waits here is given to the policy anew. */
u32 EXPORT(kf_reenqueue_local)(void)
{
	struct dsq *d = local_dsq(this_cpu);
	struct task *first = d->first, *next;
	u32 count = 0;

	if (!kf_allowed(KF_CPU_RELEASE))
		return 0;
	/* All are taken off first: the policy may put them back into this queue. */
	d->first = d->last = NULL;
	d->nr = 0;
	for (struct task *p = first; p; p = scx_of(p)->next)
		scx_of(p)->dsq = NULL;
	for (; first && !stopped; first = next) {
		next = scx_of(first)->next;
		give(first, SCX_ENQ_REENQ);
		count++;
	}
	return count;
}

/* 1 + the iterator's place, or a negative error. */
s32 EXPORT(kf_iter_new)(u64 id, u64 flags)
{
	struct dsq *d = id & SCX_DSQ_FLAG_BUILTIN ? NULL : find_user_dsq(id);

	if (flags & ~1ULL)
		return -22;
	if (!d)
		return -2;
	for (u32 i = 0; i < MAX_ITERATORS; i++) {
		struct iterator *it = &iterators[i];

		if (it->used)
			continue;
		*it = (struct iterator){ 1, flags & 1, d, flags & 1 ? d->last : d->first, dsq_seq };
		return i + 1;
	}
	stop(V_FAULT, 0, "more than %d iterators are open", MAX_ITERATORS);
	return -12;
}

u64 EXPORT(kf_iter_next)(s32 place)
{
	struct iterator *it;
	struct task *p;

	if (place < 1 || place > MAX_ITERATORS || !iterators[place - 1].used)
		return 0;
	it = &iterators[place - 1];
	p = it->next;
	while (p && scx_of(p)->seq > it->seq)
		p = beside(p, it->reverse);
	it->next = NULL;
	if (!p)
		return 0;
	it->next = beside(p, it->reverse);
	return mirror(p);
}

void EXPORT(kf_iter_destroy)(s32 place)
{
	if (place >= 1 && place <= MAX_ITERATORS)
		iterators[place - 1].used = 0;
}

/* scx_dsq_move(): out of the queue that is iterated over; slice and vtime were set by the shim before. */
u32 EXPORT(kf_dsq_move)(s32 place, u64 address, u64 dsq_id, u64 enq_flags, u32 by_vtime)
{
	struct task *p = task_at(address);
	const struct iterator *it;

	if (!p || !p->ext || !kf_allowed_unlocked(KF_DISPATCH) || place < 1 || place > MAX_ITERATORS)
		return 0;
	it = &iterators[place - 1];
	if (!it->used || scx_of(p)->dsq != it->dsq || scx_of(p)->seq > it->seq)
		return 0;
	dsq_remove(p);
	insert(p, this_cpu, dsq_id, enq_flags | (by_vtime ? SCX_ENQ_PRIQ : 0));
	return 1;
}
