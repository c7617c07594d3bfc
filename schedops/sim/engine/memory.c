/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that lasts as long as the run, and the state that everybody sees. */
#include "engine.h"

#define PAGE 65536ULL

struct machine machine;
struct cpu *cpus;
struct task *tasks;
u32 nr_tasks;
struct cgroup *cgroups;
u32 nr_cgroups;
const struct sched_class *sched;
struct mask all_cpus, online_cpus;
s32 this_cpu;
u64 clock_ns;
u8 stopped, in_policy, go_on, ejected;
u32 tasks_left;
u64 sched_watchdog_ns;

extern u8 __heap_base;
static u64 heap_used;

/* WebAssembly hands out zeroed pages, and nothing is ever given back. */
void *alloc(u64 bytes)
{
	u64 start = (heap_used ? heap_used : (u64)&__heap_base) + 63 & ~63ULL;
	u64 have = __builtin_wasm_memory_size(0) * PAGE;

	heap_used = start + bytes;
	if (heap_used > have && __builtin_wasm_memory_grow(0, (heap_used - have + PAGE - 1) / PAGE) == (u64)-1)
		__builtin_trap();
	return (void *)start;
}

/* Room for what Python writes (the plan) and reads (the trace). */
u64 EXPORT(room)(u64 bytes)
{
	return (u64)alloc(bytes);
}

/* splitmix64 (Steele, Lea and Flood 2014): any state is a good one. */
u64 random_next(u64 *state)
{
	u64 z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

void *memset(void *to, int value, unsigned long n)
{
	u8 *bytes = to;

	while (n--)
		*bytes++ = value;
	return to;
}

void *memcpy(void *to, const void *from, unsigned long n)
{
	u8 *out = to;
	const u8 *in = from;

	while (n--)
		*out++ = *in++;
	return to;
}
