/* What sched_ext dumps when it puts a policy out for an error: tasks, queues, CPUs. It goes to a tracepoint line by
 * line; the buffer keeps the beginning of the first dump since the policy was attached. */
#define _GNU_SOURCE
#include "guest.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define TRACING "/sys/kernel/tracing/"
enum { DUMP_BYTES = 64 << 10 };

/* A kernel without tracing has none of these files, and the dump stays empty. */
void dump_prepare(void)
{
	mount("tracefs", TRACING, "tracefs", 0, NULL);
	write_text(TRACING "buffer_size_kb", "256");
	write_text(TRACING "options/overwrite", "0");
	write_text(TRACING "events/sched_ext/sched_ext_dump/enable", "1");
}

/* Emptying the buffer takes some grace periods: not when there is nothing in it. */
void dump_forget(void)
{
	char head[512];
	int file;
	read_text(TRACING "trace", head, sizeof head);
	if (strstr(head, "entries-written: 0/0"))
		return;
	file = open(TRACING "trace", O_WRONLY | O_TRUNC | O_CLOEXEC);
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
	read_text(TRACING "trace", text, sizeof text);
	for (char *line = strtok(text, "\n"); line && kept < DUMP_BYTES; line = strtok(NULL, "\n")) {
		kept += strlen(line);
		keep_line(line);
	}
}
