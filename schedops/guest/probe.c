/* Holds the BPF programs that watch the scheduler, and says what they have counted.
 *
 * They are the host's own (schedops/probes/sched.bpf.c), loaded by the agent itself: they need nobody to feed them. */
#define _GNU_SOURCE
#include "guest.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 64, BUCKETS = 256, SLOTS = 512, MAX_PROGRAMS = 16 };

/* As in sched.bpf.c. */
struct probed_class {
	unsigned char comm[16];
	uint64_t run_ns, wait_ns, sleep_ns, blocked_ns;
	uint64_t switches, preemptions, wakeups, migrations, forks, execs, exits;
	uint32_t latency[BUCKETS], burst[BUCKETS], wakes[CLASSES];
};

struct probe_slot {
	uint64_t run_ns, wait_ns, latency_max_ns;
};

struct probe_totals {
	uint64_t start_ns, slot_ns, timer_wakeups, lost;
	uint32_t classes, on;
};

static struct bpf_object *object;
static struct bpf_link *links[MAX_PROGRAMS];
static unsigned attached;
static struct log *said;

static int keep_message(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text = NULL;
	int n = level == LIBBPF_DEBUG ? 0 : vasprintf(&text, format, args);
	if (n > 0)
		log_add(said, text, (size_t)n);
	free(text);
	return n;
}

static void let_go(void)
{
	while (attached)
		bpf_link__destroy(links[--attached]);
	bpf_object__close(object);
	object = NULL;
}

static int map_of(const char *name, size_t value_size)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);
	return map && bpf_map__value_size(map) == value_size ? bpf_map__fd(map) : -1;
}

static bool read_totals(struct probe_totals *totals)
{
	uint32_t zero = 0;
	return !bpf_map_lookup_elem(map_of("totals", sizeof *totals), &zero, totals);
}

static bool write_totals(const struct probe_totals *totals)
{
	uint32_t zero = 0;
	return !bpf_map_update_elem(map_of("totals", sizeof *totals), &zero, totals, BPF_ANY);
}

static bool attach_programs(void)
{
	struct bpf_program *program;
	bpf_object__for_each_program(program, object) {
		if (attached == MAX_PROGRAMS)
			return false;
		links[attached] = bpf_program__attach(program);
		if (!links[attached])
			return false;
		attached++;
	}
	return attached > 0;
}

static int begin(const char *elf, size_t length, uint64_t slot_ns)
{
	struct probe_totals totals = {.start_ns = now_ns(), .slot_ns = slot_ns, .on = 1};
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "probe");
	object = bpf_object__open_mem(elf, length, &options);
	if (!object || bpf_object__load(object) || !attach_programs() || !write_totals(&totals))
		return errno ? errno : EINVAL;
	return 0;
}

/* "<slot ns, 8 bytes, little-endian><ELF>" */
void probe_start(const struct request *request)
{
	uint64_t slot_ns = 0;
	int error;
	if (!said)
		said = shared_memory(sizeof *said);
	said->used = 0;
	let_go();
	libbpf_set_print(keep_message);
	memcpy(&slot_ns, request->payload, request->length < sizeof slot_ns ? 0 : sizeof slot_ns);
	errno = 0;
	error = slot_ns ? begin(request->payload + sizeof slot_ns, request->length - sizeof slot_ns, slot_ns) : EINVAL;
	if (error)
		let_go();
	reply_add("errno %d\nprograms %u\n\n", error, attached);
	reply_raw(said->text, said->used);
}

/* "<name> <class> <place>:<count> ...": those that are not 0. */
static void reply_counts(const char *name, unsigned class, const uint32_t *count, unsigned n)
{
	reply_add("%s %u", name, class);
	for (unsigned i = 0; i < n; i++)
		if (count[i])
			reply_add(" %u:%u", i, count[i]);
	reply_add("\n");
}

static void reply_class(unsigned index, const struct probed_class *c)
{
	reply_add("class %u ", index);
	for (unsigned i = 0; i < sizeof c->comm; i++)
		reply_add("%02x", c->comm[i]);
	reply_add(" %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu\n", c->run_ns, c->wait_ns, c->sleep_ns, c->blocked_ns,
		  c->switches, c->preemptions, c->wakeups, c->migrations, c->forks, c->execs, c->exits);
	reply_counts("latency", index, c->latency, BUCKETS);
	reply_counts("burst", index, c->burst, BUCKETS);
	reply_counts("wakes", index, c->wakes, CLASSES);
}

static void reply_classes(uint32_t classes)
{
	int map = map_of("classes", sizeof(struct probed_class));
	static struct probed_class stats;
	for (uint32_t i = 0; i < classes && i < CLASSES; i++)
		if (!bpf_map_lookup_elem(map, &i, &stats))
			reply_class(i, &stats);
}

/* "slot <run> <wait> <longest wait>" in ns, one line a slot up to *slots*. */
static void reply_slots(uint64_t slots)
{
	int map = map_of("slots", sizeof(struct probe_slot));
	struct probe_slot slot;
	for (uint32_t i = 0; i < slots && i < SLOTS; i++)
		if (!bpf_map_lookup_elem(map, &i, &slot))
			reply_add("slot %lu %lu %lu\n", slot.run_ns, slot.wait_ns, slot.latency_max_ns);
}

/* What was counted since probe_start(), and the end of counting. */
void probe_stop(const struct request *request)
{
	struct probe_totals totals = {0};
	uint64_t ns;
	(void)request;
	if (!object || !read_totals(&totals)) {
		reply_add("duration_ns 0\n");
		return;
	}
	ns = now_ns() - totals.start_ns;
	while (attached)
		bpf_link__destroy(links[--attached]);
	read_totals(&totals);
	reply_add("duration_ns %lu\nslot_ns %lu\ntimer_wakeups %lu\nlost %lu\n", ns, totals.slot_ns,
		  totals.timer_wakeups, totals.lost);
	reply_classes(totals.classes);
	reply_slots(ns / totals.slot_ns + 1);
	let_go();
}
