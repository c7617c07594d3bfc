/* The guest's player as a program of its own: a plan on stdin, the deadline in ms as argument, the reply on stdout. What
 * only a guest may do is left out: real-time priority, cgroups, hints. */
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

bool play_room_clean(void)
{
	return true;
}

void state_name(char out[32])
{
	strcpy(out, "disabled");
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
	struct request request = {.deadline_ms = strtoull(argv[argc - 1], NULL, 10), .payload = malloc(MAX_REQUEST_BYTES)};
	request.length = (uint32_t)fread(request.payload, 1, MAX_REQUEST_BYTES, stdin);
	play_run(&request);
	return 0;
}
