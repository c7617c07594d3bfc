/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where code written for sched-ext/scx's headers notes why the kernel let it go. Nobody reads the record here: the
 * verifier has the reason and the debug dump from the kernel itself, so the dump is not kept a second time.
 */
#ifndef SCHEDOPS_SCX_USER_EXIT_INFO_H
#define SCHEDOPS_SCX_USER_EXIT_INFO_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

enum uei_sizes {
	UEI_REASON_LEN = 128,
	UEI_MSG_LEN = 1024,
	UEI_DUMP_DFL_LEN = 32768,
};

struct user_exit_info {
	int kind;
	s64 exit_code;
	char reason[UEI_REASON_LEN];
	char msg[UEI_MSG_LEN];
};

#define UEI_DEFINE(name) struct user_exit_info name SEC(".data")

#define UEI_RECORD(name, ei)                                                              \
	({                                                                                \
		bpf_probe_read_kernel_str((name).reason, UEI_REASON_LEN, (ei)->reason);   \
		bpf_probe_read_kernel_str((name).msg, UEI_MSG_LEN, (ei)->msg);            \
		if (bpf_core_field_exists((ei)->exit_code))                               \
			(name).exit_code = (ei)->exit_code;                               \
		/* Last, and seen last: whoever polls the kind finds the rest complete. */ \
		__sync_fetch_and_add(&(name).kind, (ei)->kind);                           \
	})

#endif /* SCHEDOPS_SCX_USER_EXIT_INFO_H */
