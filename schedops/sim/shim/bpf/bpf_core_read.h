/* SPDX-License-Identifier: GPL-2.0-only */
/* In place of libbpf's: there is one kernel, and what it does not have does not compile. */
#ifndef __BPF_CORE_READ_H__
#define __BPF_CORE_READ_H__

#define bpf_core_type_exists(type) 1
#define bpf_core_field_exists(field...) 1
#define bpf_core_enum_value_exists(type, value) 1
#define bpf_core_enum_value(type, value) (value)
/* A type is known by a variable that says which one it is; Python finds them by this name (special_fields.py). */
#define bpf_core_type_id_local(type)                                                  \
	({                                                                             \
		static struct { type *of; } schedops_type __attribute__((used));       \
		(u64)&schedops_type;                                                   \
	})
#define bpf_core_cast(pointer, type) ((type *)(pointer))
#define BPF_CORE_READ(source, member) ((source)->member)

#endif
