/* SPDX-License-Identifier: GPL-2.0-only */
/* In place of libbpf's: the macros that policies use, and the helpers that the runtime has. */
#ifndef __BPF_HELPERS__
#define __BPF_HELPERS__

#define SEC(name) __attribute__((used))
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline))
#define __weak __attribute__((weak))
#define __hidden __attribute__((visibility("hidden")))
#define __ksym
#define __kconfig
#define __kptr __attribute__((btf_type_tag("kptr")))
#define __kptr_untrusted __attribute__((btf_type_tag("kptr_untrusted")))
#define __percpu_kptr __attribute__((btf_type_tag("percpu_kptr")))
#define __arg_trusted
#define __arg_nonnull
#define __arg_nullable
#define __arg_ctx
#define __arg_arena
#define __bpf_unreachable() __builtin_trap()
#define barrier() asm volatile("" ::: "memory")

#define __uint(name, val) int(*name)[val]
#define __type(name, val) typeof(val) *name
#define __array(name, val) typeof(val) *name[]
#define __ulong(name, val) enum { name##_value = val } name

#define bpf_ksym_exists(sym) (!!(sym))
#define offsetof(type, member) __builtin_offsetof(type, member)
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

void *bpf_map_lookup_elem(void *map, const void *key);
long bpf_map_update_elem(void *map, const void *key, const void *value, u64 flags);
long bpf_map_delete_elem(void *map, const void *key);
void *bpf_map_lookup_percpu_elem(void *map, const void *key, u32 cpu);
long bpf_map_push_elem(void *map, const void *value, u64 flags);
long bpf_map_pop_elem(void *map, void *value);
long bpf_map_peek_elem(void *map, void *value);
void *bpf_ringbuf_reserve(void *ringbuf, u64 size, u64 flags);
void bpf_ringbuf_submit(void *data, u64 flags);
void bpf_ringbuf_discard(void *data, u64 flags);
long bpf_ringbuf_output(void *ringbuf, void *data, u64 size, u64 flags);
u64 bpf_ringbuf_query(void *ringbuf, u64 flags);
void *bpf_task_storage_get(void *map, struct task_struct *task, void *value, u64 flags);
long bpf_task_storage_delete(void *map, struct task_struct *task);
void *bpf_cgrp_storage_get(void *map, struct cgroup *cgroup, void *value, u64 flags);
long bpf_cgrp_storage_delete(void *map, struct cgroup *cgroup);
u64 bpf_ktime_get_ns(void);
u64 bpf_ktime_get_boot_ns(void);
u64 bpf_ktime_get_coarse_ns(void);
u64 bpf_jiffies64(void);
u32 bpf_get_smp_processor_id(void);
u32 bpf_get_numa_node_id(void);
void *bpf_per_cpu_ptr(const void *variable, u32 cpu);
u32 bpf_get_prandom_u32(void);
struct task_struct *bpf_get_current_task_btf(void);
u64 bpf_get_current_pid_tgid(void);
long bpf_probe_read_kernel(void *dst, u32 size, const void *from);
long bpf_probe_read_kernel_str(void *dst, u32 size, const void *from);
long bpf_strncmp(const char *a, u32 size, const char *b);
void bpf_spin_lock(struct bpf_spin_lock *lock);
void bpf_spin_unlock(struct bpf_spin_lock *lock);
long bpf_timer_init(struct bpf_timer *timer, void *map, u64 flags);
long bpf_timer_set_callback(struct bpf_timer *timer, void *callback);
long bpf_timer_start(struct bpf_timer *timer, u64 ns, u64 flags);
long bpf_timer_cancel(struct bpf_timer *timer);
void *bpf_kptr_xchg(void *at, void *pointer);
/* The callback is called by its own types: a kernel passes registers, whatever they are taken for. */
#define bpf_loop(count, callback, ctx, flags)                                                              \
	({                                                                                                  \
		u32 ___n = (count), ___i = 0;                                                               \
		void *___ctx = (ctx);                                                                       \
		while (___n <= BPF_MAX_LOOPS && ___i < ___n && !callback(___i++, ___ctx))                   \
			;                                                                                   \
		___n <= BPF_MAX_LOOPS ? (long)___i : -7L /* E2BIG */;                                       \
	})
#define bpf_printk(format, args...) ((void)0)

/* How many arguments there are, and each of them into an array; up to 12. */
#define ___bpf_nth(_, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, n, ...) n
#define ___bpf_narg(...) ___bpf_nth(_, ##__VA_ARGS__, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define ___bpf_fill0(values, at, rest...)
#define ___bpf_fill1(values, at, x) values[at] = (u64)(x)
#define ___bpf_fill2(values, at, x, rest...) ___bpf_fill1(values, at, x), ___bpf_fill1(values, at + 1, rest)
#define ___bpf_fill3(values, at, x, rest...) ___bpf_fill1(values, at, x), ___bpf_fill2(values, at + 1, rest)
#define ___bpf_fill4(values, at, x, rest...) ___bpf_fill1(values, at, x), ___bpf_fill3(values, at + 1, rest)
#define ___bpf_fill5(values, at, x, rest...) ___bpf_fill1(values, at, x), ___bpf_fill4(values, at + 1, rest)
#define ___bpf_fill6(values, at, x, rest...) ___bpf_fill1(values, at, x), ___bpf_fill5(values, at + 1, rest)
#define ___bpf_fill7(values, at, x, rest...) ___bpf_fill1(values, at, x), ___bpf_fill6(values, at + 1, rest)
#define ___bpf_fill8(values, at, x, rest...) ___bpf_fill1(values, at, x), ___bpf_fill7(values, at + 1, rest)
#define ___bpf_fill9(values, at, x, rest...) ___bpf_fill1(values, at, x), ___bpf_fill8(values, at + 1, rest)
#define ___bpf_fill10(values, at, x, rest...) ___bpf_fill1(values, at, x), ___bpf_fill9(values, at + 1, rest)
#define ___bpf_fill11(values, at, x, rest...) ___bpf_fill1(values, at, x), ___bpf_fill10(values, at + 1, rest)
#define ___bpf_fill12(values, at, x, rest...) ___bpf_fill1(values, at, x), ___bpf_fill11(values, at + 1, rest)
#define ___bpf_concat2(a, b) a##b
#define ___bpf_concat(a, b) ___bpf_concat2(a, b)
#define ___bpf_fill(values, args...) ___bpf_concat(___bpf_fill, ___bpf_narg(args))(values, 0, ##args)

#define bpf_for(i, start, end)                                                                             \
	for (struct bpf_iter_num ___it __attribute__((cleanup(bpf_iter_num_destroy))),                      \
	     *___p __attribute__((unused)) = (bpf_iter_num_new(&___it, (start), (end)), &___it);             \
	     ({ int *___t = bpf_iter_num_next(&___it);                                                       \
		___t && ((i) = *___t, (i) >= (start) && (i) < (end)); });)
#define bpf_repeat(count)                                                                                  \
	for (struct bpf_iter_num ___it __attribute__((cleanup(bpf_iter_num_destroy))),                      \
	     *___p __attribute__((unused)) = (bpf_iter_num_new(&___it, 0, (count)), &___it);                 \
	     bpf_iter_num_next(&___it);)
#define bpf_for_each(type, cur, args...)                                                                   \
	for (struct bpf_iter_##type ___it __attribute__((cleanup(bpf_iter_##type##_destroy))),              \
	     *___p __attribute__((unused)) = (bpf_iter_##type##_new(&___it, ##args), &___it);                \
	     ((cur) = bpf_iter_##type##_next(&___it));)

#endif
