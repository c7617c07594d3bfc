/* What the kernel says about sched_ext, and whether a normal task is really managed by it. */
#define _GNU_SOURCE
#include "guest.h"

#include <bpf/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pid_t probe_task;

/* A SCHED_OTHER task that sleeps for ever: its scheduling class is what an unsuspecting program gets. */
void probe_task_start(void)
{
	probe_task = fork();
	if (probe_task == 0) {
		struct sched_param p = {0};
		sched_setscheduler(0, SCHED_OTHER, &p);
		for (;;)
			pause();
	}
}

static int probe_on_ext(void)
{
	static char text[16 << 10];
	char path[64];
	const char *field;
	snprintf(path, sizeof path, "/proc/%d/sched", probe_task);
	read_text(path, text, sizeof text);
	field = strstr(text, "ext.enabled");
	field = field ? strchr(field, ':') : NULL;
	return field ? atoi(field + 1) != 0 : -1;
}

void state_name(char out[32])
{
	read_text("/sys/kernel/sched_ext/state", out, 32);
}

void state_wait_settled(uint64_t until_ns)
{
	char state[32];
	for (;;) {
		state_name(state);
		if (!strcmp(state, "enabled") || !strcmp(state, "disabled") || now_ns() >= until_ns)
			return;
		sleep_ms(2);
	}
}

void state_read(struct sched_state *state)
{
	state_name(state->state);
	read_text("/sys/kernel/sched_ext/root/ops", state->ops, sizeof state->ops);
	state->enable_seq = read_number("/sys/kernel/sched_ext/enable_seq");
	state->switch_all = read_number("/sys/kernel/sched_ext/switch_all");
	state->nr_rejected = read_number("/sys/kernel/sched_ext/nr_rejected");
	state->task_on_ext = probe_on_ext();
}

void state_reply(const char *prefix, const struct sched_state *s)
{
	reply_add("%s.state %s\n", prefix, s->state);
	reply_add("%s.ops %s\n", prefix, s->ops);
	reply_add("%s.enable_seq %lu\n", prefix, s->enable_seq);
	reply_add("%s.switch_all %lu\n", prefix, s->switch_all);
	reply_add("%s.nr_rejected %lu\n", prefix, s->nr_rejected);
	reply_add("%s.task_on_ext %d\n", prefix, s->task_on_ext);
}

unsigned struct_ops_programs(void)
{
	unsigned id = 0, count = 0;
	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = {0};
		unsigned size = sizeof info;
		int program = bpf_prog_get_fd_by_id(id);
		if (program < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(program, &info, &size) && info.type == BPF_PROG_TYPE_STRUCT_OPS)
			count++;
		close(program);
	}
	return count;
}
