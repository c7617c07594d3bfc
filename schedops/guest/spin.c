/* The one loop that work is made of, and how long it takes on this machine. */
#define _GNU_SOURCE
#include "guest.h"

#include <sched.h>
#include <unistd.h>

enum { BURSTS = 12, BURST_LOOPS = 100000 };

__attribute__((noinline)) void spin(uint64_t iterations)
{
	volatile uint64_t x = 0;
	for (uint64_t i = 0; i < iterations; i++)
		x += i;
}

bool bind_to_cpu(unsigned cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof set, &set);
}

static uint64_t best_burst_ns(void)
{
	uint64_t best = UINT64_MAX;
	for (int i = 0; i < BURSTS; i++) {
		uint64_t start = now_ns(), took;
		spin(BURST_LOOPS);
		took = now_ns() - start;
		best = took < best ? took : best;
	}
	return best;
}

uint64_t spin_calibrate(void)
{
	uint64_t best = UINT64_MAX;
	cpu_set_t before;
	sched_getaffinity(0, sizeof before, &before);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		uint64_t took = CPU_ISSET(cpu, &before) && bind_to_cpu(cpu) ? best_burst_ns() : UINT64_MAX;
		best = took < best ? took : best;
	}
	sched_setaffinity(0, sizeof before, &before);
	best = best * 1000 / BURST_LOOPS;
	return best ? best : 1;
}
