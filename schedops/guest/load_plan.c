/* The description of a load, as the host sends it:
 *
 *   load <duration ms> <max ms> <until runs> <program stats 0|1> <stay through loss 0|1> <quiet 0|1> <program or ->
 *   cpu <at ms> <cpu> <online 0|1>
 *   group <kind> <count> <nice> <cpus, hex> <start on, hex> <weight> <work us> <sleep us> <outside 0|1> <hint us> */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <string.h>

static bool read_head(const char *line)
{
	if (sscanf(line, "load %lu %lu %lu %u %u %u %15s", &load->duration_ms, &load->max_ms, &load->until_runs,
		   &load->program_stats, &load->stay_through_loss, &load->quiet, load->of_program) != 7)
		return false;
	if (load->max_ms < load->duration_ms)
		load->max_ms = load->duration_ms;
	return true;
}

static bool read_step(const char *line)
{
	struct hotplug_step *step = &load->step[load->steps];
	if (load->steps == MAX_STEPS || sscanf(line, "cpu %u %u %u", &step->at_ms, &step->cpu, &step->online) != 3)
		return false;
	load->steps++;
	return true;
}

static bool read_group(const char *line)
{
	struct load_group *g = &load->group[load->groups];
	if (load->groups == MAX_LOAD_GROUPS ||
	    sscanf(line, "group %d %u %d %lx %lx %u %u %u %u %lu", &g->kind, &g->count, &g->nice, &g->cpus, &g->start_on,
		   &g->weight, &g->work_us, &g->sleep_us, &g->outside, &g->hint_us) != 10)
		return false;
	if (g->kind < HOG || g->kind >= KINDS || g->count > MAX_LOAD_TASKS - load->tasks)
		return false;
	for (unsigned rank = 0; rank < g->count; rank++)
		load->slot[load->tasks++] = (struct slot){.group = load->groups, .rank = rank, .cpus = g->cpus};
	load->groups++;
	return true;
}

bool load_read_plan(char *text)
{
	memset(load, 0, sizeof *load);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		bool good = *line == 'l' ? read_head(line) : *line == 'c' ? read_step(line) : read_group(line);
		if (!good)
			return false;
	}
	return load->tasks > 0;
}
