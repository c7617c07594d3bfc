/* SPDX-License-Identifier: GPL-2.0-only */
/* Flaw: init fails. The kernel reports the attach as a success. */
#include "schedops.h"

char _license[] SEC("license") = "GPL";

s32 OP_SLEEPABLE(bad_init)
{
	return -EINVAL;
}

SEC(".struct_ops.link")
struct sched_ext_ops bad_ops = {
	.init		= (void *)bad_init,
	.timeout_ms	= 5000,
	.name		= "never_enabled",
};
