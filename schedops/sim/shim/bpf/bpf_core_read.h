/* SPDX-License-Identifier: GPL-2.0-only */
/* In place of libbpf's: there is one kernel, and what it does not have does not compile. */
#ifndef __BPF_CORE_READ_H__
#define __BPF_CORE_READ_H__

#define bpf_core_type_exists(type) 1
#define bpf_core_field_exists(field...) 1
#define bpf_core_enum_value_exists(type, value) 1
#define bpf_core_enum_value(type, value) (value)
#define bpf_core_cast(pointer, type) ((type *)(pointer))
#define BPF_CORE_READ(source, member) ((source)->member)

#endif
