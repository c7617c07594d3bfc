/* The plan as the host sends it: little-endian words of 64 bits in the order of schedops/adapters/sim/encode.py
 * (plan_words), after the seed, the end, the seed of names and whether it goes on without its policy, and before eight
 * words for each task. The host has checked every index; what is checked here is that nothing is larger than the room
 * for it. */
#define _GNU_SOURCE
#include "player.h"

#include <stdlib.h>
#include <string.h>

struct part part[MAX_PLAY_TASKS];
struct program *programs;
struct table tables[MAX_PLAY_TABLES];
const uint64_t *cpusets;
struct cgroup_part cgroup_part[MAX_PLAY_CGROUPS];

static const int64_t *words;
static size_t words_left;
static bool whole;

/* So many words, NULL: they are not there. */
static const int64_t *take(uint64_t count)
{
	const int64_t *from = words;
	if (!whole || count > words_left) {
		whole = false;
		return NULL;
	}
	words += count;
	words_left -= count;
	return from;
}

static int64_t next_word(void)
{
	const int64_t *word = take(1);
	return word ? *word : 0;
}

static unsigned next_count(unsigned most)
{
	int64_t count = next_word();
	if (count < 0 || count > most)
		whole = false;
	return whole ? (unsigned)count : 0;
}

static void read_cgroups(void)
{
	for (unsigned i = 0; i < play->cgroups; i++) {
		cgroup_part[i].parent = (int)next_word();
		cgroup_part[i].weight = (unsigned)next_word();
		whole &= cgroup_part[i].parent < (int)i;
	}
}

static void read_tables(void)
{
	play->tables = next_count(MAX_PLAY_TABLES);
	for (unsigned i = 0; i < play->tables; i++) {
		tables[i].length = (uint64_t)next_word();
		tables[i].values = take(tables[i].length);
	}
}

static void read_syncs(void)
{
	uint64_t room = MAX_PLAY_MESSAGES;
	play->syncs = next_count(MAX_PLAY_SYNCS);
	for (unsigned i = 0; i < play->syncs; i++) {
		struct sync *s = &play->sync[i];
		s->kind = (enum sync_kind)next_word();
		s->value = (uint64_t)next_word();
		s->count = s->kind == S_SEMAPHORE ? s->value : 0;
		if (s->kind != S_QUEUE)
			continue;
		whole &= s->value <= room;
		s->messages = play->messages + MAX_PLAY_MESSAGES - room;
		room -= whole ? s->value : 0;
	}
}

static void read_programs(void)
{
	play->programs = next_count(MAX_REQUEST_BYTES / sizeof(struct step));
	programs = calloc(play->programs + 1, sizeof *programs);
	for (unsigned i = 0; i < play->programs && programs; i++) {
		programs[i].length = (uint64_t)next_word();
		whole &= programs[i].length < MAX_REQUEST_BYTES;
		programs[i].steps = (const struct step *)take(programs[i].length * 4);
	}
}

/* Each draws from a sequence of its own: setup.c of the engine. */
static void read_part(struct part *p, unsigned id)
{
	uint64_t state = play->seed * 0x9e3779b97f4a7c15u + id;
	p->random = mix64(&state);
	p->program = (unsigned)next_word();
	p->label = (unsigned)next_word();
	p->cgroup = (unsigned)next_word();
	p->nice = (int)next_word();
	p->cpuset = (int)next_word();
	p->arrival_ns = next_word();
	p->hint_ns = (uint64_t)next_word();
	p->class = (enum class)next_word();
	whole &= p->program < play->programs && p->label < play->labels && p->cgroup < play->cgroups &&
		 p->cpuset < (int)play->cpusets;
}

bool play_read(const char *payload, size_t length)
{
	words = (const int64_t *)payload;
	words_left = length / sizeof *words;
	whole = true;
	play->seed = (uint64_t)next_word();
	play->end_ns = (uint64_t)next_word();
	play->name_seed = (uint64_t)next_word();
	play->go_on = next_word();
	play->labels = next_count(MAX_PLAY_LABELS);
	play->tasks = play->left = next_count(MAX_PLAY_TASKS);
	play->cgroups = next_count(MAX_PLAY_CGROUPS);
	read_cgroups();
	read_tables();
	play->cpusets = next_count(MAX_REQUEST_BYTES / 8 / CPUSET_WORDS);
	cpusets = (const uint64_t *)take((uint64_t)play->cpusets * CPUSET_WORDS);
	read_syncs();
	read_programs();
	for (unsigned i = 0; i < play->tasks; i++)
		read_part(&part[i], i);
	return whole && !words_left;
}
