/* SPDX-License-Identifier: GPL-2.0-only */
/* BPF timers (kernel/bpf/helpers.c: bpf_timer_start()): they fire on the CPU that started them. */
#include "scx.h"

#define FAR_NS (1ULL << 60)
#define MAX_RATE 1000 /* timers a CPU in a millisecond: interrupts that leave a kernel no time for anything else */

static s32 timer_cpus[MAX_TIMERS];

static u32 timer_id(u32 place)
{
	return machine.nr_cpus + nr_tasks + 1 + place;
}

void EXPORT(kf_timer)(u32 place, u64 ns, u32 absolute)
{
	if (place >= MAX_TIMERS)
		return;
	timer_cpus[place] = this_cpu;
	armed_timers += (ns != NEVER) - (places[timer_id(place)] != NOWHERE);
	if (ns == NEVER) {
		at(timer_id(place), NEVER);
		return;
	}
	if (absolute)
		ns = ns > UPTIME_NS + clock_ns ? ns - UPTIME_NS - clock_ns : 0;
	at(timer_id(place), ns < FAR_NS ? clock_ns + ns : clock_ns + FAR_NS);
}

static int too_many(void)
{
	static u64 window;
	static u32 fired;

	if (clock_ns / 1000000 != window) {
		window = clock_ns / 1000000;
		fired = 0;
	}
	return ++fired > MAX_RATE * machine.nr_cpus;
}

static void timer_event(u32 id)
{
	u32 place = id - timer_id(0);

	at(id, NEVER);
	armed_timers--;
	if (too_many()) {
		stop(V_FAULT, 0, "its timers fire more than %u times in a millisecond", MAX_RATE * machine.nr_cpus);
		return;
	}
	this_cpu = timer_cpu(timer_cpus[place]);
	kf_mask = KF_UNLOCKED; /* a softirq: no run queue is locked */
	in_policy = 1;
	theirs.timer(place);
	in_policy = 0;
	run_kicks();
}
