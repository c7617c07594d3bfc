/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BPF maps. Python reads a map's definition from the debug information and calls rt_map(); the map variable, which
 * holds nothing otherwise, then holds the address of what is kept here.
 */

struct map {
	struct record *record; /* first: rt_field() */
	u32 type, key_size, value_size, max_entries;
	u64 stride; /* of a value */
	u8 *values;
	u8 *keys; /* of a hash */
	u8 *used; /* one byte an entry; of a hash 1 used, 2 deleted */
	u32 slots, count;
	u32 read; /* of a queue */
	struct use *uses; /* of an LRU hash, one a slot and one for both ends */
};

/* Slots from the one that was used last (next of the ends) to the one that is evicted first (prev of the ends). */
struct use {
	u32 next, prev;
};

#define MAX_MAPS 64
#define ARENA_PAGE 4096UL
#define ARENA_PAGES (1U << 16)
static struct map *all_maps[MAX_MAPS];
static u32 nr_maps;

static u32 slots_for(u32 entries)
{
	u32 slots = 8;

	while (slots < entries * 2ULL && slots < 1U << 31)
		slots *= 2;
	return slots;
}

/* 0 for a map of a type that there is, else the type. */
u32 EXPORT(rt_map)(u64 at, u32 type, u32 key_size, u32 value_size, u32 max_entries)
{
	struct map *m = alloc(sizeof(*m));
	u32 entries = max_entries, copies = 1;

	*m = (struct map){ NULL, type, key_size, value_size, max_entries, (value_size + 7UL) & ~7UL };
	switch (type) {
	case BPF_MAP_TYPE_PERCPU_ARRAY: copies = nr_cpus; break;
	case BPF_MAP_TYPE_ARENA:
		entries = ARENA_PAGES;
		m->stride = ARENA_PAGE;
		align_heap();
		break;
	case BPF_MAP_TYPE_ARRAY_OF_MAPS: entries = 0; break; /* the inner ones' addresses are in the variable itself */
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK: break;
	case BPF_MAP_TYPE_RINGBUF: m->stride = 1; break;
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH: copies = nr_cpus; /* fall through */
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_HASH:
		m->slots = entries = slots_for(max_entries);
		m->keys = alloc((u64)entries * key_size);
		if (type == BPF_MAP_TYPE_LRU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH) {
			m->uses = alloc((entries + 1ULL) * sizeof(struct use));
			m->uses[entries] = (struct use){ entries, entries };
		}
		break;
	case BPF_MAP_TYPE_TASK_STORAGE: entries = nr_mirrors; break;
	case BPF_MAP_TYPE_CGRP_STORAGE: entries = nr_cgroups; break;
	default: return type;
	}
	if (nr_maps == MAX_MAPS)
		return type;
	m->values = alloc((u64)entries * copies * m->stride);
	if (type == BPF_MAP_TYPE_ARRAY_OF_MAPS) {
		m->values = (u8 *)at + value_size; /* where */
		m->stride = sizeof(void *);
	}
	m->used = alloc(entries);
	all_maps[nr_maps++] = m;
	*(struct map **)at = m;
	return 0;
}

static FAST struct map *map_of(void *map)
{
	struct map *m = *(struct map **)map;

	if (__builtin_expect(!m, 0)) {
		__kf_fault(FAULT_MAP);
		__builtin_trap();
	}
	return m;
}

static FAST struct map *storage_of(void *map, u32 type)
{
	struct map *m = map_of(map);

	if (__builtin_expect(m->type != type, 0)) {
		__kf_fault(FAULT_MAP);
		__builtin_trap();
	}
	return m;
}

static FAST void *storage_get(struct map *m, u32 index, void *value, u64 flags)
{
	void *at = m->values + index * m->stride;

	if (m->used[index])
		return at;
	if (!(flags & BPF_LOCAL_STORAGE_GET_F_CREATE))
		return NULL;
	m->used[index] = 1;
	memset(at, 0, m->value_size);
	if (value)
		copy_value(m->record, at, value, m->value_size);
	return at;
}

static long storage_delete(struct map *m, u32 index)
{
	if (!m->used[index])
		return -ENOENT;
	m->used[index] = 0;
	free_fields(m->record, m->values + index * m->stride);
	return 0;
}

void *bpf_task_storage_get(void *map, struct task_struct *p, void *value, u64 flags)
{
	return p ? storage_get(storage_of(map, BPF_MAP_TYPE_TASK_STORAGE), task_index(p), value, flags) : NULL;
}

long bpf_task_storage_delete(void *map, struct task_struct *p)
{
	return storage_delete(storage_of(map, BPF_MAP_TYPE_TASK_STORAGE), task_index(p));
}

void *bpf_cgrp_storage_get(void *map, struct cgroup *g, void *value, u64 flags)
{
	return g ? storage_get(storage_of(map, BPF_MAP_TYPE_CGRP_STORAGE), cgroup_index(g), value, flags) : NULL;
}

long bpf_cgrp_storage_delete(void *map, struct cgroup *g)
{
	return storage_delete(storage_of(map, BPF_MAP_TYPE_CGRP_STORAGE), cgroup_index(g));
}

/* The task is gone, and with it what was stored for it. */
void EXPORT(rt_forget)(u32 task)
{
	for (u32 i = 0; i < nr_maps; i++) {
		if (all_maps[i]->type == BPF_MAP_TYPE_TASK_STORAGE)
			storage_delete(all_maps[i], task);
	}
}

static void *hints;

/* Address of the policy's `hints` map, if it has one. */
void EXPORT(rt_hints)(u64 map) { hints = (void *)map; }

void EXPORT(rt_hint)(u32 task, u64 ns)
{
	if (hints)
		*(u64 *)storage_get(map_of(hints), task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE) = ns;
}
