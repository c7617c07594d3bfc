/* SPDX-License-Identifier: GPL-2.0-only */
/* One flaw for each rule; the line says which: "flaw RULE", "doubt RULE" for a warning. Those without a line: at the
 * table below. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define SLICE_NS 5000000ULL

extern void scx_bpf_gone(u64 dsq_id) __ksym __weak;
extern void scx_bpf_gone_and_strong(void) __ksym;
extern s32 scx_bpf_task_running___wrong(const struct task_struct *p, u64 more) __ksym;
extern bool scx_bpf_task_cpu___other(const struct task_struct *p, struct task_struct *q) __ksym __weak;
extern int bpf_send_signal_task(struct task_struct *task, int sig, enum pid_type type, u64 value) __ksym __weak;

u64 seen;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << 20);
	__type(key, u32);
	__type(value, char[128]);
} large SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1U << 31);
} larger SEC(".maps");

static __noinline void put(struct task_struct *p, u64 flags)
{
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SLICE_NS, flags); /* flaw KFUNC-CONTEXT */
}

SEC("struct_ops.s/f_enqueue")
void BPF_PROG(f_enqueue, struct task_struct *p, u64 enq_flags) /* flaw SLEEPABLE-OP */
{
	u32 i;

	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SLICE_NS, enq_flags | 0x8); /* flaw ENUM-DRIFT */
	bpf_for(i, 0, 10000) /* doubt HOT-LOOP */
		seen += i;
}

SEC("struct_ops/f_dispatch")
void BPF_PROG(f_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;
	u32 i;

	bpf_for(i, 0, 40) {
		p = bpf_task_from_pid(i);
		if (!p)
			continue;
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SLICE_NS, 0); /* overflow */
		bpf_task_release(p);
	}
}

SEC("struct_ops/f_running")
void BPF_PROG(f_running, struct task_struct *p)
{
	put(p, 0);
	scx_bpf_gone(1); /* flaw COMPAT-KFUNC */
	scx_bpf_gone_and_strong(); /* flaw COMPAT-KFUNC */
	seen += scx_bpf_task_running___wrong(p, 1); /* flaw COMPAT-SIG */
	seen += scx_bpf_task_cpu___other(p, p); /* flaw COMPAT-SIG */
	scx_bpf_create_dsq(5, -1); /* flaw KFUNC-CONTEXT */
}

SEC("struct_ops/f_tick")
void BPF_PROG(f_tick, struct task_struct *p)
{
	char buf[8];

	seen += p->sighand != 0; /* flaw SEC-FIELD */
	seen += p->real_cred->uid.val; /* doubt SEC-FIELD */
	bpf_send_signal(9); /* flaw SEC-HELPER */
	bpf_probe_read_kernel(buf, sizeof(buf), &p->comm); /* doubt SEC-HELPER */
	bpf_send_signal_task(p, 9, PIDTYPE_PID, 0); /* flaw SEC-KFUNC */
}

SEC("kprobe/do_exit")
int f_extra(void *ctx)
{
	return 0; /* flaw OBJ-EXTRA-PROG */
}

SEC(".struct_ops.link")
struct sched_ext_ops flawed_ops = {
	.enqueue	= (void *)f_enqueue,
	.dispatch	= (void *)f_dispatch,
	.running	= (void *)f_running,
	.tick		= (void *)f_tick,
	.flags		= SCX_OPS_SWITCH_PARTIAL | 1ULL << 40,
	.timeout_ms	= 30001,
	.dispatch_max_batch = 1U << 31,
	.name		= "flawed policy",
};
/* At the table: flaw NAME, flaw FLAGS, flaw PARTIAL, flaw TIMEOUT-RANGE, flaw OBJ-BATCH, flaw MAP-SIZE, doubt MAP-SIZE,
 * flaw OBJ-LICENCE. */

char _license[] SEC("license") = "Proprietary";
