/* PID 1 of a guest, or of a PID namespace on somebody's machine: answers the host's requests one by one until the host
 * goes away. */
#define _GNU_SOURCE
#include "host.h"

#include <fcntl.h>
#include <linux/random.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void mount_all(void)
{
	static const char *const table[][2] = {{"devtmpfs", "/dev"},   {"proc", "/proc"},          {"sysfs", "/sys"},
					       {"tmpfs", "/run"},      {"bpf", "/sys/fs/bpf"}, {"cgroup2", "/sys/fs/cgroup"}};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		mkdir(table[i][1], 0755);
		mount(table[i][0], table[i][1], table[i][0], 0, NULL);
	}
	write_text("/sys/fs/cgroup/cgroup.subtree_control", "+cpu");
	/* Run times of BPF programs cost two clock reads each: off unless somebody asks. */
	write_text("/proc/sys/kernel/bpf_stats_enabled", "0");
}

/* Clones of one frozen guest share its clock and its random pool; the host sends the time and fresh bytes. */
static void hello(const struct request *request)
{
	/* struct rand_pool_info and its bytes */
	struct {
		int entropy_bits, size;
		char bytes[64];
	} pool = {.entropy_bits = 512, .size = 64};
	int random = open("/dev/urandom", O_RDWR | O_CLOEXEC);
	uint64_t ns;
	if (request->length == sizeof ns + sizeof pool.bytes) {
		memcpy(&ns, request->payload, sizeof ns);
		memcpy(pool.bytes, request->payload + sizeof ns, sizeof pool.bytes);
		struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
		if (!on_host)
			clock_settime(CLOCK_REALTIME, &t);
		ioctl(random, RNDADDENTROPY, &pool);
		ioctl(random, RNDRESEEDCRNG);
	}
	close(random);
	kmsg_open();
	reply_add("version %d\nuptime_ms %lu\ncpus %ld\n", WIRE_VERSION, now_ns() / 1000000,
		  sysconf(_SC_NPROCESSORS_ONLN));
}

static void state(void)
{
	struct sched_state s;
	state_read(&s);
	state_reply("now", &s);
}

static int complete_end = -1; /* in a helper: where it says that its reply is complete */
static int cleaner = -1;      /* pidfd of a helper that has said so */

void reply_complete(void)
{
	if (write(complete_end, "x", 1) != 1)
		_exit(1);
}

/* Waits for one of two; the host's going ends everything. */
static void wait_for(struct pollfd fds[3], uint64_t until_ns)
{
	fds[2] = (struct pollfd){.fd = port};
	while (!fds[0].revents && !fds[1].revents && now_ns() < until_ns) {
		poll(fds, 3, 200);
		if (fds[2].revents & POLLHUP)
			power_off();
	}
}

/* Until the last helper has cleaned up; tasks that a policy has lost are not waited for. */
static void await_cleaner(void)
{
	struct pollfd fds[3] = {{.fd = cleaner, .events = POLLIN}, {.fd = -1}};
	if (cleaner < 0)
		return;
	wait_for(fds, now_ns() + 2000000000u);
	close(cleaner);
	cleaner = -1;
}

static void helper_main(void (*work)(const struct request *), const struct request *request, int end)
{
	complete_end = end;
	become_fifo(PRIORITY_HELPER);
	work(request);
	_exit(0);
}

/* Long work happens in a helper process, so that the agent notices when the host goes away meanwhile. */
static bool in_helper(void (*work)(const struct request *), const struct request *request)
{
	uint64_t until = now_ns() + (request->deadline_ms + 8000) * 1000000u;
	int status = 1, complete[2];
	if (pipe2(complete, O_CLOEXEC))
		power_off();
	pid_t helper = fork();
	if (helper == 0)
		helper_main(work, request, complete[1]);
	close(complete[1]);
	if (helper < 0) { /* and never kill(-1) */
		close(complete[0]);
		return false;
	}
	struct pollfd fds[3] = {{.fd = (int)syscall(SYS_pidfd_open, helper, 0), .events = POLLIN},
				{.fd = complete[0], .events = POLLIN}};
	wait_for(fds, until);
	close(complete[0]);
	if (fds[1].revents & POLLIN) {
		cleaner = fds[0].fd;
		return true;
	}
	kill(helper, SIGKILL);
	waitpid(helper, &status, 0);
	close(fds[0].fd);
	return status == 0;
}

static bool handle(const struct request *request)
{
	const char *verb = request->verb;
	/* Questions are answered at once: what the host wants to know is how things are before they are cleaned up. */
	if (!strcmp(verb, "state"))
		return state(), true;
	if (!strcmp(verb, "kmsg"))
		return kmsg_reply(), true;
	if (!strcmp(verb, "dump"))
		return dump_reply(), true;
	if (!strcmp(verb, "account"))
		return account_reply(), true;
	await_cleaner();
	if (!strcmp(verb, "hello"))
		hello(request);
	else if (!strcmp(verb, "attach"))
		loader_attach(request);
	else if (!strcmp(verb, "detach"))
		loader_detach(request);
	else if (!strcmp(verb, "jobs"))
		return in_helper(launcher_run, request);
	else if (!strcmp(verb, "load") && !on_host) /* it takes CPUs away */
		return in_helper(load_run, request);
	else if (!strcmp(verb, "programs"))
		return in_helper(programs_run, request);
	else if (!strcmp(verb, "play"))
		return in_helper(play_run, request);
	else if (!strcmp(verb, "busy"))
		busy_set(request);
	else if (!strcmp(verb, "probe-start"))
		probe_start(request);
	else if (!strcmp(verb, "probe-stop"))
		probe_stop(request);
	else
		return false;
	return true;
}

void serve(void)
{
	struct request request;
	signal(SIGPIPE, SIG_IGN);
	become_fifo(PRIORITY_AGENT);
	probe_task_start();
	dump_prepare();
	loader_prepare();
	launcher_prepare();
	load_prepare();
	port_open();
	port_announce();
	for (;;) {
		request_read(&request);
		reply_clear();
		reply_send(&request, handle(&request));
		free(request.payload);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			; /* orphans become ours */
	}
}

int main(int argc, char **argv)
{
	if (getpid() != 1)
		return host_main(argc, argv);
	mount_all();
	serve();
}
