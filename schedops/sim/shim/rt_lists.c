/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists of objects (kernel/bpf/helpers.c, 6.18; what 7.x added is marked). A node knows the list that it is in; one that
 * is in a list already is dropped and not added.
 */

struct list_node {
	struct list_node *next, *before;
	struct list *owner;
};

struct list { /* of zeroes: never used */
	struct list_node *first, *last; /* the list itself stands for the end, as a node */
};

static struct list_node *list_end(struct list *l)
{
	struct list_node *end = (void *)l;

	if (!l->first)
		l->first = l->last = end;
	return end;
}

/* __bpf_list_add() */
static int list_add(struct list *l, struct list_node *node, struct list_node *before)
{
	if (node->owner) {
		drop_object(node);
		return -EINVAL;
	}
	object_of(node);
	node->before = before;
	node->next = before->next;
	before->next->before = node;
	before->next = node;
	node->owner = l;
	return 0;
}

/* __bpf_list_del() */
static struct bpf_list_node *list_take(struct list *l, struct list_node *node)
{
	if (node == list_end(l) || node->owner != l)
		return NULL;
	node->before->next = node->next;
	node->next->before = node->before;
	node->owner = NULL;
	return (void *)node;
}

static void drop_list(struct list *l)
{
	struct list_node *end = list_end(l);

	for (struct list_node *node = l->first; node != end; node = l->first) {
		if (!list_take(l, node))
			bad_object();
		drop_object(node);
	}
}

static int push_front(void *head, void *node) { return list_add(head, node, list_end(head)); }

static int push_back(struct list *l, void *node)
{
	list_end(l);
	return list_add(l, node, l->last);
}

int bpf_list_push_front_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta, u64 off)
{
	return push_front(head, node);
}

int bpf_list_push_back_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta, u64 off)
{
	return push_back((void *)head, node);
}

struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head)
{
	struct list *l = (void *)head;

	list_end(l);
	return list_take(l, l->first);
}

struct bpf_list_node *bpf_list_pop_back(struct bpf_list_head *head)
{
	struct list *l = (void *)head;

	list_end(l);
	return list_take(l, l->last);
}

bool bpf_list_empty(struct bpf_list_head *head) /* 7.2 */
{
	struct list_node *end = list_end((void *)head);

	return ((struct list *)head)->first == end;
}

struct bpf_list_node *bpf_list_front(struct bpf_list_head *head)
{
	return bpf_list_empty(head) ? NULL : (void *)((struct list *)head)->first;
}

struct bpf_list_node *bpf_list_back(struct bpf_list_head *head)
{
	return bpf_list_empty(head) ? NULL : (void *)((struct list *)head)->last;
}

/* 7.x */
int bpf_list_push_front(struct bpf_list_head *head, struct bpf_list_node *node) { return push_front(head, node); }
int bpf_list_push_back(struct bpf_list_head *head, struct bpf_list_node *node) { return push_back((void *)head, node); }

int bpf_list_add(struct bpf_list_head *head, struct bpf_list_node *node, struct bpf_list_node *before)
{
	struct list_node *n = (void *)before;

	list_end((void *)head);
	if (n->owner == (void *)head)
		return list_add((void *)head, (void *)node, n);
	drop_object(node);
	return -EINVAL;
}

struct bpf_list_node *bpf_list_del(struct bpf_list_head *head, struct bpf_list_node *node)
{
	return list_take((void *)head, (void *)node);
}

bool bpf_list_is_first(struct bpf_list_head *head, struct bpf_list_node *node)
{
	return ((struct list_node *)node)->owner == (void *)head && bpf_list_front(head) == node;
}

bool bpf_list_is_last(struct bpf_list_head *head, struct bpf_list_node *node)
{
	return ((struct list_node *)node)->owner == (void *)head && bpf_list_back(head) == node;
}
