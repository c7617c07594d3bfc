/* Pairs of tasks that pass a byte to and fro. Whoever writes starts the reader's clock, so a reader that never runs
 * again shows, and one that has nothing to read does not. */
#define _GNU_SOURCE
#include "load.h"

#include <unistd.h>

static int there[2], back[2]; /* from the even to the odd task, and from the odd to the even one */

void pipe_before_fork(const struct slot *slot)
{
	if (slot->rank % 2 == 0 && (pipe(there) || pipe(back)))
		_exit(3);
}

void pipe_after_fork(const struct slot *slot)
{
	if (slot->rank % 2)
		close(there[0]), close(there[1]), close(back[0]), close(back[1]);
}

/* The partner may have set our clock again before we come to sleep: its word is the newer one. */
static void pass_on(struct slot *slot, struct slot *partner, int end)
{
	uint64_t now = progress(slot);
	slot->ran++; /* from here on it waits for its partner */
	__atomic_store_n(&partner->last_ns, now, __ATOMIC_RELEASE);
	if (write(end, "x", 1) != 1)
		_exit(0);
	__atomic_compare_exchange_n(&slot->last_ns, &now, ASLEEP, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void receive(struct slot *slot, int end)
{
	char byte;
	if (read(end, &byte, 1) != 1)
		_exit(0);
	progress(slot);
}

void pipe_step(struct slot *slot, const struct load_group *group)
{
	bool even = slot->rank % 2 == 0;
	struct slot *partner = even ? slot + 1 : slot - 1;
	if (even)
		pass_on(slot, partner, there[1]);
	else if (!slot->iterations)
		__atomic_compare_exchange_n(&slot->last_ns, &(uint64_t){slot->last_ns}, ASLEEP, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE);
	receive(slot, even ? back[0] : there[0]);
	work_in_steps(slot, group->work_us);
	if (!even)
		pass_on(slot, partner, back[1]);
}
