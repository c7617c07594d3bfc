/* Reads what programs to run:
 *
 *   head <a cgroup for each group> <random names> <name seed>
 *   shell <hex of a line>                                     before anything is measured, one after the other
 *   serve <tcp port, 0: nothing to wait for> <group> <nice> <hex of argv>   runs beside the jobs
 *   job <arrival us> <group> <nice> <hint ns> <hex of output> <hex of argv>
 *
 * argv: words, each with a final NUL. output: a file that takes what the job writes to its standard output, "-": none. */
#define _GNU_SOURCE
#include "programs.h"

#include <stdio.h>
#include <string.h>

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place; the length, or -1. */
static long unhex(char *text)
{
	long n = 0;
	for (char *in = text; *in; in += 2, n++) {
		int high = digit(in[0]), low = high < 0 ? -1 : digit(in[1]);
		if (low < 0)
			return -1;
		text[n] = (char)(high << 4 | low);
	}
	text[n] = 0;
	return n;
}

static bool read_argv(struct program *program, char *hex)
{
	long length = unhex(hex);
	unsigned n = 0;
	for (char *word = hex; word < hex + length; word += strlen(word) + 1) {
		if (n == MAX_ARGS)
			return false;
		program->argv[n++] = word;
	}
	program->argv[n] = NULL;
	program->exit_code = -1;
	return n > 0;
}

static void note_group(struct programs *plan, unsigned group)
{
	plan->groups = group >= plan->groups ? group + 1 : plan->groups;
}

/* "-", or the hex of a path; ends at the next space. Returns what follows it. */
static char *read_output(struct program *program, char *text)
{
	char *rest = strchr(text, ' ');
	if (!rest)
		return NULL;
	*rest++ = 0;
	if (!strcmp(text, "-"))
		return rest;
	program->output = text;
	return unhex(text) > 0 ? rest : NULL;
}

static bool read_job(struct programs *plan, char *line)
{
	struct program *job = &plan->job[plan->jobs];
	int used = 0;
	if (plan->jobs == MAX_PROGRAMS || sscanf(line, "job %lu %u %d %lu %n", &job->arrival_us, &job->group, &job->nice,
						 &job->hint_ns, &used) != 4)
		return false;
	char *words = used ? read_output(job, line + used) : NULL;
	if (!words || job->group >= MAX_PROGRAM_GROUPS || !read_argv(job, words))
		return false;
	note_group(plan, job->group);
	plan->jobs++;
	return true;
}

static bool read_server(struct programs *plan, char *line)
{
	struct program *server = &plan->server[plan->servers];
	int used = 0;
	if (plan->servers == MAX_SERVERS ||
	    sscanf(line, "serve %u %u %d %n", &server->tcp_port, &server->group, &server->nice, &used) != 3 || !used)
		return false;
	if (server->tcp_port > 65535 || server->group >= MAX_PROGRAM_GROUPS || !read_argv(server, line + used))
		return false;
	note_group(plan, server->group);
	plan->servers++;
	return true;
}

static bool read_shell(struct programs *plan, char *line)
{
	char *hex = line + strlen("shell ");
	if (plan->lines == MAX_SHELL_LINES || unhex(hex) <= 0)
		return false;
	plan->line[plan->lines++] = hex;
	return true;
}

static bool read_head(struct programs *plan, const char *line)
{
	unsigned groups, names;
	if (sscanf(line, "head %u %u %lu", &groups, &names, &plan->name_seed) != 3)
		return false;
	plan->cgroup_per_group = groups;
	plan->random_names = names;
	return true;
}

static bool read_line(struct programs *plan, char *line)
{
	if (!strncmp(line, "head ", 5))
		return read_head(plan, line);
	if (!strncmp(line, "shell ", 6))
		return read_shell(plan, line);
	if (!strncmp(line, "serve ", 6))
		return read_server(plan, line);
	return !strncmp(line, "job ", 4) && read_job(plan, line);
}

bool programs_read(struct programs *plan, char *text)
{
	memset(plan, 0, sizeof *plan);
	for (char *rest = NULL, *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (!read_line(plan, line))
			return false;
	return true;
}
