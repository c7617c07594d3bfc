/* SPDX-License-Identifier: GPL-2.0-only */
/* The kfuncs again, under the names that flavours.h gives those with ___ in them. */

void so_dsq_insert(struct task_struct *p, u64 id, u64 slice, u64 flags) { __kf_dsq_insert(p, id, slice, flags); }
bool so_dsq_insert_bool(struct task_struct *p, u64 id, u64 slice, u64 flags)
{
	return __kf_dsq_insert(p, id, slice, flags);
}
bool so_dsq_move_to_local(u64 id) { return __kf_dsq_move_to_local(id); }
bool so_dsq_move_to_local_flags(u64 id, u64 flags) { return __kf_dsq_move_to_local(id); }
u32 so_reenqueue_local(void) { return __kf_reenqueue_local(); }
u64 so_now(void) { return __kf_now(); }
struct cgroup *so_task_cgroup(struct task_struct *p) { return scx_bpf_task_cgroup(p); }
bool so_task_set_slice(struct task_struct *p, u64 slice) { return scx_bpf_task_set_slice(p, slice); }
bool so_task_set_dsq_vtime(struct task_struct *p, u64 vtime) { return scx_bpf_task_set_dsq_vtime(p, vtime); }
void so_dsq_move_set_slice(struct bpf_iter_scx_dsq *it, u64 slice) { scx_bpf_dsq_move_set_slice(it, slice); }
void so_dsq_move_set_vtime(struct bpf_iter_scx_dsq *it, u64 vtime) { scx_bpf_dsq_move_set_vtime(it, vtime); }

void so_dsq_insert_vtime(struct task_struct *p, u64 id, u64 slice, u64 vtime, u64 flags)
{
	__kf_dsq_insert_vtime(p, id, slice, vtime, flags);
}

bool so_dsq_insert_vtime_args(struct task_struct *p, struct scx_bpf_dsq_insert_vtime_args *args)
{
	return __scx_bpf_dsq_insert_vtime(p, args);
}

bool so_dsq_move(struct bpf_iter_scx_dsq *it, struct task_struct *p, u64 id, u64 flags)
{
	return scx_bpf_dsq_move(it, p, id, flags);
}

bool so_dsq_move_vtime(struct bpf_iter_scx_dsq *it, struct task_struct *p, u64 id, u64 flags)
{
	return scx_bpf_dsq_move_vtime(it, p, id, flags);
}

s32 so_select_cpu_and(struct task_struct *p, s32 prev_cpu, u64 wake_flags, const struct cpumask *m, u64 flags)
{
	return scx_bpf_select_cpu_and(p, prev_cpu, wake_flags, m, flags);
}
