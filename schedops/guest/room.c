/* The agent's room on somebody's machine: a root file system in memory, with the places that a guest has, and with the
 * cgroup of what is measured as the root of all cgroups. It is gone with the last process in it. */
#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PLACE "/run/schedops-host"

static void must(int failed, const char *what)
{
	if (!failed)
		return;
	dprintf(2, "%s: %s\n", what, strerror(errno));
	_exit(1);
}

static void make_devices(void)
{
	static const struct {
		const char *name;
		unsigned major, minor, mode;
	} table[] = {{"null", 1, 3, 0666},    {"zero", 1, 5, 0666}, {"full", 1, 7, 0666}, {"random", 1, 8, 0666},
		     {"urandom", 1, 9, 0666}, {"tty", 5, 0, 0666},  {"kmsg", 1, 3, 0666}}; /* null's */
	char path[32];
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		snprintf(path, sizeof path, "dev/%s", table[i].name);
		must(mknod(path, S_IFCHR | table[i].mode, makedev(table[i].major, table[i].minor)), path);
	}
	must(mkdir("dev/shm", 01777), "dev/shm");
}

/* As it is elsewhere, and not to be written to. Not every machine has it. */
static void read_only(const char *from, const char *to)
{
	if (access(from, F_OK))
		return;
	must(mount(from, to, NULL, MS_BIND, NULL), to);
	must(mount(NULL, to, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NOEXEC, NULL), to);
}

/* The kernel's configuration, where libbpf looks for it; of /boot nothing else: boot loaders keep passwords there. */
static void mount_config(void)
{
	struct utsname kernel;
	char path[sizeof "/boot/config-" + sizeof kernel.release];
	uname(&kernel);
	snprintf(path, sizeof path, "/boot/config-%s", kernel.release);
	if (access(path, F_OK))
		return;
	int file = open(path + 1, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
	must(file < 0, path + 1);
	close(file);
	read_only(path, path + 1);
}

static void mount_kernel(const char *work_cgroup)
{
	static const char *const machine[] = {"proc/sys", "proc/sysrq-trigger", "proc/irq", "proc/bus", "proc/fs"};
	must(mount("proc", "proc", "proc", MS_NOSUID | MS_NOEXEC, NULL), "proc");
	for (size_t i = 0; i < sizeof machine / sizeof *machine; i++)
		read_only(machine[i], machine[i]);
	must(mount("sysfs", "sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NOEXEC, NULL), "sys");
	must(mount(work_cgroup, "sys/fs/cgroup", NULL, MS_BIND, NULL), work_cgroup);
	mount_config();
}

/* As switch_root does it: the old root cannot be reached any more. pivot_root() does not work on an initramfs. */
static void move_in(void)
{
	must(mount(".", "/", NULL, MS_MOVE, NULL), "the room as root");
	must(chroot("."), "the room as root");
	must(chdir("/"), "/");
}

void room_make(const char *work_cgroup, int programs)
{
	static const char *const places[] = {"dev", "proc", "sys", "run", "job", "tmp", "boot"};
	umask(0);
	mkdir(PLACE, 0700);
	must(mount("schedops", PLACE, "tmpfs", MS_NOSUID, "mode=755"), PLACE);
	must(chdir(PLACE), PLACE);
	if (programs >= 0 && !unpack(programs))
		must(1, "the programs of the workload cannot be unpacked");
	if (programs >= 0)
		close(programs);
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		mkdir(places[i], 0755);
	make_devices();
	mount_kernel(work_cgroup);
	move_in();
	umask(022);
}

/* What programs would inherit whatever the bounding set says; capabilities(7). */
static bool inherit_nothing(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	if (syscall(SYS_capget, &header, sets))
		return false;
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
		sets[i].inheritable = 0;
	return !syscall(SYS_capset, &header, sets) && !prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

void give_up_rights(void)
{
	static const unsigned kept[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_SETGID,
					CAP_SETUID, CAP_NET_BIND_SERVICE, CAP_SYS_NICE};
	uint64_t keep = 0;
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		keep |= 1ull << kept[i];
	for (unsigned right = 0; right < 64; right++)
		if (!(keep >> right & 1) && prctl(PR_CAPBSET_DROP, right, 0, 0, 0) && errno != EINVAL)
			_exit(126);
	if (!inherit_nothing() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(126);
}
