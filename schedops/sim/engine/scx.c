/* SPDX-License-Identifier: GPL-2.0-only */
/* sched_ext as a class; see scx.h. */
#include "scx.h"

static void run_kicks(void);
static void kick(s32 cpu, u64 flags);

#include "scx_dsq.c"
#include "scx_idle.c"
#include "scx_queue.c"
#include "scx_dispatch.c"
#include "scx_life.c"
#include "scx_hotplug.c"
#include "scx_kfuncs.c"
#include "scx_kfuncs_cpu.c"
#include "scx_timers.c"

#include "scx_unload.c"

const struct sched_class scx_class = {
	.init = scx_init,
	.task_new = scx_task_new,
	.task_dead = scx_task_dead,
	.select_cpu = scx_select_cpu,
	.enqueue = scx_enqueue,
	.dequeue = scx_dequeue,
	.pick = scx_pick,
	.put_prev = scx_put_prev,
	.set_next = scx_set_next,
	.charge = scx_charge,
	.tick = scx_tick,
	.yield = scx_yield,
	.weight_changed = scx_weight_changed,
	.cpus_changed = scx_cpus_changed,
	.idle = scx_idle,
	.switched = scx_switched,
	.drain = scx_drain,
	.hotplug = scx_hotplug,
	.watchdog = scx_watchdog,
};
