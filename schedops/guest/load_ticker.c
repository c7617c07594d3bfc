/* A real-time task on every CPU that wants to wake again and again, and writes down how late it was. A host may stop one
 * CPU of the guest while the others go on: whoever waits for that CPU is late then, and nobody is to blame for it. */
#define _GNU_SOURCE
#include "load.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { SMALL_MS = 10 }; /* what any real-time task may be late at times */

static pid_t ticker_of[MAX_TICKERS];

static unsigned tickers(void)
{
	long cpus = load->quiet ? 0 : sysconf(_SC_NPROCESSORS_CONF);
	return cpus < MAX_TICKERS ? (unsigned)cpus : MAX_TICKERS;
}

/* While its CPU is away the kernel lets it run on others, and has forgotten where it belongs when the CPU is back. */
static void tick(struct ticker *ticker, unsigned cpu, unsigned turn)
{
	uint32_t moves = __atomic_load_n(&ticker->moves, __ATOMIC_ACQUIRE);
	uint64_t due = now_ns() + out_of_step_ns(turn), late;
	struct timespec t = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
	ticker->due_ns = due;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		;
	late = now_ns() - due;
	if (sched_getcpu() != (int)cpu) {
		bind_to(1ull << cpu); /* fails as long as it is away */
		return;
	}
	if (moves % 2 || moves != __atomic_load_n(&ticker->moves, __ATOMIC_ACQUIRE))
		return;
	if (late > ticker->most_late_ns)
		ticker->most_late_ns = late;
	if (late > SMALL_MS * 1000000ull)
		ticker->late_ns += late;
}

static void ticker_main(unsigned cpu)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	become_fifo(PRIORITY_HELPER + 1);
	bind_to(1ull << cpu);
	wait_at_gate();
	for (unsigned turn = cpu;; turn++)
		tick(&load->ticker[cpu], cpu, turn);
}

void tickers_start(void)
{
	for (unsigned cpu = 0; cpu < tickers(); cpu++) {
		ticker_of[cpu] = fork();
		if (ticker_of[cpu] == 0)
			ticker_main(cpu);
	}
}

void tickers_begin(void)
{
	for (unsigned cpu = 0; cpu < tickers(); cpu++)
		load->ticker[cpu].due_ns = load->start_ns;
}

/* One that has not woken yet is late by now. */
void tickers_read(uint64_t *most_late_ns, uint64_t *late_ns)
{
	uint64_t now = now_ns();
	for (struct ticker *ticker = load->ticker; ticker < load->ticker + tickers(); ticker++) {
		uint64_t due = ticker->due_ns, pending = now > due && ticker->moves % 2 == 0 ? now - due : 0;
		uint64_t most = pending > ticker->most_late_ns ? pending : ticker->most_late_ns;
		uint64_t sum = ticker->late_ns + (pending > SMALL_MS * 1000000ull ? pending : 0);
		if (most > *most_late_ns)
			*most_late_ns = most;
		if (sum > *late_ns)
			*late_ns = sum;
	}
}

void tickers_stop(void)
{
	for (unsigned cpu = 0; cpu < tickers(); cpu++)
		if (ticker_of[cpu] > 0)
			kill(ticker_of[cpu], SIGKILL);
}
