/* SPDX-License-Identifier: GPL-2.0-only */
/* Flaw: takes SCHED_EXT tasks only, so no ordinary task is ever scheduled by it. */
#include "schedops.h"

char _license[] SEC("license") = "GPL";

SEC(".struct_ops.link")
struct sched_ext_ops partial_ops = {
	.flags		= SCX_OPS_SWITCH_PARTIAL,
	.timeout_ms	= 5000,
	.name		= "partial",
};
