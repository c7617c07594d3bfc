/* Control groups (v2), all of them directly below the root. */
#define _GNU_SOURCE
#include "guest.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void path_of(const char *name, const char *file, char out[128])
{
	snprintf(out, 128, "/sys/fs/cgroup/%s%s", name, file);
}

int cgroup_make(const char *name)
{
	char path[128];
	path_of(name, "", path);
	if (mkdir(path, 0755))
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void cgroup_kill(const char *name)
{
	char path[128];
	path_of(name, "/cgroup.kill", path);
	write_text(path, "1");
}

bool cgroup_remove(const char *name, unsigned patience_ms)
{
	char path[128];
	path_of(name, "", path);
	while (rmdir(path)) {
		if (patience_ms < 5)
			return false;
		sleep_ms(5);
		patience_ms -= 5;
	}
	return true;
}

pid_t fork_into_cgroup(int cgroup)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)cgroup};
	return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}
