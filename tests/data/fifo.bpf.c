// The smallest policy that keeps a machine going: one queue, first come first served. For tests.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 7ULL
#define SLICE_NS (5ULL * 1000 * 1000)
#ifndef TIMEOUT_MS
#define TIMEOUT_MS 2000
#endif

void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym __weak;
bool scx_bpf_dsq_move_to_local(u64 dsq_id) __ksym __weak;
s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym;

#ifdef WITH_HINTS
struct hint {
	u64 expected_ns;
};
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct hint);
} hints SEC(".maps");
#endif

#ifdef FOREIGN
/* As sched-ext/scx's headers have them: a loader sets those that the kernel knows. */
const volatile u64 __SCX_DSQ_GLOBAL __weak;
const volatile u64 __SCX_KICK_IDLE __weak;
const volatile u64 __SCX_NOT_OF_ANY_KERNEL __weak;
#endif

SEC("struct_ops/enqueue")
void BPF_PROG(test_enqueue, struct task_struct *p, u64 enq_flags)
{
#ifdef WITH_HINTS
	struct hint *hint = bpf_task_storage_get(&hints, p, 0, 0);
	if (hint && hint->expected_ns == 0)
		return;
#endif
#ifdef LOSES_TASKS
	if (p->static_prio == 127) /* nice 7 is never served */
		return;
#endif
#ifdef FOREIGN
	if (__SCX_NOT_OF_ANY_KERNEL || __SCX_KICK_IDLE != SCX_KICK_IDLE)
		return;
	scx_bpf_dsq_insert(p, __SCX_DSQ_GLOBAL, SLICE_NS, enq_flags);
	return;
#endif
#ifdef BRANCHES
	volatile u64 seen[4] = {};
	for (int i = 0; i < 40; i++)
		seen[(enq_flags >> i) & 3] += i;
	if (seen[enq_flags & 3] == 12345)
		return;
#endif
	scx_bpf_dsq_insert(p, QUEUE, SLICE_NS, enq_flags);
}

SEC("struct_ops/dispatch")
void BPF_PROG(test_dispatch, s32 cpu, struct task_struct *prev)
{
#ifdef REFUSED
	*(volatile int *)prev = 1; /* a task is not the policy's to write to: the verifier refuses */
#endif
	scx_bpf_dsq_move_to_local(QUEUE);
}

SEC("struct_ops.s/init")
s32 BPF_PROG(test_init)
{
#ifdef INIT_FAILS
	return -12;
#endif
	return scx_bpf_create_dsq(QUEUE, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops test_ops = {
	.enqueue = (void *)test_enqueue,
	.dispatch = (void *)test_dispatch,
	.init = (void *)test_init,
	.timeout_ms = TIMEOUT_MS,
	.name = "test_fifo",
};
