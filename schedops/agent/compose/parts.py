"""The C of each rule. What is the same for all policies stands in the library's headers."""

from __future__ import annotations

HEAD = """\
char _license[] SEC("license") = "GPL";

#define PLAIN_DSQ 1ULL
"""
CREDIT = """\
/* What a task may save up while it sleeps. */
#define CREDIT_NS (5 * NSEC_PER_MSEC)
"""
JOB_DEFINES = """\
#define JOB_DSQ	  2ULL

/* What a queue may save up while it has no task. */
#define QUEUE_CREDIT_NS (20 * NSEC_PER_MSEC)
"""
LENGTH_DEFINES = """\
/* The most that length can move a job back inside its group. */
#define LENGTH_WAIT_NS (100 * NSEC_PER_MSEC)
/* A job of this length moves by half of it. */
#define LENGTH_HALF_NS (200 * NSEC_PER_MSEC)
"""
HALF_DEFINE = """\
/* A job of this length waits for half of the longest wait. */
#define LENGTH_HALF_NS (200 * NSEC_PER_MSEC)
"""
BURST_DEFINE = """\
/* A burst of this length waits for half of the longest wait. */
#define BURST_HALF_NS (1 * NSEC_PER_MSEC)
"""
KICK_DEFINE = """\
/* Nobody is interrupted more often than this. */
#define KICK_GAP_NS (1 * NSEC_PER_MSEC)
"""
STORAGE = """\
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct made_task);
} tasks SEC(".maps");
"""
TASK_OF = """\
static __always_inline struct made_task *task_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}
"""
USED = """\
/* CPU time that each queue's tasks used; the queue that used less is served first. */
static u64 plain_used_ns;
static u64 jobs_used_ns;
"""
ALIVE = """\
/* The jobs alive now: what is long is measured against their mean. */
static u64 jobs_alive;
static u64 hints_alive_ns;
"""
PLACES = """\
/* Jobs that were given a place, and those of them that ended: the difference orders those between. */
static u64 places_given;
static u64 places_done;
"""
KICKED = """\
static u64 kicked_ns;
"""
HINTED_TURN = """
	/* A new task, whatever its group: a launcher may be about to hand over its hint, if there is one that does. */
	if (hinted && t->used_ns < first_turn_us * NSEC_PER_USEC)
		return now;
"""
WOKEN_TURN = """
	/* Just woken: it will start the next job, or hand on a result. */
	if (t->turn_ns < first_turn_us * NSEC_PER_USEC)
		return key;
"""
INSIDE = {
    "longest-first": """\
	key += LENGTH_WAIT_NS * LENGTH_HALF_NS / (LENGTH_HALF_NS + (hint_ns(p) > t->used_ns ? hint_ns(p) : t->used_ns));
""",
    "shortest-first": """\
	key += LENGTH_WAIT_NS * left_ns(p, t) / (LENGTH_HALF_NS + left_ns(p, t));
""",
    "begun-first": """\
	key += LENGTH_WAIT_NS * LENGTH_HALF_NS / (LENGTH_HALF_NS + t->used_ns);
""",
}
LEFT = """\
/* CPU time that is still to come; who took longer than expected will go on for as long again. */
static __always_inline u64 left_ns(struct task_struct *p, struct made_task *t)
{
	u64 expected_ns = hint_ns(p);

	return expected_ns > t->used_ns ? expected_ns - t->used_ns : t->used_ns;
}
"""
IS_LONG = """\
/* expected > percent of the mean, without the division */
static __always_inline bool long_by_hint(u64 expected_ns)
{
	return jobs_alive && expected_ns / 100 * jobs_alive > hints_alive_ns / 10000 * long_percent;
}
"""
GIVE_BACK = """\
static __always_inline void give_back_place(struct made_task *t)
{
	if (t->place)
		__sync_fetch_and_add(&places_done, 1);
	t->place = 0;
}
"""
PLACE_RANK = """\
/* Exact while jobs end in order; otherwise a little small for all, which keeps them in order. */
static __always_inline u64 place_wait_ns(struct made_task *t)
{
	u64 done = places_done;
	u64 rank = t->place > done + 1 ? t->place - done - 1 : 0;

	return max_wait_ms * NSEC_PER_MSEC * rank / (rank + 1);
}
"""
HINT_KEYS = {
    ("long-first", "turns"): """\
	return t->is_long ? now - head_start_ms * NSEC_PER_MSEC : now;
""",
    ("long-first", "in-order"): """\
	return t->is_long ? now - head_start_ms * NSEC_PER_MSEC : now + place_wait_ns(t);
""",
    ("in-order", "turns"): """\
	return now + place_wait_ns(t);
""",
    ("longest-first", "turns"): """\
	return now + max_wait_ms * NSEC_PER_MSEC * LENGTH_HALF_NS / (LENGTH_HALF_NS + t->hint_ns);
""",
    ("shortest-first", "turns"): """\
	return now + max_wait_ms * NSEC_PER_MSEC * left_ns(p, t) / (LENGTH_HALF_NS + left_ns(p, t));
""",
}
JOBS_TURN = """\
/* Whose turn is it when both queues have tasks? A queue that was empty does not hoard the time it did not use. */
static __always_inline bool jobs_turn(void)
{
	u64 jobs = jobs_used_ns, plain = plain_used_ns;

	if (before(jobs + QUEUE_CREDIT_NS, plain))
		jobs_used_ns = plain - QUEUE_CREDIT_NS;
	if (before(plain + QUEUE_CREDIT_NS, jobs))
		plain_used_ns = jobs - QUEUE_CREDIT_NS;
	return before(jobs, plain);
}
"""
STOPPING = """\
void OP(made_stopping, struct task_struct *p, bool runnable)
{
	struct made_task *t = task_of(p);

	if (t)
		charge(p, t);
}
"""
INIT_TASK = """\
s32 OP_SLEEPABLE(made_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}
"""
ENABLE = """\
void OP(made_enable, struct task_struct *p)
{
	struct made_task *t = task_of(p);

	if (t)
		fair_join(&t->fair);
}
"""
EXIT = """\
void OP(made_exit, struct scx_exit_info *ei)
{
	RECORD_EXIT(exit_record, ei);
}
"""
