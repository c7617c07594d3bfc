/* The same program on a machine that is somebody's: what makes that look like a guest, and what undoes it. */
#pragma once

#include "guest.h"

/* This is somebody's machine: nothing that was there before may change for good. */
extern bool on_host;

/* --- agent.c --- */
void serve(void) __attribute__((noreturn));

/* --- host.c --- */
int host_main(int argc, char **argv);

/* --- host_cgroup.c --- */
/* This process alone, into a cgroup below *mount* and out of it. */
bool host_cgroup_enter(const char *mount);
void host_cgroup_leave(const char *mount);
/* Below *mount*, where cgroup v2 is mounted; the caller becomes a member. False: with errno. */
bool host_cgroups_make(const char *mount);
/* With everything in them; safe when there are none. False: some are left. */
bool host_cgroups_remove(const char *mount);
/* Where the agent's own cgroups are. */
void host_cgroup_of_work(const char *mount, char out[128]);

/* --- host_settings.c --- */
/* Settings as the file says they were, the last one first; false: some are not. The file is gone then. */
bool settings_restore(const char *file);

/* --- room.c --- */
/* A root file system as a guest has it, for this process and those it will start.
 * *programs*: handle of an archive to unpack into it, -1: none. */
void room_make(const char *work_cgroup, int programs);
/* In a program of a workload: it may do to files, users and priorities what root may, and nothing to the machine. */
void give_up_rights(void);

/* --- unpack.c --- */
/* A newc archive into the working directory; false: it is no such archive, or there is no room for it. */
bool unpack(int archive);
