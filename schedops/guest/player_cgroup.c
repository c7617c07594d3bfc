/* The cgroups of a plan, below the guest's root cgroup, which is the plan's. Its tasks are in the root itself: the
 * plan's cgroups compete with them there. On somebody's machine a cgroup stands for the root; one that has members and
 * cgroups below it has to be the root of a threaded subtree (Documentation/admin-guide/cgroup-v2.rst, "Threads"). */
#define _GNU_SOURCE
#include "host.h"
#include "player.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup"
#define STAND_IN ROOT "/play"
#define ENOUGH_TASKS "16384" /* of a guest's small memory the kernel would allow 3000 */

int cgroup_of[MAX_PLAY_CGROUPS];

static bool write_in(int directory, const char *file, const char *text)
{
	int to = openat(directory, file, O_WRONLY | O_CLOEXEC);
	bool written = to >= 0 && write(to, text, strlen(text)) > 0;
	if (to >= 0)
		close(to);
	return written;
}

static bool make(unsigned index)
{
	char name[13], weight[16];
	int above = cgroup_of[cgroup_part[index].parent];
	random_name(play->name_seed, index, name);
	snprintf(weight, sizeof weight, "%u", cgroup_part[index].weight);
	if (!write_in(above, "cgroup.subtree_control", "+cpu") || mkdirat(above, name, 0755))
		return false;
	cgroup_of[index] = openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (on_host && !write_in(cgroup_of[index], "cgroup.type", "threaded"))
		return false;
	return cgroup_of[index] >= 0 && write_in(cgroup_of[index], "cpu.weight", weight);
}

bool play_room(void)
{
	write_text("/proc/sys/kernel/threads-max", ENOUGH_TASKS);
	if (on_host && mkdir(STAND_IN, 0755))
		return false;
	cgroup_of[0] = open(on_host ? STAND_IN : ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (unsigned i = 1; i < play->cgroups; i++)
		if (!make(i))
			return false;
	return cgroup_of[0] >= 0;
}

/* "usage_usec <n>" of cpu.stat; Documentation/admin-guide/cgroup-v2.rst. 0: it could not be read. */
static uint64_t usage_us(int directory)
{
	char text[512] = "";
	uint64_t us = 0;
	int from = openat(directory, "cpu.stat", O_RDONLY | O_CLOEXEC);
	if (from >= 0 && read(from, text, sizeof text - 1) > 0)
		sscanf(text, "usage_usec %lu", &us);
	if (from >= 0)
		close(from);
	return us;
}

uint64_t play_cgroups_us(void)
{
	uint64_t us = 0;
	for (unsigned i = 1; i < play->cgroups; i++)
		if (!cgroup_part[i].parent) /* it counts those below it as well */
			us += usage_us(cgroup_of[i]);
	return us;
}

/* The last ones first: they are the innermost. */
bool play_room_clean(void)
{
	bool gone = true;
	char name[13];
	for (unsigned i = play->cgroups; i-- > 1;) {
		random_name(play->name_seed, i, name);
		gone &= !unlinkat(cgroup_of[cgroup_part[i].parent], name, AT_REMOVEDIR);
	}
	return on_host ? gone && !rmdir(STAND_IN) : gone;
}
