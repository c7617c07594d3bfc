/* SPDX-License-Identifier: GPL-2.0-only */
/* Sound, but not the scheduler that its description speaks of. */
#include "schedops.h"

char _license[] SEC("license") = "GPL";

SEC(".struct_ops.link")
struct sched_ext_ops other_ops = {
	.timeout_ms	= 5000,
	.name		= "other",
};
