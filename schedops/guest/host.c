/* This program on somebody's machine, in two parts that outlive whoever started them:
 *
 *   keep <handle> <settings> <cgroups>     until the other end of the handle is closed; then settings are as they were
 *   host <port> <programs | -1> <cgroups>  supervises an agent until the port is closed; then nothing of it is left
 *
 * The tool's end, however it comes, closes both. The agent is the first process of a PID namespace: when it is killed,
 * the kernel ends everything that it started, lets go of the policy that it held, and schedules as before. */
#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DIES_S = 30, DISABLED_S = 30 };
enum { NOT_BEGUN = 1, LEFT = 2, USAGE = 64 }; /* exit codes; LEFT: something is not as it was */
#define TRACE "/sys/kernel/tracing"

bool on_host;

static sigset_t ends; /* signals that ask for the end */

/* Whatever happens to this process's surroundings, it ends when it is done. */
static void hold_on(void)
{
	static const int asks[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
	sigemptyset(&ends);
	for (size_t i = 0; i < sizeof asks / sizeof *asks; i++)
		sigaddset(&ends, asks[i]);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	write_text("/proc/self/oom_score_adj", "-1000");
}

/* Until *peer* is closed at its other end, one asks for the end, or *process* has ended. */
static void await_end(int peer, int process)
{
	struct pollfd fds[3] = {{.fd = signalfd(-1, &ends, SFD_CLOEXEC), .events = POLLIN},
				{.fd = peer},
				{.fd = process, .events = POLLIN}};
	while (poll(fds, 3, -1) < 0 || !(fds[0].revents || fds[1].revents || fds[2].revents))
		;
	close(fds[0].fd);
}

static int keep(int peer, const char *settings, const char *cgroups)
{
	hold_on();
	if (!host_cgroup_enter(cgroups))
		dprintf(2, "no cgroup of its own below %s: %s\n", cgroups, strerror(errno));
	else if (settings_restore(settings) && write(peer, "+", 1) == 1) /* first those of one that was killed */
		await_end(peer, -1);
	bool restored = settings_restore(settings);
	host_cgroup_leave(cgroups);
	return !restored;
}

/* ---- the agent ---- */

static void agent_main(const char *cgroups, int programs)
{
	char work[128];
	sigset_t none;
	cpu_set_t all;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	memset(&all, 0xff, sizeof all);
	sched_setaffinity(0, sizeof all, &all);
	write_text("/proc/self/oom_score_adj", "0");
	host_cgroup_of_work(cgroups, work);
	kmsg_open(); /* the room has none */
	room_make(work, programs);
	serve();
}

static pid_t agent_start(const char *cgroups, int programs, int *handle)
{
	struct clone_args args = {.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_PIDFD,
				  .exit_signal = SIGCHLD,
				  .pidfd = (uint64_t)handle};
	pid_t agent = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	if (agent == 0)
		agent_main(cgroups, programs);
	if (agent < 0)
		dprintf(2, "no namespaces: %s\n", strerror(errno));
	return agent;
}

/* ---- its supervisor ---- */

/* For the trace buffer alone: what is mounted here is nobody else's. */
static bool see_traces(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		dprintf(2, "no mount namespace of its own: %s\n", strerror(errno));
		return false;
	}
	mount("tracefs", TRACE, "tracefs", 0, NULL); /* not every kernel has it */
	return true;
}

/* What the agent has made outside of its room; safe when there is nothing. */
static bool remove_all(const char *cgroups)
{
	rmdir(TRACE "/instances/schedops");
	return host_cgroups_remove(cgroups);
}

static bool agent_end(pid_t agent, int handle)
{
	struct pollfd fd = {.fd = handle, .events = POLLIN};
	kill(agent, SIGKILL);
	if (poll(&fd, 1, DIES_S * 1000) == 1 && waitpid(agent, NULL, 0) == agent)
		return true;
	dprintf(2, "process %d cannot be ended\n", agent);
	return false;
}

/* The kernel takes the policy out when its last handle is closed, a moment later. */
static bool policy_gone(void)
{
	char state[32];
	for (uint64_t until = now_ns() + DISABLED_S * 1000000000ull; now_ns() < until; sleep_ms(5)) {
		state_name(state);
		if (!*state || !strcmp(state, "disabled"))
			return true;
	}
	dprintf(2, "sched_ext is still %s\n", state);
	return false;
}

static int supervise(int programs, const char *cgroups)
{
	int handle = -1;
	bool clean;
	hold_on();
	become_fifo(PRIORITY_AGENT);
	if (sched_getscheduler(0) != (SCHED_FIFO | SCHED_RESET_ON_FORK)) {
		dprintf(2, "no real-time priority: %s\n", strerror(errno));
		return NOT_BEGUN;
	}
	if (!see_traces())
		return NOT_BEGUN;
	remove_all(cgroups); /* of an earlier one, which was killed */
	if (!host_cgroups_make(cgroups)) {
		dprintf(2, "no cgroups below %s: %s\n", cgroups, strerror(errno));
		return remove_all(cgroups) ? NOT_BEGUN : LEFT;
	}
	pid_t agent = agent_start(cgroups, programs, &handle);
	if (agent > 0)
		await_end(port, handle);
	shutdown(port, SHUT_RDWR); /* whoever waits for an answer need not wait for the rest */
	clean = agent < 0 || agent_end(agent, handle);
	clean &= policy_gone();
	clean &= remove_all(cgroups);
	return clean ? 0 : LEFT;
}

int host_main(int argc, char **argv)
{
	on_host = true;
	if (argc == 5 && !strcmp(argv[1], "keep"))
		return keep(atoi(argv[2]), argv[3], argv[4]);
	if (argc != 5 || strcmp(argv[1], "host"))
		return USAGE;
	port = atoi(argv[2]);
	fcntl(port, F_SETFD, FD_CLOEXEC);
	return supervise(atoi(argv[3]), argv[4]);
}
