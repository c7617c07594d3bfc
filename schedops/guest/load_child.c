/* Tasks with children: forkers, and execers, whose children become another program. */
#define _GNU_SOURCE
#include "load.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXECUTED "/run/executed"
enum { EXECUTED_EXIT = 42 };

/* The smallest program there is: a static libc takes 25 ms of an emulated CPU to come up, this one next to nothing. */
extern const char executed_begin[], executed_end[];
__asm__(".pushsection .rodata\n"
	"executed_begin:\n"
	"	.byte 0x7f, 'E', 'L', 'F', 2, 1, 1, 0\n"
	"	.quad 0\n"
	"	.short 2, 62\n" /* ET_EXEC, EM_X86_64 */
	"	.long 1\n"
	"	.quad 0x400000 + executed_code - executed_begin, 64, 0\n" /* entry, program headers, sections */
	"	.long 0\n"
	"	.short 64, 56, 1, 0, 0, 0\n"
	"	.long 1, 5\n" /* PT_LOAD, read and execute */
	"	.quad 0, 0x400000, 0x400000, executed_end - executed_begin, executed_end - executed_begin, 0x1000\n"
	"executed_code:\n"
	"	mov $24, %eax\n" /* sched_yield: the policy is to see it queued after the exec */
	"	syscall\n"
	"	mov $60, %eax\n" /* exit */
	"	mov $42, %edi\n"
	"	syscall\n"
	"executed_end:\n"
	"	.popsection\n");

void children_prepare(void)
{
	int file = open(EXECUTED, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	if (write(file, executed_begin, (size_t)(executed_end - executed_begin)) < 0)
		power_off();
	close(file);
}

/* The child notes its own waits in its parent's slot: while it lives, its parent waits for it and not for a CPU.
 * One that becomes another program needs no copy of its parent's memory, which takes most of the time of a fork. */
static int run_child(struct slot *slot, const struct load_group *group)
{
	struct rusage usage;
	int status = 0;
	pid_t child = group->kind == EXECER ? vfork() : fork();
	if (child == 0) {
		progress(slot);
		work_in_steps(slot, group->work_us);
		slot->ran++;
		if (group->kind == EXECER)
			execl(EXECUTED, EXECUTED, (char *)NULL);
		_exit(0);
	}
	waitpid(child, &status, 0);
	progress(slot);
	getrusage(RUSAGE_CHILDREN, &usage);
	slot->children_us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
			    (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	return status;
}

void forker_step(struct slot *slot, const struct load_group *group)
{
	run_child(slot, group);
	sleep_well(slot, group->sleep_us);
}

/* From the exec on nobody writes the child's clock: until its parent has heard of its end, that is one wait. */
void execer_step(struct slot *slot, const struct load_group *group)
{
	int status;
	do
		status = run_child(slot, group);
	while (!WIFEXITED(status) || WEXITSTATUS(status) != EXECUTED_EXIT);
	sleep_well(slot, group->sleep_us);
}
