/* Tasks that keep the CPUs busy beside everything else, until told to stop: attaching and detaching are hardest on a
 * machine that works. Every other one sleeps now and then, so that there are wake-ups too. */
#define _GNU_SOURCE
#include "guest.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static pid_t task[MAX_LOAD_TASKS];
static unsigned tasks;

static void work_for_ever(bool sleeps)
{
	for (;;) {
		for (volatile unsigned i = 0; i < 200000; i++)
			;
		if (sleeps)
			sleep_ms(2);
	}
}

static void stop_all(void)
{
	while (tasks)
		kill(task[--tasks], SIGKILL);
}

void busy_set(const struct request *request)
{
	unsigned wanted = (unsigned)strtoul(request->payload, NULL, 10);
	stop_all();
	while (tasks < wanted && tasks < MAX_LOAD_TASKS) {
		pid_t pid = fork();
		if (pid == 0)
			work_for_ever(tasks % 2);
		if (pid < 0)
			break;
		task[tasks++] = pid;
	}
	reply_add("tasks %u\n", tasks);
}
