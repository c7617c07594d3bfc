/* SPDX-License-Identifier: GPL-2.0-only */
/* What code written for sched-ext/scx's headers needs to use a BPF arena. */
#ifndef SCHEDOPS_SCX_ARENA_H
#define SCHEDOPS_SCX_ARENA_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#ifndef PAGE_SIZE
#define PAGE_SIZE __PAGE_SIZE
#endif

#ifdef __wasm__ /* the simulator's arenas are memory like any other, and its loops end when time is up */
#define __arena
#define __arena_global
#define can_loop true
#else
/* Clang 19 makes the casts between address spaces by itself. */
#define __arena __attribute__((address_space(1)))
#define __arena_global __attribute__((address_space(1)))
#endif
#define cast_kern(ptr)
#define cast_user(ptr)

void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, __u32 page_cnt, int node_id, __u64 flags)
	__ksym __weak;
void bpf_arena_free_pages(void *map, void __arena *ptr, __u32 page_cnt) __ksym __weak;

/* True until the kernel's budget for the loop (BPF_MAY_GOTO) is used up. */
#ifndef can_loop
#define can_loop                                                         \
	({                                                               \
		__label__ over, on;                                      \
		bool more = true;                                        \
		asm volatile goto("may_goto %l[over]" : : : : over);     \
		goto on;                                                 \
over:                                                                    \
		more = false;                                            \
on:;                                                                     \
		more;                                                    \
	})
#endif
#define cond_break ({ if (!can_loop) break; })

#endif /* SCHEDOPS_SCX_ARENA_H */
