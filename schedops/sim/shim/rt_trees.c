/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Red-black trees of objects (kernel/bpf/helpers.c, 6.18). bpf_rbtree_root() and its companions show the shape, which
 * is that of the kernel's (lib/rbtree.c): the ways to mend a tree are those of Cormen, Leiserson, Rivest and Stein, and
 * a node with two children gives way to the next one.
 */

#define RED 1UL

struct tree_node {
	u64 up; /* the node above, and RED */
	struct tree_node *side[2]; /* what is less, and the rest */
	struct tree *owner;
};

struct tree {
	struct tree_node *top, *first;
};

typedef bool less_t(struct bpf_rb_node *a, const struct bpf_rb_node *b);

static struct tree_node *above(const struct tree_node *n) { return (void *)(n->up & ~RED); }
static bool is_red(const struct tree_node *n) { return n && n->up & RED; }
static void paint(struct tree_node *n, u64 color) { n->up = (n->up & ~RED) | color; }

static void set_above(struct tree_node *n, struct tree_node *up)
{
	if (n)
		n->up = (u64)up | (n->up & RED);
}

/* In place of old, which hangs below up. */
static void hang(struct tree *t, struct tree_node *up, const struct tree_node *old, struct tree_node *node)
{
	if (up)
		up->side[up->side[1] == old] = node;
	else
		t->top = node;
	set_above(node, up);
}

/* n goes down, to this side; its child on the other one takes its place. */
static void rotate(struct tree *t, struct tree_node *n, u32 side)
{
	struct tree_node *child = n->side[!side];

	n->side[!side] = child->side[side];
	set_above(child->side[side], n);
	hang(t, above(n), n, child);
	child->side[side] = n;
	set_above(n, child);
}

static void mend_red(struct tree *t, struct tree_node *n)
{
	for (struct tree_node *up = above(n); is_red(up); up = above(n)) {
		struct tree_node *top = above(up);
		u32 side = top->side[1] == up;

		if (is_red(top->side[!side])) {
			paint(top->side[!side], 0);
			paint(up, 0);
			paint(top, RED);
			n = top;
			continue;
		}
		if (up->side[!side] == n) {
			rotate(t, up, side);
			up = n;
		}
		paint(up, 0);
		paint(top, RED);
		rotate(t, top, !side);
		break;
	}
	paint(t->top, 0);
}

/* Paths through n, below up, have one black node too few. */
static void mend_black(struct tree *t, struct tree_node *up)
{
	struct tree_node *n = NULL, *other;

	for (; up && !is_red(n); n = up, up = above(n)) {
		u32 side = up->side[1] == n;

		other = up->side[!side];
		if (is_red(other)) {
			paint(other, 0);
			paint(up, RED);
			rotate(t, up, side);
			other = up->side[!side];
		}
		if (!is_red(other->side[0]) && !is_red(other->side[1])) {
			paint(other, RED);
			continue;
		}
		if (!is_red(other->side[!side])) {
			paint(other->side[side], 0);
			paint(other, RED);
			rotate(t, other, !side);
			other = up->side[!side];
		}
		paint(other, up->up & RED);
		paint(up, 0);
		paint(other->side[!side], 0);
		rotate(t, up, side);
		return;
	}
	if (n)
		paint(n, 0);
}

static struct tree_node *leftmost(struct tree_node *n)
{
	while (n && n->side[0])
		n = n->side[0];
	return n;
}

/* n has two children: the next one, which comes out of the tree in its place, takes its place and color. */
static void give_way(struct tree *t, struct tree_node *n)
{
	struct tree_node *next = leftmost(n->side[1]), *up = above(next), *child = next->side[1];
	u64 color = next->up & RED;

	if (up == n) {
		up = next;
	} else {
		hang(t, up, next, child);
		next->side[1] = n->side[1];
		set_above(next->side[1], next);
	}
	next->side[0] = n->side[0];
	set_above(next->side[0], next);
	hang(t, above(n), n, next);
	paint(next, n->up & RED);
	if (child)
		paint(child, 0);
	else if (!color)
		mend_black(t, up);
}

static void tree_take(struct tree *t, struct tree_node *n)
{
	struct tree_node *up = above(n), *child = n->side[0] ?: n->side[1];

	if (t->first == n)
		t->first = leftmost(n->side[1]) ?: up;
	n->owner = NULL;
	if (n->side[0] && n->side[1]) {
		give_way(t, n);
		return;
	}
	hang(t, up, n, child);
	if (child)
		paint(child, 0);
	else if (!(n->up & RED))
		mend_black(t, up);
}

static void drop_tree(struct tree *t)
{
	while (t->top) {
		struct tree_node *n = t->top;

		tree_take(t, n);
		drop_object(n);
	}
}

/* __bpf_rbtree_add(): equal ones in the order in which they came */
static int tree_add(struct tree *t, struct tree_node *n, less_t *less)
{
	struct tree_node *up = NULL, **place = &t->top;
	bool first = true;

	if (n->owner) {
		drop_object(n);
		return -EINVAL;
	}
	object_of(n);
	while (*place) {
		bool is_less = less((void *)n, (void *)(up = *place));

		place = &up->side[!is_less];
		first &= is_less;
	}
	*n = (struct tree_node){ (u64)up | RED, { NULL, NULL }, t };
	*place = n;
	if (first)
		t->first = n;
	mend_red(t, n);
	return 0;
}

int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node, less_t *less, void *meta, u64 off)
{
	return tree_add((void *)root, (void *)node, less);
}

/* 7.x */
int bpf_rbtree_add(struct bpf_rb_root *root, struct bpf_rb_node *node, less_t *less)
{
	return tree_add((void *)root, (void *)node, less);
}

struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root, struct bpf_rb_node *node)
{
	struct tree_node *n = (void *)node;

	if (n->owner != (void *)root)
		return NULL;
	tree_take((void *)root, n);
	return node;
}

struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root) { return (void *)((struct tree *)root)->first; }
struct bpf_rb_node *bpf_rbtree_root(struct bpf_rb_root *root) { return (void *)((struct tree *)root)->top; }

static struct bpf_rb_node *beside(void *root, struct bpf_rb_node *node, u32 side)
{
	struct tree_node *n = (void *)node;

	return n->owner == root ? (void *)n->side[side] : NULL;
}

struct bpf_rb_node *bpf_rbtree_left(struct bpf_rb_root *root, struct bpf_rb_node *node) { return beside(root, node, 0); }
struct bpf_rb_node *bpf_rbtree_right(struct bpf_rb_root *root, struct bpf_rb_node *node) { return beside(root, node, 1); }
