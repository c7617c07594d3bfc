/* SPDX-License-Identifier: GPL-2.0-only */
/* Dispatch queues: a list in order of service, and for those by virtual time a treap that finds the place in it. */
#include "scx.h"

#define DSQ_BUCKETS 16384
#define MAX_DSQS (1U << 17)

static struct dsq *global_dsqs; /* one a node: find_global_dsq() of 6.12 and later */
static struct dsq *dsq_table[DSQ_BUCKETS];
static u64 tree_random = 1, tree_order, dsq_seq;

static struct dsq *find_user_dsq(u64 id)
{
	struct dsq *d = dsq_table[(id ^ id >> 10 ^ id >> 32) % DSQ_BUCKETS];

	while (d && (d->id != id || d->destroyed))
		d = d->next;
	return d;
}

/* In the place of one that was destroyed, if there is one. */
static void make_dsq(u64 id)
{
	struct dsq **bucket = &dsq_table[(id ^ id >> 10 ^ id >> 32) % DSQ_BUCKETS], *d = *bucket;
	static u32 made;

	while (d && !d->destroyed)
		d = d->next;
	if (!d) {
		if (++made > MAX_DSQS) {
			stop(V_UNSUPPORTED, 0, "more than %u dispatch queues", MAX_DSQS);
			return;
		}
		d = alloc(sizeof(*d));
		d->next = *bucket;
		*bucket = d;
	}
	d->id = id;
	d->destroyed = 0;
}

/* Walks over a queue that policies hold open; the shim's iterator keeps 1 + the place in here. */
#define MAX_ITERATORS 8

static struct iterator {
	u8 used, reverse;
	struct dsq *dsq;
	struct task *next;
	u64 seq; /* who came into a queue after it is not seen: bpf_iter_scx_dsq_next() */
} iterators[MAX_ITERATORS];

static struct task *beside(struct task *p, int reverse)
{
	return reverse ? scx_of(p)->prev : scx_of(p)->next;
}

static void iterators_skip(struct task *p)
{
	for (u32 i = 0; i < MAX_ITERATORS; i++) {
		if (unlikely(iterators[i].used && iterators[i].next == p))
			iterators[i].next = beside(p, iterators[i].reverse);
	}
}

static void trace_dsq(const struct dsq *d)
{
	trace(7, this_cpu, d->nr, d->id);
}

/* Put p into the list behind `before` (NULL: first). */
static void list_insert(struct dsq *d, struct task *p, struct task *before)
{
	struct task *after = before ? scx_of(before)->next : d->first;

	scx_of(p)->prev = before;
	scx_of(p)->next = after;
	if (before)
		scx_of(before)->next = p;
	else
		d->first = p;
	if (after)
		scx_of(after)->prev = p;
	else
		d->last = p;
}

static void list_remove(struct dsq *d, struct task *p)
{
	struct scx_task *s = scx_of(p);

	if (s->prev)
		scx_of(s->prev)->next = s->next;
	else
		d->first = s->next;
	if (s->next)
		scx_of(s->next)->prev = s->prev;
	else
		d->last = s->prev;
}

static inline int key_before(const struct scx_task *a, const struct scx_task *b)
{
	return a->key == b->key ? a->order < b->order : (s64)(a->key - b->key) < 0;
}

/* Split a tree below p: what comes before it and what comes after. Notes the last one before. */
static void tree_split(struct task *root, struct task *p, struct task **before)
{
	struct task **low = &scx_of(p)->left, **high = &scx_of(p)->right, *low_up = p, *high_up = p;

	while (root) {
		struct scx_task *r = scx_of(root);

		if (key_before(scx_of(p), r)) {
			*high = root;
			high = &r->left;
			r->up = high_up;
			high_up = root;
			root = r->left;
		} else {
			*before = root;
			*low = root;
			low = &r->right;
			r->up = low_up;
			low_up = root;
			root = r->right;
		}
	}
	*low = *high = NULL;
}

static void tree_insert(struct dsq *d, struct task *p)
{
	struct scx_task *s = scx_of(p);
	struct task **link = &d->root, *before = NULL, *up = NULL;

	s->order = tree_order++;
	s->tree_random = random_next(&tree_random);
	while (*link && scx_of(*link)->tree_random >= s->tree_random) {
		struct scx_task *r = scx_of(*link);

		up = *link;
		if (key_before(s, r)) {
			link = &r->left;
		} else {
			before = *link;
			link = &r->right;
		}
	}
	tree_split(*link, p, &before);
	s->up = up;
	*link = p;
	list_insert(d, p, before);
}

/* The one above in place of p. The keys are not asked: a policy's virtual times may go round in a circle. */
static struct task **tree_link(struct dsq *d, struct task *p)
{
	struct task *up = scx_of(p)->up;

	if (!up)
		return &d->root;
	return scx_of(up)->left == p ? &scx_of(up)->left : &scx_of(up)->right;
}

static void tree_remove(struct dsq *d, struct task *p)
{
	struct scx_task *s = scx_of(p);
	struct task **link = tree_link(d, p), *left = s->left, *right = s->right, *up = s->up;

	while (left && right) {
		struct task *top = scx_of(left)->tree_random >= scx_of(right)->tree_random ? left : right;

		*link = top;
		scx_of(top)->up = up;
		up = top;
		if (top == left) {
			link = &scx_of(top)->right;
			left = *link;
		} else {
			link = &scx_of(top)->left;
			right = *link;
		}
	}
	*link = left ? left : right;
	if (*link)
		scx_of(*link)->up = up;
}

/* task_leave_custody() of 7.1 and later: ops.dequeue() is told of every task that leaves the policy's hands, once. */
static void leave_custody(struct task *p, u64 deq_flags)
{
	if (!scx_of(p)->in_custody)
		return;
	scx_of(p)->in_custody = 0;
	OP_CALL(KF_REST, dequeue, mirror(p), deq_flags);
}

/* find_global_dsq(): of the node of the CPU whose queue the task is on. */
static struct dsq *global_dsq_of(const struct task *p)
{
	return &global_dsqs[cpus[p->cpu].node];
}

/*
 * dispatch_enqueue(): into a queue. What is ordered by virtual time and what is not do not mix: a queue by virtual time
 * is told from the other by its tree. SCX_ENQ_PREEMPT puts a task first as SCX_ENQ_HEAD does.
 */
static void dsq_add(struct dsq *d, struct task *p, u64 enq_flags)
{
	struct scx_task *s = scx_of(p);

	if (enq_flags & SCX_ENQ_PRIQ) {
		if (d->id & SCX_DSQ_FLAG_BUILTIN) {
			scx_error("cannot use vtime ordering for built-in DSQs");
			dsq_add(d, p, enq_flags & ~SCX_ENQ_PRIQ);
			return;
		}
		if (d->first && !d->root)
			scx_error("DSQ ID 0x%016llx already had FIFO-enqueued tasks", d->id);
		s->key = theirs.vtime(p->id);
		s->in_tree = 1;
		tree_insert(d, p);
	} else {
		if (d->root)
			scx_error("DSQ ID 0x%016llx already had PRIQ-enqueued tasks", d->id);
		s->in_tree = 0;
		list_insert(d, p, enq_flags & (SCX_ENQ_HEAD | SCX_ENQ_PREEMPT) ? NULL : d->last);
	}
	d->nr++;
	s->dsq = d;
	s->seq = ++dsq_seq;
	s->ops_state = OPS_NONE;
	s->ddsp_dsq = SCX_DSQ_INVALID;
	s->ddsp_flags = 0;
	if (!(d->id & SCX_DSQ_FLAG_BUILTIN)) {
		trace_dsq(d);
		s->in_custody = policy.custody;
	} else if (unlikely(s->in_custody)) { /* local and global queues are the end of it */
		leave_custody(p, 0);
	}
}

static void dsq_remove(struct task *p)
{
	struct scx_task *s = scx_of(p);
	struct dsq *d = s->dsq;

	if (!d)
		return;
	iterators_skip(p);
	list_remove(d, p);
	if (s->in_tree)
		tree_remove(d, p);
	d->nr--;
	s->dsq = NULL;
	if (!(d->id & SCX_DSQ_FLAG_BUILTIN))
		trace_dsq(d);
}
