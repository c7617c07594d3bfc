/* SPDX-License-Identifier: GPL-2.0-only */
/* Dispatch queues: a list in order of service, and for those by virtual time a treap that finds the place in it. */
#include "scx.h"

#define DSQ_BUCKETS 1024

static struct dsq global_dsq = { .id = SCX_DSQ_GLOBAL };
static struct dsq *dsq_table[DSQ_BUCKETS];
static u64 tree_random = 1, tree_order;

static struct dsq *find_user_dsq(u64 id)
{
	struct dsq *d = dsq_table[(id ^ id >> 10 ^ id >> 32) % DSQ_BUCKETS];

	while (d && (d->id != id || d->destroyed))
		d = d->next;
	return d;
}

static struct dsq *make_dsq(u64 id)
{
	struct dsq **bucket = &dsq_table[(id ^ id >> 10 ^ id >> 32) % DSQ_BUCKETS];
	struct dsq *d = alloc(sizeof(*d));

	d->id = id;
	d->next = *bucket;
	*bucket = d;
	return d;
}

/* Walks over a queue that policies hold open; the shim's iterator keeps 1 + the place in here. */
#define MAX_ITERATORS 8

static struct iterator {
	u8 used, reverse;
	struct dsq *dsq;
	struct task *next;
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

/* Split a tree: what comes before p and what comes after. Notes the last one before. */
static void tree_split(struct task *root, struct task *p, struct task **low, struct task **high, struct task **before)
{
	while (root) {
		struct scx_task *r = scx_of(root);

		if (key_before(scx_of(p), r)) {
			*high = root;
			high = &r->left;
			root = r->left;
		} else {
			*before = root;
			*low = root;
			low = &r->right;
			root = r->right;
		}
	}
	*low = *high = NULL;
}

static void tree_insert(struct dsq *d, struct task *p)
{
	struct scx_task *s = scx_of(p);
	struct task **link = &d->root, *before = NULL;

	s->order = tree_order++;
	s->tree_random = random_next(&tree_random);
	while (*link && scx_of(*link)->tree_random >= s->tree_random) {
		struct scx_task *r = scx_of(*link);

		if (key_before(s, r)) {
			link = &r->left;
		} else {
			before = *link;
			link = &r->right;
		}
	}
	tree_split(*link, p, &s->left, &s->right, &before);
	*link = p;
	list_insert(d, p, before);
}

static void tree_remove(struct dsq *d, struct task *p)
{
	struct scx_task *s = scx_of(p);
	struct task **link = &d->root, *left = s->left, *right = s->right;

	while (*link != p)
		link = key_before(s, scx_of(*link)) ? &scx_of(*link)->left : &scx_of(*link)->right;
	while (left && right) {
		if (scx_of(left)->tree_random >= scx_of(right)->tree_random) {
			*link = left;
			link = &scx_of(left)->right;
			left = *link;
		} else {
			*link = right;
			link = &scx_of(right)->left;
			right = *link;
		}
	}
	*link = left ? left : right;
}

/* dispatch_enqueue(): into a queue. */
static void dsq_add(struct dsq *d, struct task *p, u64 enq_flags)
{
	struct scx_task *s = scx_of(p);

	if (enq_flags & SCX_ENQ_PRIQ) {
		if (d->id & SCX_DSQ_FLAG_BUILTIN)
			scx_error("cannot use vtime ordering for built-in DSQs");
		else if (d->first && !d->root)
			scx_error("DSQ ID 0x%016llx already had FIFO-enqueued tasks", d->id);
		s->key = theirs.vtime(p->id);
		s->in_tree = 1;
		tree_insert(d, p);
	} else {
		if (d->root)
			scx_error("DSQ ID 0x%016llx already had PRIQ-enqueued tasks", d->id);
		s->in_tree = 0;
		list_insert(d, p, enq_flags & SCX_ENQ_HEAD ? NULL : d->last);
	}
	d->nr++;
	s->dsq = d;
	s->ops_state = OPS_NONE;
	s->ddsp_dsq = SCX_DSQ_INVALID;
	s->ddsp_flags = 0;
	if (!(d->id & SCX_DSQ_FLAG_BUILTIN))
		trace_dsq(d);
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
