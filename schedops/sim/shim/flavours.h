/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A name with ___ is the kfunc before the ___ to libbpf, which takes the one whose signature the kernel has. Here each
 * such name is the runtime's function of that signature; those that no kernel of 6.16 to 7.3 has stay undefined.
 */
#ifndef SCHEDOPS_SIM_FLAVOURS_H
#define SCHEDOPS_SIM_FLAVOURS_H

#define scx_bpf_dsq_insert___compat so_dsq_insert
#define scx_bpf_dsq_insert___v1 so_dsq_insert
#define scx_bpf_dsq_insert___v2___compat so_dsq_insert_bool
#define scx_bpf_dsq_insert___v2 so_dsq_insert_bool
#define scx_bpf_dsq_insert_vtime___compat so_dsq_insert_vtime
#define __scx_bpf_dsq_insert_vtime___compat so_dsq_insert_vtime_args
#define scx_bpf_dsq_move_to_local___compat so_dsq_move_to_local
#define scx_bpf_dsq_move_to_local___v1 so_dsq_move_to_local
#define scx_bpf_dsq_move_to_local___v2___compat so_dsq_move_to_local_flags
#define scx_bpf_dsq_move_to_local___v2 so_dsq_move_to_local_flags
#define scx_bpf_dsq_move___compat so_dsq_move
#define scx_bpf_dsq_move_vtime___compat so_dsq_move_vtime
#define scx_bpf_dsq_move_set_slice___compat so_dsq_move_set_slice
#define scx_bpf_dsq_move_set_vtime___compat so_dsq_move_set_vtime
#define scx_bpf_select_cpu_and___compat so_select_cpu_and
#define scx_bpf_task_set_slice___compat so_task_set_slice
#define scx_bpf_task_set_dsq_vtime___compat so_task_set_dsq_vtime
#define scx_bpf_now___compat so_now
#define scx_bpf_reenqueue_local___compat so_reenqueue_local
#define scx_bpf_reenqueue_local___v1 so_reenqueue_local
#define scx_bpf_task_cgroup___compat so_task_cgroup

#endif
