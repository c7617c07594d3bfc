/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BPF arenas (kernel/bpf/arena.c, 6.16): pages that are there when they were asked for, in memory like any other. What a
 * kernel does with an address that is not there (it reads as 0), and when it ends a loop with can_loop, is not done:
 * such a run ends inconclusive (ends.py).
 */

static struct map *arena_of(void *map) { return storage_of(map, BPF_MAP_TYPE_ARENA); }

/* The first of so many pages beside each other, or where there would have been room for more. */
static u32 free_pages(const struct map *m, u32 count)
{
	u32 first = 0;

	for (u32 page = 0; page < ARENA_PAGES && page - first < count; page++) {
		if (m->used[page])
			first = page + 1;
	}
	return first;
}

void *bpf_arena_alloc_pages(void *map, void *at, u32 count, int node, u64 flags)
{
	struct map *m = arena_of(map);
	u32 first;

	if (at) {
		__kf_missing(MISSING_ARENA_AT);
		return NULL;
	}
	if (flags || !count || count > m->max_entries)
		return NULL;
	first = free_pages(m, count);
	if (first + (u64)count > m->max_entries)
		return NULL;
	if (first + (u64)count > ARENA_PAGES) {
		__kf_missing(MISSING_ARENA_PAGES);
		return NULL;
	}
	memset(m->used + first, 1, count);
	return m->values + first * ARENA_PAGE;
}

void bpf_arena_free_pages(void *map, void *at, u32 count)
{
	struct map *m = arena_of(map);
	u64 first = ((u64)at - (u64)m->values) / ARENA_PAGE;

	if ((u64)at % ARENA_PAGE || first >= ARENA_PAGES || count > ARENA_PAGES - first)
		return;
	memset(m->used + first, 0, count);
	memset(m->values + first * ARENA_PAGE, 0, count * ARENA_PAGE);
}
