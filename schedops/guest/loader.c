/* The resident loader: a process that holds a policy's maps and links for as long as the policy is wanted.
 * (BPF timers die with the last user reference on their map, so a tool that loads and exits stops them silently.)
 * It runs as SCHED_FIFO: it must survive the policy it loads. */
#define _GNU_SOURCE
#include "loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_LINKS = 16 };

/* Written by the loader, read by the agent after the loader has spoken. */
static struct shared {
	char outcome[16];
	int error;
	struct figures_of_all figures;
	struct log log;
} *shared;

static pid_t loader;         /* 0: none */
static int loader_handle = -1; /* pidfd */
static int control = -1;     /* closing it tells the loader to let go */
static uint64_t our_enable_seq;
static unsigned others_programs; /* on somebody's machine there may be some, of TCP for one */

void loader_prepare(void)
{
	shared = shared_memory(sizeof *shared);
	others_programs = struct_ops_programs();
}

/* ---- in the loader process ---- */

static int keep_message(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text = NULL;
	int n;
	if (level == LIBBPF_DEBUG)
		return 0;
	n = vasprintf(&text, format, args);
	if (n > 0)
		log_add(&shared->log, text, (size_t)n);
	free(text);
	return n;
}

static void settle(const char *outcome, int error)
{
	snprintf(shared->outcome, sizeof shared->outcome, "%s", outcome);
	shared->error = error;
}

static void give_up(const char *outcome, int error)
{
	settle(outcome, error < 0 ? -error : error);
	_exit(1);
}

static struct bpf_object *open_object(const struct request *request)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "policy");
	struct bpf_object *object = bpf_object__open_mem(request->payload, request->length, &options);
	if (!object)
		give_up("open-failed", errno);
	enums_set(object);
	return object;
}

/* The verifier's statistics take the place of its log: what it refuses is loaded once more, for the log. */
static struct bpf_object *load_object(const struct request *request)
{
	struct bpf_object *object = open_object(request);
	int error;
	figures_ask(object);
	if (bpf_object__load(object)) {
		bpf_object__close(object);
		shared->log.used = 0;
		object = open_object(request);
		error = bpf_object__load(object);
		if (error)
			give_up("load-failed", error);
	}
	figures_take(object, &shared->figures);
	return object;
}

static int attach_all(struct bpf_object *object, struct bpf_link **links)
{
	struct bpf_map *map;
	int n = 0;
	bpf_object__for_each_map(map, object) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		if (n == MAX_LINKS)
			give_up("attach-failed", E2BIG);
		links[n] = bpf_map__attach_struct_ops(map);
		if (!links[n])
			give_up("attach-failed", errno);
		n++;
	}
	return n;
}

/* The map that takes expected CPU times, when the policy has one of the right shape. */
static int hint_map(struct bpf_object *object)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, "hints");
	if (!map || bpf_map__type(map) != BPF_MAP_TYPE_TASK_STORAGE || bpf_map__value_size(map) != sizeof(uint64_t))
		return -1;
	return bpf_map__fd(map);
}

static void loader_main(const struct request *request, int control_end, int done)
{
	struct bpf_link *links[MAX_LINKS];
	struct bpf_object *object;
	int n;
	become_fifo(PRIORITY_LOADER);
	libbpf_set_print(keep_message);
	object = load_object(request);
	n = attach_all(object, links);
	if (!n)
		give_up("attach-failed", ENOENT);
	settle("attached", 0);
	close(done);
	hints_serve(hint_map(object), control_end);
	while (n)
		bpf_link__destroy(links[--n]);
	bpf_object__close(object);
	_exit(0);
}

/* ---- in the agent ---- */

/* True when *handle* became readable (or reached its end) in time. The host's going ends everything. */
static bool wait_readable(int handle, uint64_t until_ns)
{
	struct pollfd fds[2] = {{.fd = handle, .events = POLLIN}, {.fd = port, .events = 0}};
	for (;;) {
		uint64_t now = now_ns();
		if (now >= until_ns)
			return false;
		poll(fds, 2, (int)((until_ns - now) / 1000000) + 1);
		if (fds[1].revents & POLLHUP)
			power_off();
		if (fds[0].revents)
			return true;
	}
}

static void loader_start(const struct request *request, int *done)
{
	int control_pipe[2], done_pipe[2];
	if (pipe(control_pipe) || pipe(done_pipe))
		power_off();
	memset(shared, 0, offsetof(struct shared, log.text));
	loader = fork();
	if (loader < 0) /* and never kill(-1) */
		power_off();
	if (loader == 0) {
		close(control_pipe[1]);
		close(done_pipe[0]);
		loader_main(request, control_pipe[0], done_pipe[1]);
	}
	close(control_pipe[0]);
	close(done_pipe[1]);
	control = control_pipe[1];
	*done = done_pipe[0];
	loader_handle = (int)syscall(SYS_pidfd_open, loader, 0);
}

/* Tell it to let go, wait, and make sure. Past the deadline it is killed; the kernel then drops the links. */
static void loader_stop(uint64_t until_ns)
{
	if (!loader)
		return;
	close(control);
	if (!wait_readable(loader_handle, until_ns)) {
		kill(loader, SIGKILL);
		wait_readable(loader_handle, now_ns() + 1000000000u);
	}
	waitpid(loader, NULL, WNOHANG);
	close(loader_handle);
	unlink(HINT_SOCKET);
	loader = 0;
}

static void decide_outcome(const struct sched_state *after, bool spoke)
{
	if (!spoke)
		settle("not-enabled", ETIMEDOUT);
	else if (!shared->outcome[0])
		settle("load-failed", EINTR); /* killed while it worked, out of memory for one */
	else if (!strcmp(shared->outcome, "attached") && strcmp(after->state, "enabled"))
		settle("not-enabled", 0);
}

static void attach_reply(const struct sched_state *before, const struct sched_state *after, uint64_t took_ns)
{
	reply_add("outcome %s\nerrno %d\n", shared->outcome, shared->error);
	reply_add("took_us %lu\n", took_ns / 1000);
	figures_reply(&shared->figures);
	state_reply("before", before);
	state_reply("after", after);
	reply_add("\n");
	reply_raw(shared->log.text, shared->log.used);
}

void loader_attach(const struct request *request)
{
	uint64_t start = now_ns(), until = start + request->deadline_ms * 1000000u, took;
	struct sched_state before, after;
	int done;
	bool spoke;
	loader_stop(until);
	dump_forget();
	state_read(&before);
	loader_start(request, &done);
	spoke = wait_readable(done, until);
	close(done);
	/* Attaching returns when the kernel has finished enabling or has given up. */
	state_wait_settled(until);
	took = now_ns() - start;
	state_read(&after);
	our_enable_seq = after.enable_seq;
	decide_outcome(&after, spoke);
	if (strcmp(shared->outcome, "attached"))
		loader_stop(now_ns() + 2000000000u);
	attach_reply(&before, &after, took);
}

static unsigned wait_programs_gone(uint64_t until_ns)
{
	unsigned there;
	while ((there = struct_ops_programs()) > others_programs && now_ns() < until_ns)
		sleep_ms(2);
	return there > others_programs ? there - others_programs : 0;
}

void loader_detach(const struct request *request)
{
	uint64_t start = now_ns(), until = start + request->deadline_ms * 1000000u;
	struct sched_state before, after;
	unsigned left;
	state_read(&before);
	bool ours = loader && !strcmp(before.state, "enabled") && before.enable_seq == our_enable_seq;
	loader_stop(until);
	do {
		state_wait_settled(until);
		state_read(&after);
	} while (strcmp(after.state, "disabled") && now_ns() < until && (sleep_ms(2), true));
	/* The kernel frees programs a grace period after their last user. */
	left = wait_programs_gone(now_ns() + 1000000000u);
	reply_add("was_attached %d\nprograms_left %u\ntook_us %lu\n", ours, left, (now_ns() - start) / 1000);
	state_reply("after", &after);
}
