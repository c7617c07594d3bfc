/* Settings of somebody's machine that were changed for a while: "<path> <value before>", a line each, oldest first. */
#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SETTINGS = 4096, SETTINGS_BYTES = 256 << 10 };

/* The path's end may be gone with a CPU that somebody took away: then there is nothing to restore. */
static bool restore_one(char *line)
{
	char *value = strchr(line, ' ');
	if (!value)
		return true; /* cut off while it was written: not changed yet */
	*value++ = 0;
	if (!write_text(line, value) || access(line, F_OK))
		return true;
	dprintf(2, "%s is not %s again: %s\n", line, value, strerror(errno));
	return false;
}

bool settings_restore(const char *file)
{
	static char text[SETTINGS_BYTES], *line[MAX_SETTINGS];
	unsigned lines = 0;
	bool all = true;
	if (read_text(file, text, sizeof text) < 0)
		return errno == ENOENT;
	for (char *one = strtok(text, "\n"); one && lines < MAX_SETTINGS; one = strtok(NULL, "\n"))
		line[lines++] = one;
	while (lines)
		all &= restore_one(line[--lines]);
	if (all)
		unlink(file);
	return all;
}
