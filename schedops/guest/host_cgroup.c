/* Cgroups on somebody's machine: "schedops/room" for all that is measured, "schedops/keeper" for who supervises that,
 * "schedops-keeper" for who keeps settings. Whoever ends the session or the job that the tool belongs to, with all that
 * is in it, does not end those. */
#define _GNU_SOURCE
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000 };
#define OWN "schedops-keeper"

static bool enabled_cpu;  /* it was not enabled below the root before */
static char before[4096]; /* the cgroup that this process was in */

static void path_of(const char *mount, const char *name, char out[128])
{
	snprintf(out, 128, "%s/%s", mount, name);
}

void host_cgroup_of_work(const char *mount, char out[128])
{
	path_of(mount, "schedops/room", out);
}

static bool write_below(const char *mount, const char *name, const char *text)
{
	char path[128];
	path_of(mount, name, path);
	return !write_text(path, text);
}

static bool make(const char *mount, const char *name)
{
	char path[128];
	path_of(mount, name, path);
	return !mkdir(path, 0755);
}

/* "0::<path>" of /proc/self/cgroup; cgroups(7) */
static void remember_own(void)
{
	char text[4096];
	read_text("/proc/self/cgroup", text, sizeof text);
	const char *own = !strncmp(text, "0::", 3) ? text : strstr(text, "\n0::");
	own = own ? strstr(own, "0::") + 3 : "/";
	snprintf(before, sizeof before, "%.*s", (int)strcspn(own, "\n"), own);
}

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = text; (at = strstr(at, word)); at += n)
		if ((at == text || at[-1] == ' ') && (at[n] == 0 || at[n] == ' '))
			return true;
	return false;
}

/* Without the controller there is no fairness between groups, and no weight: who asks for this has looked for it. */
static void enable_cpu(const char *mount)
{
	char path[128], enabled[512];
	path_of(mount, "cgroup.subtree_control", path);
	read_text(path, enabled, sizeof enabled);
	enabled_cpu = !has_word(enabled, "cpu") && !write_text(path, "+cpu");
	write_below(mount, "schedops/cgroup.subtree_control", "+cpu");
	write_below(mount, "schedops/room/cgroup.subtree_control", "+cpu");
}

bool host_cgroup_enter(const char *mount)
{
	remember_own();
	make(mount, OWN); /* it may be there, of an earlier one that was killed */
	return write_below(mount, OWN "/cgroup.procs", "0");
}

bool host_cgroups_make(const char *mount)
{
	remember_own();
	if (!make(mount, "schedops") || !make(mount, "schedops/keeper") || !make(mount, "schedops/room"))
		return false;
	enable_cpu(mount);
	return write_below(mount, "schedops/keeper/cgroup.procs", "0");
}

/* What is below first. The kernel lets go of a cgroup a moment after its last member has gone. */
static bool remove_tree(int above, const char *name)
{
	int handle = openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = handle >= 0 ? fdopendir(handle) : NULL;
	bool gone = true;
	if (!directory)
		return errno == ENOENT;
	for (struct dirent *entry; (entry = readdir(directory));)
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			gone &= remove_tree(dirfd(directory), entry->d_name);
	closedir(directory);
	for (unsigned ms = 0; unlinkat(above, name, AT_REMOVEDIR); ms += 5, sleep_ms(5))
		if (errno == ENOENT)
			break;
		else if (ms >= PATIENCE_MS)
			return false;
	return gone;
}

/* To the root; where that is not the real one, in a container, back to where this process came from. */
static void leave(const char *mount)
{
	char path[sizeof before + 128];
	snprintf(path, sizeof path, "%s%s/cgroup.procs", mount, before);
	if (!write_below(mount, "cgroup.procs", "0"))
		write_text(path, "0");
}

void host_cgroup_leave(const char *mount)
{
	char path[128];
	leave(mount);
	path_of(mount, OWN, path);
	rmdir(path);
}

bool host_cgroups_remove(const char *mount)
{
	int root = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	write_below(mount, "schedops/room/cgroup.kill", "1");
	if (*before)
		leave(mount);
	else /* of an earlier one, which was killed */
		write_below(mount, "schedops/keeper/cgroup.kill", "1");
	bool gone = remove_tree(root, "schedops");
	close(root);
	if (enabled_cpu)
		write_below(mount, "cgroup.subtree_control", "-cpu");
	if (!gone)
		dprintf(2, "cgroups are left below %s/schedops\n", mount);
	return gone;
}
