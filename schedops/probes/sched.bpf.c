/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Watches the scheduler: who waits how long, runs how long, sleeps why, wakes whom.
 *
 * Only ordinary processes count: kernel threads, real-time tasks and the idle task are passed over. A class is all tasks
 * of one name (comm). Every stint of waiting or running is added to the slots of time that it spans when it ends, so
 * the programs share nothing but counters that are added to.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h, 6.16 .. 7.3 */
#define MAX_RT_PRIO 100
#define TASK_INTERRUPTIBLE 1
#define TASK_UNINTERRUPTIBLE 2
/*
 * include/linux/preempt.h: serving a softirq, hardirq or NMI; the rest of the word only says what is switched off. A
 * count of disabled interrupts has moved the hardirqs' bits up, in a word of 64 bits (seen in 7.3, not yet in 7.0).
 */
#define IN_INTERRUPT_OLD 0x00ff0100
#define IN_INTERRUPT 0xff000100
#define MOVED_IN ((7 << 16) + (1 << 8)) /* KERNEL_VERSION(7, 1, 0) */

#define CLASSES 64
#define BUCKETS 256 /* four per power of two of nanoseconds */
#define SLOTS 512
#define MAX_SPANNED 64 /* slots that one stint is spread over; a longer one keeps its first */

/* What probe.c (guest) reads; the same order there. */
struct probed_class {
	char comm[16];
	u64 run_ns, wait_ns, sleep_ns, blocked_ns;
	u64 switches, preemptions, wakeups, migrations, forks, execs, exits;
	u32 latency[BUCKETS]; /* runnable to running */
	u32 burst[BUCKETS];   /* running between two sleeps */
	u32 wakes[CLASSES];   /* class that it wakes */
};

struct probe_slot {
	u64 run_ns, wait_ns, latency_max_ns;
};

struct probe_totals {
	u64 start_ns;
	u64 slot_ns;
	u64 timer_wakeups; /* by interrupts: nobody's */
	u64 lost;	   /* events of tasks that have no class or no memory */
	u32 classes;
	u32 on; /* 0: attached, and counting nothing */
};

struct probed_task {
	u64 name[2]; /* comm when the class was looked up */
	u64 since_ns, burst_ns, off_ns;
	u32 class; /* 1 + index */
	s32 cpu;
	u8 state, reason;
};

enum { STATE_UNKNOWN, STATE_RUNNING, STATE_WAITING, STATE_OFF };

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct probed_task);
} states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CLASSES);
	__type(key, u32);
	__type(value, struct probed_class);
} classes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CLASSES);
	__type(key, u64[2]);
	__type(value, u32);
} names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, u32);
	__type(value, struct probe_slot);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct probe_totals);
} totals SEC(".maps");

/* Integers of any size fit each other; the bits that matter are in the lower half. */
extern int __preempt_count __ksym __weak;
extern int LINUX_KERNEL_VERSION __kconfig;

static __always_inline struct probe_totals *counting(void)
{
	u32 zero = 0;
	struct probe_totals *t = bpf_map_lookup_elem(&totals, &zero);
	return t && t->on ? t : NULL;
}

static __always_inline bool counts(struct task_struct *p)
{
	return p->pid && !(p->flags & PF_KTHREAD) && p->prio >= MAX_RT_PRIO;
}

static __always_inline bool in_interrupt(void)
{
	int *count = &__preempt_count ? bpf_this_cpu_ptr(&__preempt_count) : NULL;
	u32 serving = LINUX_KERNEL_VERSION < MOVED_IN ? IN_INTERRUPT_OLD : IN_INTERRUPT;
	return count && (*count & serving);
}

static __always_inline u32 bucket_of(u64 ns)
{
	u32 shift = 0;
	if (ns < 4)
		return ns;
	if (ns >> 32)
		shift = 32;
	if (ns >> (shift + 16))
		shift += 16;
	if (ns >> (shift + 8))
		shift += 8;
	if (ns >> (shift + 4))
		shift += 4;
	if (ns >> (shift + 2))
		shift += 2;
	if (ns >> (shift + 1))
		shift += 1;
	/* shift: place of the highest bit, 2 or more; the two bits below it choose one of four. */
	return ((shift - 1) << 2 | ((ns >> (shift - 2)) & 3)) & (BUCKETS - 1);
}

static __always_inline struct probed_class *class_of(u32 class)
{
	u32 index = class - 1;
	return class ? bpf_map_lookup_elem(&classes, &index) : NULL;
}

/* The class of a name, a new one if there is room; 0: none. */
static __noinline u32 look_up(struct probe_totals *t, struct probed_task *s)
{
	u32 *known, class;
	struct probed_class *c;
	if (!t || !s)
		return 0;
	known = bpf_map_lookup_elem(&names, s->name);
	if (known)
		return *known;
	class = __sync_fetch_and_add(&t->classes, 1) + 1;
	c = class_of(class);
	if (!c || bpf_map_update_elem(&names, s->name, &class, BPF_NOEXIST))
		return 0;
	__builtin_memcpy(c->comm, s->name, sizeof c->comm);
	return class;
}

static __always_inline struct probed_task *state_of(struct probe_totals *t, struct task_struct *p)
{
	struct probed_task *s = bpf_task_storage_get(&states, p, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	const u64 *name = (const u64 *)p->comm;
	if (!s) {
		__sync_fetch_and_add(&t->lost, 1);
		return NULL;
	}
	if (!s->class || s->name[0] != name[0] || s->name[1] != name[1]) {
		s->name[0] = name[0];
		s->name[1] = name[1];
		s->class = look_up(t, s);
		if (!s->class)
			__sync_fetch_and_add(&t->lost, 1);
	}
	return s;
}

/* Adds the stint that ends at *now* to the slots that it spans; the one that it ends in, NULL when it has none. One
 * division, as nearly every stint is within one slot: they are what counting over time costs. */
static __always_inline struct probe_slot *spread(struct probe_totals *t, u64 now, u64 ns, bool running)
{
	u64 slot_ns = t->slot_ns, begin = now - ns - t->start_ns, left = ns, room;
	struct probe_slot *slot = NULL;
	u32 index;
	if (!slot_ns || now - ns < t->start_ns)
		return NULL;
	index = begin / slot_ns;
	room = slot_ns - (begin - index * slot_ns);
	for (int i = 0; i < MAX_SPANNED && left; i++) {
		u64 part = left < room ? left : room;
		slot = bpf_map_lookup_elem(&slots, &index);
		if (!slot)
			return NULL;
		__sync_fetch_and_add(running ? &slot->run_ns : &slot->wait_ns, part);
		left -= part;
		room = slot_ns;
		index++;
	}
	if (!left)
		return slot;
	index = (now - t->start_ns) / slot_ns;
	return bpf_map_lookup_elem(&slots, &index);
}

static __always_inline void waited(struct probe_totals *t, struct probed_class *c, u64 now, u64 ns)
{
	struct probe_slot *slot = spread(t, now, ns, false);
	__sync_fetch_and_add(&c->wait_ns, ns);
	__sync_fetch_and_add(&c->latency[bucket_of(ns)], 1);
	if (slot && slot->latency_max_ns < ns)
		slot->latency_max_ns = ns; /* two CPUs at once: one of the two is kept */
}

static __always_inline void goes_on(struct probe_totals *t, struct task_struct *p, u64 now)
{
	struct probed_task *s = state_of(t, p);
	struct probed_class *c = s ? class_of(s->class) : NULL;
	s32 cpu = bpf_get_smp_processor_id();
	if (!s)
		return;
	if (c) {
		__sync_fetch_and_add(&c->switches, 1);
		if (s->state == STATE_WAITING)
			waited(t, c, now, now - s->since_ns);
		if (s->state != STATE_UNKNOWN && s->cpu != cpu)
			__sync_fetch_and_add(&c->migrations, 1);
	}
	s->state = STATE_RUNNING;
	s->since_ns = now;
	s->cpu = cpu;
}

static __always_inline void burst_ends(struct probed_task *s, struct probed_class *c)
{
	__sync_fetch_and_add(&c->burst[bucket_of(s->burst_ns)], 1);
	s->burst_ns = 0;
}

static __always_inline void leaves(struct probe_totals *t, struct task_struct *p, u64 now, bool runnable, u32 why)
{
	struct probed_task *s = state_of(t, p);
	struct probed_class *c = s ? class_of(s->class) : NULL;
	if (!s)
		return;
	if (c && s->state == STATE_RUNNING) {
		u64 ns = now - s->since_ns;
		s->burst_ns += ns;
		__sync_fetch_and_add(&c->run_ns, ns);
		spread(t, now, ns, true);
		if (runnable)
			__sync_fetch_and_add(&c->preemptions, 1);
		else
			burst_ends(s, c);
	}
	s->state = runnable ? STATE_WAITING : STATE_OFF;
	s->reason = why;
	s->since_ns = now;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next, unsigned int prev_state)
{
	struct probe_totals *t = counting();
	u64 now;
	if (!t)
		return 0;
	now = bpf_ktime_get_ns();
	if (counts(prev))
		leaves(t, prev, now, preempt || !prev_state, prev_state);
	if (counts(next))
		goes_on(t, next, now);
	return 0;
}

static __always_inline void woken(struct probe_totals *t, struct task_struct *p, bool forked)
{
	u64 now = bpf_ktime_get_ns();
	struct probed_task *s = state_of(t, p), *by = NULL;
	struct probed_class *c = s ? class_of(s->class) : NULL, *waker = NULL;
	struct task_struct *self = bpf_get_current_task_btf();
	if (!s || s->state == STATE_RUNNING || s->state == STATE_WAITING)
		return;
	if (c) {
		__sync_fetch_and_add(&c->wakeups, 1);
		if (s->state == STATE_OFF && s->since_ns)
			__sync_fetch_and_add(s->reason & TASK_UNINTERRUPTIBLE ? &c->blocked_ns : &c->sleep_ns,
					     now - s->since_ns);
	}
	s->state = STATE_WAITING;
	s->since_ns = now;
	if (!forked && in_interrupt()) {
		__sync_fetch_and_add(&t->timer_wakeups, 1);
		return;
	}
	if (!counts(self))
		return;
	by = state_of(t, self);
	waker = by ? class_of(by->class) : NULL;
	if (waker && s->class)
		__sync_fetch_and_add(&waker->wakes[(s->class - 1) & (CLASSES - 1)], 1);
}

/* In the waker's own context; sched_wakeup comes later and, for a remote CPU, from an interrupt there. */
SEC("tp_btf/sched_waking")
int BPF_PROG(on_waking, struct task_struct *p)
{
	struct probe_totals *t = counting();
	if (t && counts(p))
		woken(t, p, false);
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_wakeup_new, struct task_struct *p)
{
	struct probe_totals *t = counting();
	if (t && counts(p))
		woken(t, p, true);
	return 0;
}

static __always_inline struct probed_class *class_now(struct task_struct *p)
{
	struct probe_totals *t = counting();
	struct probed_task *s = t && counts(p) ? state_of(t, p) : NULL;
	return s ? class_of(s->class) : NULL;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct probed_class *c = class_now(parent);
	if (c)
		__sync_fetch_and_add(&c->forks, 1);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)
{
	struct probed_class *c = class_now(p);
	if (c)
		__sync_fetch_and_add(&c->execs, 1);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *p)
{
	struct probed_class *c = class_now(p);
	if (c)
		__sync_fetch_and_add(&c->exits, 1);
	return 0;
}
