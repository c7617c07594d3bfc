/* Small helpers: time, files, real-time priority, names. */
#define _GNU_SOURCE
#include "guest.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void sleep_ns(uint64_t ns)
{
	struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
	nanosleep(&t, NULL);
}

void sleep_ms(unsigned ms)
{
	sleep_ns(ms * 1000000ull);
}

/* Children start as SCHED_OTHER with nice 0, whatever forked them. */
void become_fifo(int priority)
{
	struct sched_param p = {.sched_priority = priority};
	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p);
}

void await_child(uint64_t until_ns)
{
	sigset_t child;
	uint64_t now = now_ns(), left = until_ns > now ? until_ns - now : 0;
	struct timespec t = {(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigtimedwait(&child, NULL, &t);
}

uint64_t rusage_us(const struct rusage *usage)
{
	return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000u +
	       (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

int read_text(const char *path, char *out, size_t size)
{
	size_t used = 0;
	ssize_t n = 0;
	int file = open(path, O_RDONLY | O_CLOEXEC);
	out[0] = 0;
	if (file < 0)
		return -1;
	while (used < size - 1 && (n = read(file, out + used, size - 1 - used)) > 0)
		used += (size_t)n;
	close(file);
	while (used && out[used - 1] == '\n')
		used--;
	out[used] = 0;
	return n < 0 ? -1 : (int)used;
}

uint64_t read_number(const char *path)
{
	char text[64];
	return read_text(path, text, sizeof text) < 0 ? 0 : strtoull(text, NULL, 10);
}

int write_text(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;
	if (file < 0)
		return -1;
	n = write(file, text, strlen(text));
	close(file);
	return n < 0 ? -1 : 0;
}

uint64_t context_switches(void)
{
	static char text[1 << 20];
	const char *line;
	read_text("/proc/stat", text, sizeof text);
	line = strstr(text, "\nctxt ");
	return line ? strtoull(line + 6, NULL, 10) : 0;
}

void read_schedstat(pid_t pid, uint64_t *run_ns, uint64_t *wait_ns)
{
	char path[64], text[128], *rest;
	*run_ns = *wait_ns = 0;
	snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
	if (read_text(path, text, sizeof text) <= 0)
		return;
	*run_ns = strtoull(text, &rest, 10);
	*wait_ns = strtoull(rest, NULL, 10);
}

/* Populated at once: a helper must not fault pages in while it measures. */
void *shared_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p == MAP_FAILED)
		power_off();
	return p;
}

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t mix64(uint64_t *seed)
{
	uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void random_name(uint64_t seed, uint64_t index, char out[13])
{
	uint64_t state = seed ^ (index * 0xd1342543de82ef95u);
	uint64_t bits = mix64(&state);
	for (int i = 0; i < 12; i++, bits /= 26)
		out[i] = (char)('a' + bits % 26);
	out[12] = 0;
}

/* Whoever wakes in step with the kernel's tick meets the same moment of every slice: a policy that is asked again when a
 * real-time task comes (ops.cpu_release) was seen to starve a task so, and no user's machine does that to it. */
uint64_t out_of_step_ns(unsigned turn)
{
	return WATCH_MS * 1000000ull + turn % 8009 * 1237 % 8009 * 1000;
}
