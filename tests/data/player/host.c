/* The guest's player as a program of its own: a plan on stdin, the reply on stdout. What only a guest may do is left
 * out: real-time priority, cgroups, hints. Arguments: the deadline in ms, and how often a policy is found to be
 * there. */
#define _GNU_SOURCE
#include "player.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cgroup_of[MAX_PLAY_CGROUPS];

bool play_room(void)
{
	memset(cgroup_of, -1, sizeof cgroup_of);
	return true;
}

uint64_t play_cgroups_us(void)
{
	return 0;
}

bool play_room_clean(void)
{
	return true;
}

static int enabled;

void state_name(char out[32])
{
	strcpy(out, enabled-- > 0 ? "enabled" : "disabled");
}

void reply_add(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

void reply_complete(void)
{
	fflush(stdout);
}

void power_off(void)
{
	_exit(9);
}

int main(int argc, char **argv)
{
	struct request request = {.payload = malloc(MAX_REQUEST_BYTES)};
	if (argc != 3)
		return 1;
	request.deadline_ms = strtoull(argv[1], NULL, 10);
	enabled = atoi(argv[2]);
	request.length = (uint32_t)fread(request.payload, 1, MAX_REQUEST_BYTES, stdin);
	play_run(&request);
	return 0;
}
