/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan and the machine out of the words that Python wrote (schedops/adapters/sim/encode.py), and the results. */
#include "engine.h"
#include "sched_class.h"

#define FIRST_PID 1000

static const s64 *input;
static u64 end_ns;
static u64 task_results, cpu_results;

static s64 next_word(void)
{
	return *input++;
}

static void read_cpus(void)
{
	machine.nr_cpus = next_word();
	cpus = alloc(machine.nr_cpus * sizeof(*cpus));
	for (u32 i = 0; i < machine.nr_cpus; i++) {
		struct cpu *c = &cpus[i];

		*c = (struct cpu){ .id = i, .frequency = machine.freq_floor, .next_sibling = c };
		mask_set(&all_cpus, i);
		c->core = next_word();
		c->llc = next_word();
		c->node = next_word();
		c->capacity = next_word();
		machine.nr_llcs = c->llc >= (s32)machine.nr_llcs ? c->llc + 1 : machine.nr_llcs;
		machine.nr_nodes = c->node >= (s32)machine.nr_nodes ? c->node + 1 : machine.nr_nodes;
		for (u32 other = 0; other < i; other++) {
			if (cpus[other].core != c->core)
				continue;
			machine.has_smt = 1;
			c->next_sibling = cpus[other].next_sibling;
			cpus[other].next_sibling = c;
			break;
		}
	}
}

static void read_machine(void)
{
	machine.tick_ns = next_word();
	machine.switch_ns = next_word();
	for (u32 i = 0; i < 3; i++)
		machine.migrate_ns[i] = next_word();
	machine.smt_capacity = next_word();
	machine.freq_floor = next_word();
	machine.ramp_ns = next_word();
	machine.decay_ns = next_word();
	machine.nr_idle_states = next_word();
	for (u32 i = 0; i < machine.nr_idle_states; i++) {
		machine.idle_after[i] = next_word();
		machine.idle_exit[i] = next_word();
	}
	read_cpus();
}

static void read_cgroups(void)
{
	nr_cgroups = next_word();
	cgroups = alloc(nr_cgroups * sizeof(*cgroups));
	for (u32 i = 0; i < nr_cgroups; i++) {
		struct cgroup *g = &cgroups[i];

		g->parent = next_word();
		g->weight = next_word();
		g->level = g->parent < 0 ? 0 : cgroups[g->parent].level + 1;
	}
}

static void read_tables(void)
{
	u64 count = next_word();

	tables = alloc(count * sizeof(*tables));
	for (u64 i = 0; i < count; i++) {
		tables[i].length = next_word();
		tables[i].values = input;
		input += tables[i].length;
	}
}

static void read_cpusets(void)
{
	u32 count = next_word();

	cpusets = alloc(count * sizeof(*cpusets));
	cpuset_sizes = alloc(count * sizeof(*cpuset_sizes));
	for (u32 i = 0; i < count; i++) {
		for (u32 w = 0; w < MASK_WORDS; w++) {
			cpusets[i].w[w] = next_word();
			cpuset_sizes[i] += __builtin_popcountll(cpusets[i].w[w]);
		}
	}
}

static void read_syncs(void)
{
	nr_syncs = next_word();
	syncs = alloc(nr_syncs * sizeof(*syncs));
	for (u32 i = 0; i < nr_syncs; i++) {
		struct sync *s = &syncs[i];

		s->kind = next_word();
		s->value = next_word();
		if (s->kind == S_SEMAPHORE)
			s->count = s->value;
		if (s->kind == S_QUEUE)
			s->messages = alloc(s->value * sizeof(u64));
	}
}

struct program {
	const struct insn *code;
	u32 length;
};

static struct program *read_programs(void)
{
	u64 count = next_word();
	struct program *programs = alloc(count * sizeof(*programs));

	for (u64 i = 0; i < count; i++) {
		programs[i].length = next_word();
		programs[i].code = (const struct insn *)input;
		input += programs[i].length * 4;
	}
	return programs;
}

static void read_task(struct task *p, u32 id, const struct program *programs, u64 seed)
{
	const struct program *program = &programs[next_word()];
	s64 cpuset, arrival;
	u64 state = seed * 0x9e3779b97f4a7c15ULL + id;

	p->id = id;
	p->pid = FIRST_PID + id;
	p->random = random_next(&state);
	p->program = program->code;
	p->length = program->length;
	p->label = next_word();
	p->cgroup = next_word();
	p->nice = next_word();
	p->weight = nice_weights[p->nice + 20];
	cpuset = next_word();
	p->allowed = cpuset < 0 ? &all_cpus : &cpusets[cpuset];
	p->nr_allowed = cpuset < 0 ? machine.nr_cpus : cpuset_sizes[cpuset];
	arrival = next_word();
	p->hint_ns = next_word();
	p->realtime = next_word();
	p->kernel = next_word();
	p->ext = next_word();
	__builtin_memcpy(p->comm, input, 16);
	input += 2;
	p->ran_on = -1;
	p->arrival = p->first_run = p->done = NEVER;
	if (arrival >= 0)
		at(machine.nr_cpus + id, arrival);
}

static void read_tasks(const struct program *programs, u64 seed)
{
	for (u32 i = 0; i < nr_tasks; i++)
		read_task(&tasks[i], i, programs, seed);
	tasks_left = nr_tasks;
}

/* :param scheduler: 0 fifo, 1 random, 2 eevdf, 3 the policy. :param trace_bytes: room for records at a time. */
void EXPORT(setup)(u64 words, u32 scheduler, u64 trace_records)
{
	static const struct sched_class *const classes[] = { &fifo_class, &random_class, &eevdf_class, &scx_class };
	u64 seed, offline_ns;
	u32 labels;

	input = (const s64 *)words;
	seed = next_word();
	end_ns = next_word();
	offline_ns = next_word();
	hotplug_cpu = next_word();
	online_ns = next_word();
	go_on = next_word();
	read_machine();
	online_cpus = all_cpus;
	labels = next_word();
	histograms = alloc(labels * sizeof(*histograms));
	nr_tasks = next_word();
	tasks = alloc(nr_tasks * sizeof(*tasks));
	events_init(machine.nr_cpus + nr_tasks + 2 + MAX_TIMERS);
	if (offline_ns) {
		armed_timers++; /* it alone keeps nothing going either */
		at(timer_id(MAX_TIMERS), offline_ns);
	}
	read_cgroups();
	read_tables();
	read_cpusets();
	read_syncs();
	read_tasks(read_programs(), seed);
	records = trace_records ? alloc(trace_records * sizeof(*records)) : NULL;
	max_records = trace_records;
	task_results = (u64)alloc(nr_tasks * 12 * sizeof(u64));
	cpu_results = (u64)alloc(machine.nr_cpus * 3 * sizeof(u64));
	sched = classes[scheduler];
	for (u32 i = 0; scheduler != 3 && i < nr_tasks; i++) {
		tasks[i].ext = 0;
		if (tasks[i].realtime)
			stop(V_UNSUPPORTED, 0, "real-time tasks beside a built-in scheduler");
	}
	if (!sched->init() && sched_watchdog_ns)
		at(machine.nr_cpus + nr_tasks, sched_watchdog_ns);
	if (ejected)
		fall_back();
}
