/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Members of map values and of allocated objects that the kernel keeps itself (kernel/bpf/helpers.c, 6.18: struct
 * btf_record): an update does not overwrite them, and what they own goes with them. Python finds them in the debug
 * information and calls rt_field() in the order of their offsets.
 */

#define MAX_FIELDS 64 /* adapters/sim/special_fields.py */

enum field_kind {
	FIELD_LOCK,
	FIELD_TIMER,
	FIELD_UNTRUSTED, /* a pointer that owns nothing */
	FIELD_OBJECT, /* a pointer to what bpf_obj_new() made */
	FIELD_MASK, /* to a bpf_cpumask */
	FIELD_KERNEL, /* to something else of the kernel's: a task, a cgroup */
	FIELD_LIST_HEAD,
	FIELD_LIST_NODE,
	FIELD_RB_ROOT,
	FIELD_RB_NODE,
	FIELD_REFCOUNT,
};

static const u8 field_sizes[] = { 4, 16, 8, 8, 8, 8, 16, 24, 16, 32, 4 };

struct record {
	u32 count;
	u32 refcount; /* 1 + its place in fields */
	struct field {
		u32 offset;
		u32 kind;
	} fields[MAX_FIELDS];
};

/* at: the variable of a map or of a type; what is kept of it begins with its record. */
void EXPORT(rt_field)(u64 at, u32 offset, u32 kind)
{
	struct record **kept = *(struct record ***)at, *r = *kept ?: (*kept = alloc(sizeof(*r)));

	if (r->count == MAX_FIELDS)
		return;
	r->fields[r->count++] = (struct field){ offset, kind };
	if (kind == FIELD_REFCOUNT)
		r->refcount = r->count;
}

/* copy_map_value() */
static void copy_value(const struct record *r, u8 *to, const u8 *from, u32 size)
{
	u32 at = 0;

	for (u32 i = 0; r && i < r->count; i++) {
		const struct field *f = &r->fields[i];

		memcpy(to + at, from + at, f->offset - at);
		at = f->offset + field_sizes[f->kind];
	}
	memcpy(to + at, from + at, size - at);
}

struct list;
struct tree;
static void drop_object(void *object);
static void drop_list(struct list *head);
static void drop_tree(struct tree *root);
static void timer_free(struct bpf_timer *timer);

static void free_field(u32 kind, void *at)
{
	void **pointer = at, *owned = *pointer;

	switch (kind) {
	case FIELD_TIMER: timer_free(at); return;
	case FIELD_LIST_HEAD: drop_list(at); return;
	case FIELD_RB_ROOT: drop_tree(at); return;
	case FIELD_OBJECT:
	case FIELD_MASK:
	case FIELD_KERNEL:
	case FIELD_UNTRUSTED: break;
	default: return;
	}
	*pointer = NULL;
	if (owned && kind == FIELD_OBJECT)
		drop_object(owned);
	else if (owned && kind == FIELD_MASK)
		bpf_cpumask_release(owned);
}

/* bpf_obj_free_fields() */
static void free_fields(const struct record *r, void *of)
{
	for (u32 i = 0; r && i < r->count; i++)
		free_field(r->fields[i].kind, of + r->fields[i].offset);
}

void *bpf_kptr_xchg(void *at, void *pointer)
{
	void **place = at, *before = *place;

	*place = pointer;
	return before;
}
