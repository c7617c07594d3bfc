/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bpf_obj_new() and what goes with it (kernel/bpf/helpers.c, 6.18). Pages hold objects of one type each, so that any
 * address inside of an object tells which one it is: a kernel knows it from its verifier.
 */

#define MAX_TYPES 256
#define PAGES (1U << 14) /* 1 GiB: build.py */

struct object_type { /* the variable that bpf_core_type_id_local() makes holds its address */
	struct record *record;
	u32 stride;
	struct object *free, *fresh, *end;
};

struct object {
	u64 live; /* LIVE, or the next one that is free */
	u8 value[];
};

#define LIVE ~0ULL

static struct object_type *object_types[MAX_TYPES];
static u32 nr_object_types;
static u8 type_of_page[PAGES]; /* 1 + type */

/* 0, or the type is one too many. Called once for each variable. */
u32 EXPORT(rt_type)(u64 at, u32 size)
{
	struct object_type *t;

	if (nr_object_types == MAX_TYPES - 1)
		return 1;
	t = alloc(sizeof(*t));
	t->stride = sizeof(struct object) + ((size + 7) & ~7U);
	object_types[nr_object_types++] = t;
	*(struct object_type **)at = t;
	return 0;
}

static void *bad_object(void)
{
	__kf_fault(FAULT_OBJECT);
	__builtin_trap();
}

static struct object_type *type_of(const void *inside)
{
	u64 page = (u64)inside / PAGE;

	if (page >= PAGES || !type_of_page[page])
		return bad_object();
	return object_types[type_of_page[page] - 1];
}

/* The object that this is a part of. */
static struct object *object_of(const void *inside)
{
	const struct object_type *t = type_of(inside);
	struct object *o = (void *)((u64)inside - (u64)inside % PAGE % t->stride);

	return o->live == LIVE ? o : bad_object();
}

static void more_objects(struct object_type *t, u32 number)
{
	align_heap();
	t->fresh = alloc(PAGE);
	t->end = (void *)t->fresh + PAGE / t->stride * t->stride;
	type_of_page[(u64)t->fresh / PAGE] = number;
}

static u32 *refcount_of(const struct object_type *t, struct object *o)
{
	return t->record && t->record->refcount ?
		       (void *)o->value + t->record->fields[t->record->refcount - 1].offset : NULL;
}

/*
 * Only what the kernel keeps itself is made zero (bpf_obj_init()). The rest is what it was: zero at first, or what the
 * last object there left behind.
 */
static void *new_object(u64 type)
{
	struct object_type *t = NULL;
	struct object *o;
	u32 number = 0;

	while (number < nr_object_types && t != *(struct object_type **)type)
		t = object_types[number++];
	if (!t) {
		__kf_missing(MISSING_TYPE);
		__builtin_trap();
	}
	if (!t->free && t->fresh == t->end)
		more_objects(t, number);
	o = t->free ?: t->fresh;
	if (t->free)
		t->free = (void *)o->live;
	else
		t->fresh = (void *)o + t->stride;
	o->live = LIVE;
	for (u32 i = 0; t->record && i < t->record->count; i++)
		memset(o->value + t->record->fields[i].offset, 0, field_sizes[t->record->fields[i].kind]);
	if (refcount_of(t, o))
		*refcount_of(t, o) = 1;
	return o->value;
}

/* __bpf_obj_drop_impl(): inside is a part of it. */
static void drop_object(void *inside)
{
	struct object_type *t = type_of(inside);
	struct object *o = object_of(inside);
	u32 *count = refcount_of(t, o);

	if (count && --*count)
		return;
	o->live = 0;
	free_fields(t->record, o->value);
	o->live = (u64)t->free;
	t->free = o;
}

static void *acquire_object(void *inside)
{
	u32 *count = refcount_of(type_of(inside), object_of(inside));

	if (!count)
		return bad_object();
	++*count;
	return inside;
}

void *bpf_obj_new_impl(u64 type, void *meta) { return new_object(type); }
void bpf_obj_drop_impl(void *object, void *meta) { drop_object(object); }
void *bpf_refcount_acquire_impl(void *object, void *meta) { return acquire_object(object); }

/* 7.x: what the verifier adds is no argument any more. */
void *bpf_obj_new(u64 type) { return new_object(type); }
void bpf_obj_drop(void *object) { drop_object(object); }
void *bpf_refcount_acquire(void *object) { return acquire_object(object); }
