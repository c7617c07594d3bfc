/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ring buffers (kernel/bpf/ringbuf.c, 6.18). Nobody reads them here: one fills up, and then refuses, as in a kernel whose
 * reader has gone. BPF_F_RB_OVERWRITE of 6.19 is not there. Which records are open stands in `used`, by their headers.
 */

#define HEADER 8UL
#define MAX_RECORD (~0U / 4)
#define RING_BUSY (1U << 31) /* BPF_RINGBUF_BUSY_BIT, _DISCARD_BIT */
#define RING_DISCARD (1U << 30)
enum { RECORD_OPEN = 1, RECORD_DONE = 2 };

static struct map *ring_of(void *map) { return storage_of(map, BPF_MAP_TYPE_RINGBUF); }

static void *ring_reserve(struct map *m, u64 size)
{
	u64 length = (size + HEADER + 7) & ~7UL;
	u32 at = m->count;

	if (size > MAX_RECORD || at + length >= m->max_entries) /* the last 8 bytes stay free */
		return NULL;
	m->count += length;
	m->used[at] = RECORD_OPEN;
	*(u32 *)(m->values + at) = size | RING_BUSY;
	return m->values + at + HEADER;
}

static void ring_commit(void *record, u32 flag)
{
	u64 header = (u64)record - HEADER;

	for (u32 i = 0; i < nr_maps; i++) {
		struct map *m = all_maps[i];
		u64 at = header - (u64)m->values;

		if (m->type != BPF_MAP_TYPE_RINGBUF || at >= m->max_entries || m->used[at] != RECORD_OPEN)
			continue;
		m->used[at] = RECORD_DONE;
		*(u32 *)header = (*(u32 *)header & ~RING_BUSY) | flag;
		return;
	}
	__kf_fault(FAULT_RECORD);
	__builtin_trap();
}

void *bpf_ringbuf_reserve(void *map, u64 size, u64 flags)
{
	struct map *m = ring_of(map);

	return flags ? NULL : ring_reserve(m, size);
}

void bpf_ringbuf_submit(void *record, u64 flags) { ring_commit(record, 0); }
void bpf_ringbuf_discard(void *record, u64 flags) { ring_commit(record, RING_DISCARD); }

long bpf_ringbuf_output(void *map, void *data, u64 size, u64 flags)
{
	struct map *m = ring_of(map);
	void *record;

	if (flags & ~(u64)(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP))
		return -EINVAL;
	record = ring_reserve(m, size);
	if (!record)
		return -EAGAIN;
	memcpy(record, data, size);
	ring_commit(record, 0);
	return 0;
}

u64 bpf_ringbuf_query(void *map, u64 flags)
{
	struct map *m = ring_of(map);

	switch (flags) {
	case BPF_RB_AVAIL_DATA: return m->count;
	case BPF_RB_RING_SIZE: return m->max_entries;
	case BPF_RB_CONS_POS: return 0;
	case BPF_RB_PROD_POS: return m->count;
	default: return 0;
	}
}
