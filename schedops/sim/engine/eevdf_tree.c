/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The entities of a queue by deadline, with the smallest vruntime of every subtree (fair.c: tasks_timeline). A treap
 * rather than the kernel's red-black tree: the same order, the same O(log n), half the code.
 */
#include "eevdf.h"

static inline int line_before(const struct fair_entity *a, const struct fair_entity *b)
{
	s64 difference = a->deadline - b->deadline;

	return difference < 0 || (!difference && a->order < b->order);
}

static inline void line_fix(struct fair_entity *e)
{
	e->min_vruntime = e->vruntime;
	if (e->left && (s64)(e->left->min_vruntime - e->min_vruntime) < 0)
		e->min_vruntime = e->left->min_vruntime;
	if (e->right && (s64)(e->right->min_vruntime - e->min_vruntime) < 0)
		e->min_vruntime = e->right->min_vruntime;
}

/* What comes before e in one tree, the rest in another one. */
static void line_split(struct fair_entity *t, const struct fair_entity *e, struct fair_entity **low,
		       struct fair_entity **high)
{
	if (!t) {
		*low = *high = NULL;
	} else if (line_before(t, e)) {
		line_split(t->right, e, &t->right, high);
		*low = t;
		line_fix(t);
	} else {
		line_split(t->left, e, low, &t->left);
		*high = t;
		line_fix(t);
	}
}

static struct fair_entity *line_merge(struct fair_entity *low, struct fair_entity *high)
{
	if (!low || !high)
		return low ? low : high;
	if (low->heap >= high->heap) {
		low->right = line_merge(low->right, high);
		line_fix(low);
		return low;
	}
	high->left = line_merge(low, high->left);
	line_fix(high);
	return high;
}

static void line_insert(struct fair_queue *q, struct fair_entity *e)
{
	struct fair_entity **link = &q->tree;

	e->order = fair_order++;
	while (*link && (*link)->heap >= e->heap) {
		struct fair_entity *node = *link;

		if ((s64)(e->vruntime - node->min_vruntime) < 0)
			node->min_vruntime = e->vruntime;
		link = line_before(e, node) ? &node->left : &node->right;
	}
	line_split(*link, e, &e->left, &e->right);
	line_fix(e);
	*link = e;
}

static struct fair_entity *line_without(struct fair_entity *t, struct fair_entity *e)
{
	if (t == e)
		return line_merge(e->left, e->right);
	if (line_before(e, t))
		t->left = line_without(t->left, e);
	else
		t->right = line_without(t->right, e);
	line_fix(t);
	return t;
}

static void line_remove(struct fair_queue *q, struct fair_entity *e)
{
	q->tree = line_without(q->tree, e);
	e->left = e->right = NULL;
}
