/* SPDX-License-Identifier: GPL-2.0-only */
/* CPU masks, in the policy's memory. */

#define WORDS (MAX_CPUS / 64)
#define MAX_MASKS 4096 /* bpf_cpumask_create(): at one time */

static u32 mask_words(void) { return (nr_cpus + 63) / 64; }

bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask *m)
{
	return cpu < nr_cpus && m->bits[cpu / 64] >> (cpu % 64) & 1;
}

void bpf_cpumask_set_cpu(u32 cpu, struct bpf_cpumask *m)
{
	if (cpu < nr_cpus)
		m->cpumask.bits[cpu / 64] |= 1UL << cpu % 64;
}

void bpf_cpumask_clear_cpu(u32 cpu, struct bpf_cpumask *m)
{
	if (cpu < nr_cpus)
		m->cpumask.bits[cpu / 64] &= ~(1UL << cpu % 64);
}

u32 bpf_cpumask_first(const struct cpumask *m)
{
	for (u32 w = 0; w < mask_words(); w++) {
		if (m->bits[w])
			return w * 64 + __builtin_ctzl(m->bits[w]);
	}
	return nr_cpus;
}

u32 bpf_cpumask_weight(const struct cpumask *m)
{
	u32 count = 0;

	for (u32 w = 0; w < mask_words(); w++)
		count += __builtin_popcountl(m->bits[w]);
	return count;
}

void bpf_cpumask_clear(struct bpf_cpumask *m)
{
	memset(&m->cpumask, 0, sizeof(m->cpumask));
}

void bpf_cpumask_setall(struct bpf_cpumask *m)
{
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		bpf_cpumask_set_cpu(cpu, m);
}

bool bpf_cpumask_empty(const struct cpumask *m) { return bpf_cpumask_first(m) >= nr_cpus; }

bool bpf_cpumask_and(struct bpf_cpumask *dst, const struct cpumask *a, const struct cpumask *b)
{
	u64 any = 0;

	for (u32 w = 0; w < mask_words(); w++)
		any |= dst->cpumask.bits[w] = a->bits[w] & b->bits[w];
	return any;
}

void bpf_cpumask_or(struct bpf_cpumask *dst, const struct cpumask *a, const struct cpumask *b)
{
	for (u32 w = 0; w < mask_words(); w++)
		dst->cpumask.bits[w] = a->bits[w] | b->bits[w];
}

bool bpf_cpumask_intersects(const struct cpumask *a, const struct cpumask *b)
{
	for (u32 w = 0; w < mask_words(); w++) {
		if (a->bits[w] & b->bits[w])
			return true;
	}
	return false;
}

bool bpf_cpumask_subset(const struct cpumask *a, const struct cpumask *b)
{
	for (u32 w = 0; w < mask_words(); w++) {
		if (a->bits[w] & ~b->bits[w])
			return false;
	}
	return true;
}

bool bpf_cpumask_test_and_set_cpu(u32 cpu, struct bpf_cpumask *m)
{
	bool was = bpf_cpumask_test_cpu(cpu, &m->cpumask);

	bpf_cpumask_set_cpu(cpu, m);
	return was;
}

bool bpf_cpumask_test_and_clear_cpu(u32 cpu, struct bpf_cpumask *m)
{
	bool was = bpf_cpumask_test_cpu(cpu, &m->cpumask);

	bpf_cpumask_clear_cpu(cpu, m);
	return was;
}

u32 bpf_cpumask_first_zero(const struct cpumask *m)
{
	u32 cpu = 0;

	while (cpu < nr_cpus && bpf_cpumask_test_cpu(cpu, m))
		cpu++;
	return cpu;
}

u32 bpf_cpumask_first_and(const struct cpumask *a, const struct cpumask *b)
{
	for (u32 w = 0; w < mask_words(); w++) {
		if (a->bits[w] & b->bits[w])
			return w * 64 + __builtin_ctzl(a->bits[w] & b->bits[w]);
	}
	return nr_cpus;
}

void bpf_cpumask_xor(struct bpf_cpumask *dst, const struct cpumask *a, const struct cpumask *b)
{
	for (u32 w = 0; w < mask_words(); w++)
		dst->cpumask.bits[w] = a->bits[w] ^ b->bits[w];
}

bool bpf_cpumask_equal(const struct cpumask *a, const struct cpumask *b)
{
	return bpf_cpumask_subset(a, b) && bpf_cpumask_subset(b, a);
}

bool bpf_cpumask_full(const struct cpumask *m) { return bpf_cpumask_first_zero(m) >= nr_cpus; }
void bpf_cpumask_copy(struct bpf_cpumask *dst, const struct cpumask *src) { dst->cpumask = *src; }

static struct bpf_cpumask *free_masks[MAX_MASKS];
static u32 nr_free_masks, nr_masks;

struct bpf_cpumask *bpf_cpumask_create(void)
{
	struct bpf_cpumask *m = NULL;

	if (nr_free_masks) {
		m = free_masks[--nr_free_masks];
	} else if (nr_masks < MAX_MASKS) {
		nr_masks++;
		m = alloc(sizeof(*m));
	}
	if (!m)
		return NULL;
	bpf_cpumask_clear(m);
	m->usage = 1;
	return m;
}

struct bpf_cpumask *bpf_cpumask_acquire(struct bpf_cpumask *m)
{
	m->usage++;
	return m;
}

void bpf_cpumask_release(struct bpf_cpumask *m)
{
	if (m->usage && !--m->usage && nr_free_masks < MAX_MASKS)
		free_masks[nr_free_masks++] = m;
}

/* What the engine says about CPUs, as a mask; each kind has one of its own. */
u64 IMPORT(cpus)(u32 which, u32 word, u32 of);

u32 IMPORT(may_see_idle)(s32 node);

static const struct cpumask *asked_mask(u32 which)
{
	static struct cpumask masks[3];

	for (u32 w = 0; w < mask_words(); w++)
		masks[which].bits[w] = __kf_cpus(which, w, 0);
	return &masks[which];
}

/* node -2: a kfunc that takes none. The kernel gives cpu_none_mask where it refuses. */
static const struct cpumask *idle_mask(u32 which, s32 node)
{
	static struct cpumask none, of_node[2];

	if (!__kf_may_see_idle(node))
		return &none;
	if (node == -2)
		return asked_mask(which);
	for (u32 w = 0; w < mask_words(); w++)
		of_node[which].bits[w] = __kf_cpus(which, w, 0) & __kf_cpus(4, w, node);
	return &of_node[which];
}

/* A copy of this moment: the kernel's changes while it is looked at. */
const struct cpumask *scx_bpf_get_idle_cpumask(void) { return idle_mask(0, -2); }
const struct cpumask *scx_bpf_get_idle_smtmask(void) { return idle_mask(1, -2); }
const struct cpumask *scx_bpf_get_idle_cpumask_node(int node) { return idle_mask(0, node == -2 ? 1 << 30 : node); }
const struct cpumask *scx_bpf_get_idle_smtmask_node(int node) { return idle_mask(1, node == -2 ? 1 << 30 : node); }
const struct cpumask *scx_bpf_get_online_cpumask(void) { return asked_mask(5); }
const struct cpumask *scx_bpf_get_possible_cpumask(void) { return asked_mask(2); }
void scx_bpf_put_idle_cpumask(const struct cpumask *m) {}
void scx_bpf_put_cpumask(const struct cpumask *m) {}
