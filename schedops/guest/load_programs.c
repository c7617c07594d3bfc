/* How often the struct_ops programs ran during a load, and how long a run took, by the kernel's own count.
 *
 * The mean is that of the quietest stretch: a host that takes the CPU away in the middle of a run makes runs longer,
 * and nothing makes them shorter. Only the later half of the load counts: a policy may become slow with time. */
#define _GNU_SOURCE
#include "load.h"

#include <bpf/bpf.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PROGRAMS = 128, STRETCH_RUNS = 100, STRETCHES = 512 };

struct count {
	uint64_t runs, ns;
};

static struct program {
	int handle;
	char name[PROGRAM_NAME];
	struct count first, mark, last;
	uint64_t stretch_ps[STRETCHES]; /* per run, the last so many */
	unsigned stretches;
} program[MAX_PROGRAMS];
static unsigned programs;
static int stats = -1; /* the kernel counts as long as this is open */

static struct count count_of(int handle)
{
	struct bpf_prog_info info = {0};
	unsigned size = sizeof info;
	bpf_obj_get_info_by_fd(handle, &info, &size);
	return (struct count){info.run_cnt, info.run_time_ns};
}

static void add(int handle)
{
	struct bpf_prog_info info = {0};
	unsigned size = sizeof info;
	struct program *p = &program[programs];
	if (bpf_obj_get_info_by_fd(handle, &info, &size) || info.type != BPF_PROG_TYPE_STRUCT_OPS) {
		close(handle);
		return;
	}
	p->handle = handle;
	memcpy(p->name, info.name, sizeof p->name - 1);
	p->first = p->mark = p->last = (struct count){info.run_cnt, info.run_time_ns};
	programs++;
}

void programs_begin(void)
{
	unsigned id = 0;
	if (!load->program_stats && !load->until_runs)
		return;
	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	while (programs < MAX_PROGRAMS && !bpf_prog_get_next_id(id, &id)) {
		int handle = bpf_prog_get_fd_by_id(id);
		if (handle >= 0)
			add(handle);
	}
}

static uint64_t ps_per_run(struct count from, struct count to)
{
	return to.runs > from.runs ? (to.ns - from.ns) * 1000 / (to.runs - from.runs) : 0;
}

void programs_sample(void)
{
	for (struct program *p = program; p < program + programs; p++) {
		p->last = count_of(p->handle);
		if (p->last.runs - p->mark.runs < STRETCH_RUNS)
			continue;
		p->stretch_ps[p->stretches++ % STRETCHES] = ps_per_run(p->mark, p->last);
		p->mark = p->last;
	}
}

static uint64_t quietest_ps(const struct program *p)
{
	unsigned from = p->stretches / 2;
	uint64_t best = ps_per_run(p->first, p->last);
	if (p->stretches - from > STRETCHES)
		from = p->stretches - STRETCHES;
	for (unsigned i = from; i < p->stretches; i++)
		if (p->stretch_ps[i % STRETCHES] < best || i == from)
			best = p->stretch_ps[i % STRETCHES];
	return best;
}

uint64_t programs_runs(const char *name)
{
	uint64_t runs = 0;
	for (struct program *p = program; p < program + programs; p++)
		if (!strcmp(p->name, name))
			runs += count_of(p->handle).runs - p->first.runs;
	return runs;
}

/* "program <name> <runs> <picoseconds per run>" */
void programs_reply(void)
{
	for (struct program *p = program; p < program + programs && load->program_stats; p++)
		reply_add("program %s %lu %lu\n", p->name, p->last.runs - p->first.runs,
			  quietest_ps(p));
}

void programs_end(void)
{
	while (programs)
		close(program[--programs].handle);
	if (stats >= 0)
		close(stats);
}
