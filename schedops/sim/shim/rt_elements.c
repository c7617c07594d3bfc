/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Elements of arrays, hashes, queues and stacks. A full LRU hash evicts the element whose last lookup or update is the
 * longest ago. The kernel's (kernel/bpf/bpf_lru_list.c, 6.18) only comes near to that: it looks at reference bits in
 * batches, and free elements wait on lists of single CPUs, so that it also evicts before the map is full.
 */

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
	switch (m->type) {
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH: return nr_cpus;
	default: return 1;
	}
}

static u64 value_index(struct map *m, u64 entry, u32 cpu)
{
	u32 copies = copies_of(m);

	return copies > 1 ? entry * copies + cpu : entry;
}

static void unlink_use(struct map *m, u32 slot)
{
	struct use *use = &m->uses[slot];

	m->uses[use->next].prev = use->prev;
	m->uses[use->prev].next = use->next;
}

static void link_use(struct map *m, u32 slot)
{
	struct use *ends = &m->uses[m->slots];

	m->uses[slot] = (struct use){ ends->next, m->slots };
	m->uses[ends->next].prev = slot;
	ends->next = slot;
}

static void used_now(struct map *m, u32 slot)
{
	unlink_use(m, slot);
	link_use(m, slot);
}

static void hash_add(struct map *m, u64 slot, const void *key)
{
	m->count++;
	m->used[slot] = 1;
	memcpy(m->keys + slot * m->key_size, key, m->key_size);
	memset(m->values + value_index(m, slot, 0) * m->stride, 0, copies_of(m) * m->stride);
	if (m->uses)
		link_use(m, slot);
}

static void hash_remove(struct map *m, u64 slot)
{
	u32 last = m->slots - 1;

	if (m->uses)
		unlink_use(m, slot);
	m->count--;
	m->used[slot] = 2;
	for (u32 i = 0; i < copies_of(m); i++)
		free_fields(m->record, m->values + (value_index(m, slot, 0) + i) * m->stride);
	if (m->used[(slot + 1) & last])
		return;
	for (; m->used[slot] == 2; slot = (slot - 1) & last) /* no search goes on behind these, or all would become long */
		m->used[slot] = 0;
}

s32 IMPORT(this_cpu)(void);

void *bpf_map_lookup_percpu_elem(void *map, const void *key, u32 cpu)
{
	struct map *m = map_of(map);
	s64 entry = m->slots ? hash_slot(m, key, 0) : *(const u32 *)key;

	if (entry < 0 || (!m->slots && entry >= m->max_entries) || cpu >= nr_cpus)
		return NULL;
	if (m->uses)
		used_now(m, entry);
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
	if (m->slots && m->used[entry] == 1) {
		if (flags == BPF_NOEXIST)
			return -EEXIST;
		if (m->uses)
			used_now(m, entry);
	} else if (m->slots) {
		if (flags == BPF_EXIST)
			return -ENOENT;
		if (m->count == m->max_entries) {
			if (!m->uses)
				return -E2BIG;
			hash_remove(m, m->uses[m->slots].prev);
			entry = hash_slot(m, key, 1);
		}
		hash_add(m, entry, key);
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
	hash_remove(m, entry);
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
