/* The kernel's log since the last question. */
#define _GNU_SOURCE
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int kmsg = -1;
static struct log kept;

/* Starts at the end: what was logged before belongs to the template. */
void kmsg_open(void)
{
	if (kmsg < 0)
		kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	lseek(kmsg, 0, SEEK_END);
}

/* A record is "level,sequence,microseconds,flags;text\n" and continuation lines nobody needs. */
static void keep_record(char *record)
{
	char head[32];
	char *text = strchr(record, ';'), *time = strchr(record, ',');
	time = time ? strchr(time + 1, ',') : NULL;
	if (!text || !time)
		return;
	unsigned long us = strtoul(time + 1, NULL, 10);
	int n = snprintf(head, sizeof head, "[%5lu.%06lu] ", us / 1000000, us % 1000000);
	text++;
	text[strcspn(text, "\n")] = '\n';
	log_add(&kept, head, (size_t)n);
	log_add(&kept, text, (size_t)(strchr(text, '\n') + 1 - text));
}

void kmsg_reply(void)
{
	static char record[8193];
	kept.used = 0;
	/* A log that grows faster than it is read must not hold the agent: 100,000 records are more than it can keep. */
	for (int i = 0; i < 100000; i++) {
		ssize_t n = read(kmsg, record, sizeof record - 1);
		if (n < 0 && errno == EPIPE)
			continue; /* overwritten before it was read */
		if (n <= 0)
			break;
		record[n] = 0;
		keep_record(record);
	}
	reply_add("\n");
	reply_raw(kept.text, kept.used);
}
