/* Takes CPUs away and brings them back while a load runs. A process of its own does it: the kernel may take long, and
 * the watcher must go on watching. */
#define _GNU_SOURCE
#include "load.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NUDGE_MS = 50, ONE_S = 1000000 };

static pid_t worker, nudger;

static void path_of(unsigned cpu, char path[64])
{
	snprintf(path, 64, "/sys/devices/system/cpu/cpu%u/online", cpu);
}

static bool set_online(unsigned cpu, bool online)
{
	char path[64];
	path_of(cpu, path);
	return !write_text(path, online ? "1" : "0") && read_number(path) == online;
}

/* Before and after: the CPU's ticker is not held to its time meanwhile. */
static void moves(unsigned cpu)
{
	if (cpu < MAX_TICKERS)
		__atomic_add_fetch(&load->ticker[cpu].moves, 1, __ATOMIC_ACQ_REL);
}

static void work(void)
{
	wait_at_gate();
	for (struct hotplug_step *step = load->step; step < load->step + load->steps; step++) {
		uint64_t due = load->start_ns + step->at_ms * 1000000ull, now = now_ns();
		if (due > now)
			sleep_ms((unsigned)((due - now) / 1000000));
		__atomic_add_fetch(&load->steps_begun, 1, __ATOMIC_RELEASE);
		moves(step->cpu);
		if (!set_online(step->cpu, step->online))
			load->steps_failed++;
		moves(step->cpu);
		__atomic_add_fetch(&load->steps_done, 1, __ATOMIC_RELEASE);
	}
	_exit(0);
}

static unsigned under_way(void)
{
	return __atomic_load_n(&load->steps_begun, __ATOMIC_ACQUIRE) -
	       __atomic_load_n(&load->steps_done, __ATOMIC_ACQUIRE);
}

/* A CPU that goes waits in balance_hotplug_wait() until no task is left on its run queue, and is told so by its own
 * next schedule(). sched_ext lets another CPU take the last task out of a queue, and then this one idles and is never
 * told. Every change of the wanted latency wakes the idle CPUs: cpu_latency_qos_apply(), wake_up_all_idle_cpus(). */
static void nudge_idle_cpus(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	become_fifo(PRIORITY_HELPER - 1);
	int latency = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
	for (int32_t us = ONE_S;; us ^= 1) {
		sleep_ms(NUDGE_MS);
		if (under_way() && write(latency, &us, sizeof us) < 0)
			_exit(1);
	}
}

void hotplug_start(void)
{
	if (!load->steps)
		return;
	worker = fork();
	if (worker == 0) {
		become_fifo(PRIORITY_HELPER - 1);
		work();
	}
	nudger = fork();
	if (nudger == 0)
		nudge_idle_cpus();
}

unsigned hotplug_failed(unsigned patience_ms)
{
	for (; under_way() && patience_ms >= 5; patience_ms -= 5)
		sleep_ms(5);
	return load->steps_failed + under_way();
}

void hotplug_restore(void)
{
	char path[64];
	if (!load->steps)
		return;
	kill(worker, SIGKILL);
	waitpid(worker, NULL, 0);
	for (struct hotplug_step *step = load->step; step < load->step + load->steps; step++) {
		path_of(step->cpu, path);
		if (!read_number(path))
			set_online(step->cpu, true);
	}
	kill(nudger, SIGKILL);
	waitpid(nudger, NULL, 0);
}
