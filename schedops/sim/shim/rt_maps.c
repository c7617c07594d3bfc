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
	case BPF_MAP_TYPE_PERCPU_HASH: copies = nr_cpus; /* fall through */
	case BPF_MAP_TYPE_HASH:
		m->slots = entries = slots_for(max_entries);
		m->keys = alloc((u64)entries * key_size);
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

/* The slot of a key, or of the place where it would go; -1: full. */
static s64 hash_slot(struct map *m, const void *key, int to_add)
{
	u64 hash = 14695981039346656037ULL;
	s64 gap = -1;

	for (u32 i = 0; i < m->key_size; i++)
		hash = (hash ^ ((const u8 *)key)[i]) * 1099511628211ULL;
	hash ^= hash >> 32;
	for (u32 i = 0; i < m->slots; i++) {
		u32 slot = (hash + i) & (m->slots - 1);

		if (m->used[slot] == 1 && !memcmp(m->keys + (u64)slot * m->key_size, key, m->key_size))
			return slot;
		if (m->used[slot] != 1 && gap < 0)
			gap = slot;
		if (!m->used[slot])
			break;
	}
	return to_add ? gap : -1;
}

static u32 copies_of(const struct map *m)
{
	return m->type == BPF_MAP_TYPE_PERCPU_ARRAY || m->type == BPF_MAP_TYPE_PERCPU_HASH ? nr_cpus : 1;
}

static u64 value_index(struct map *m, u64 entry, u32 cpu)
{
	u32 copies = copies_of(m);

	return copies > 1 ? entry * copies + cpu : entry;
}

s32 IMPORT(this_cpu)(void);

void *bpf_map_lookup_percpu_elem(void *map, const void *key, u32 cpu)
{
	struct map *m = map_of(map);
	s64 entry = m->slots ? hash_slot(m, key, 0) : *(const u32 *)key;

	if (entry < 0 || (!m->slots && entry >= m->max_entries) || cpu >= nr_cpus)
		return NULL;
	if (__builtin_expect(m->type == BPF_MAP_TYPE_ARRAY_OF_MAPS, 0))
		return *(void **)(m->values + entry * m->stride);
	return m->values + value_index(m, entry, cpu) * m->stride;
}

void *bpf_map_lookup_elem(void *map, const void *key)
{
	return bpf_map_lookup_percpu_elem(map, key, __kf_this_cpu());
}

long bpf_map_update_elem(void *map, const void *key, const void *value, u64 flags)
{
	struct map *m = map_of(map);
	s64 entry = m->slots ? hash_slot(m, key, 1) : *(const u32 *)key;
	u8 *at;

	if (entry < 0 || (!m->slots && entry >= m->max_entries))
		return -E2BIG;
	if (m->slots && m->used[entry] == 1 && flags == BPF_NOEXIST)
		return -EEXIST;
	if (m->slots && m->used[entry] != 1) {
		if (flags == BPF_EXIST)
			return -ENOENT;
		if (m->count == m->max_entries)
			return -E2BIG;
		m->count++;
		m->used[entry] = 1;
		memcpy(m->keys + entry * m->key_size, key, m->key_size);
		memset(m->values + value_index(m, entry, 0) * m->stride, 0, copies_of(m) * m->stride);
	}
	at = m->values + value_index(m, entry, __kf_this_cpu()) * m->stride;
	copy_value(m->record, at, value, m->value_size);
	free_fields(m->record, at);
	return 0;
}

long bpf_map_delete_elem(void *map, const void *key)
{
	struct map *m = map_of(map);
	s64 entry = m->slots ? hash_slot(m, key, 0) : -1;

	if (!m->slots)
		return -EINVAL;
	if (entry < 0)
		return -ENOENT;
	m->used[entry] = 2;
	m->count--;
	for (u32 i = 0; i < copies_of(m); i++)
		free_fields(m->record, m->values + (value_index(m, entry, 0) + i) * m->stride);
	return 0;
}

long bpf_map_push_elem(void *map, const void *value, u64 flags)
{
	struct map *m = map_of(map);

	if (m->count == m->max_entries) {
		if (flags != BPF_EXIST)
			return -E2BIG;
		m->read++; /* the oldest makes room */
		m->count--;
	}
	memcpy(m->values + (m->read + m->count++) % m->max_entries * m->stride, value, m->value_size);
	return 0;
}

long bpf_map_peek_elem(void *map, void *value)
{
	struct map *m = map_of(map);
	u32 at = m->type == BPF_MAP_TYPE_STACK ? m->read + m->count - 1 : m->read;

	if (!m->count)
		return -ENOENT;
	memcpy(value, m->values + at % m->max_entries * m->stride, m->value_size);
	return 0;
}

long bpf_map_pop_elem(void *map, void *value)
{
	struct map *m = map_of(map);
	long err = bpf_map_peek_elem(map, value);

	if (err)
		return err;
	m->count--;
	m->read += m->type != BPF_MAP_TYPE_STACK;
	return 0;
}
