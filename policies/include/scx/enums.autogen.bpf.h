/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Constants that kernels have different values for, or do not all have, as variables that the loader fills from the
 * running kernel's BTF before the load; one that the kernel does not have stays 0. Those that never changed stay
 * constants, so that code written before sched-ext/scx had such variables can still initialise its own with them.
 */
#ifndef SCHEDOPS_SCX_ENUMS_H
#define SCHEDOPS_SCX_ENUMS_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

const volatile u64 __SCX_ENQ_HEAD __weak;
#define SCX_ENQ_HEAD __SCX_ENQ_HEAD
const volatile u64 __SCX_ENQ_IMMED __weak;
#define SCX_ENQ_IMMED __SCX_ENQ_IMMED
const volatile u64 __SCX_ENQ_RESCUE __weak;
#define SCX_ENQ_RESCUE __SCX_ENQ_RESCUE
const volatile u64 __SCX_DEQ_SCHED_CHANGE __weak;
#define SCX_DEQ_SCHED_CHANGE __SCX_DEQ_SCHED_CHANGE
const volatile u64 __SCX_TASK_SUB_INIT __weak;
#define SCX_TASK_SUB_INIT __SCX_TASK_SUB_INIT
const volatile u64 __SCX_TASK_IMMED __weak;
#define SCX_TASK_IMMED __SCX_TASK_IMMED
const volatile u64 __SCX_TASK_STATE_BITS __weak;
#define SCX_TASK_STATE_BITS __SCX_TASK_STATE_BITS
const volatile u64 __SCX_TASK_STATE_MASK __weak;
#define SCX_TASK_STATE_MASK __SCX_TASK_STATE_MASK
const volatile u64 __SCX_TASK_NONE __weak;
#define SCX_TASK_NONE __SCX_TASK_NONE
const volatile u64 __SCX_TASK_INIT __weak;
#define SCX_TASK_INIT __SCX_TASK_INIT
const volatile u64 __SCX_TASK_READY __weak;
#define SCX_TASK_READY __SCX_TASK_READY
const volatile u64 __SCX_TASK_ENABLED __weak;
#define SCX_TASK_ENABLED __SCX_TASK_ENABLED
const volatile u64 __SCX_TASK_NR_STATES __weak;
#define SCX_TASK_NR_STATES __SCX_TASK_NR_STATES
const volatile u64 __SCX_RQ_BAL_PENDING __weak;
#define SCX_RQ_BAL_PENDING __SCX_RQ_BAL_PENDING
const volatile u64 __SCX_RQ_BYPASSING __weak;
#define SCX_RQ_BYPASSING __SCX_RQ_BYPASSING
const volatile u64 __SCX_RQ_IN_BALANCE __weak;
#define SCX_RQ_IN_BALANCE __SCX_RQ_IN_BALANCE
const volatile u64 __SCX_RQ_IN_DISPATCH __weak;
#define SCX_RQ_IN_DISPATCH __SCX_RQ_IN_DISPATCH

#endif /* SCHEDOPS_SCX_ENUMS_H */
