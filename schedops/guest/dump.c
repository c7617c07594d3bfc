/* What sched_ext dumps when it puts a policy out for an error: tasks, queues, CPUs. It goes to a tracepoint line by
 * line; the buffer keeps the beginning of the first dump since the policy was attached. On somebody's machine that buffer
 * is one of our own (Documentation/trace/ftrace.rst, "Instances"). */
#define _GNU_SOURCE
#include "host.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRACING "/sys/kernel/tracing/"
enum { DUMP_BYTES = 64 << 10 };

static const char *file_of(const char *name)
{
	static char path[96];
	snprintf(path, sizeof path, TRACING "%s%s", on_host ? "instances/schedops/" : "", name);
	return path;
}

/* A kernel without tracing has none of these files, and the dump stays empty. */
void dump_prepare(void)
{
	mount("tracefs", TRACING, "tracefs", 0, NULL);
	if (on_host)
		mkdir(file_of(""), 0700);
	write_text(file_of("buffer_size_kb"), "256");
	write_text(file_of("options/overwrite"), "0");
	write_text(file_of("events/sched_ext/sched_ext_dump/enable"), "1");
}

/* Emptying the buffer takes some grace periods: not when there is nothing in it. */
void dump_forget(void)
{
	char head[512];
	int file;
	read_text(file_of("trace"), head, sizeof head);
	if (strstr(head, "entries-written: 0/0"))
		return;
	file = open(file_of("trace"), O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (file >= 0)
		close(file);
}

/* "  task-pid [cpu] flags time: sched_ext_dump: text", as the kernel has it in Documentation/trace/ftrace.rst */
static void keep_line(const char *line)
{
	static const char mark[] = " sched_ext_dump: ";
	const char *text = strstr(line, mark);
	if (*line == '#' || !text)
		return;
	text += sizeof mark - 1;
	reply_raw(text, strlen(text));
	reply_raw("\n", 1);
}

void dump_reply(void)
{
	static char text[4 * DUMP_BYTES];
	size_t kept = 0;
	reply_add("\n");
	read_text(file_of("trace"), text, sizeof text);
	for (char *line = strtok(text, "\n"); line && kept < DUMP_BYTES; line = strtok(NULL, "\n")) {
		kept += strlen(line);
		keep_line(line);
	}
}
