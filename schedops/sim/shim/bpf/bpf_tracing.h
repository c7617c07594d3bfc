/* SPDX-License-Identifier: GPL-2.0-only */
/* In place of libbpf's: a callback takes its arguments as C passes them. */
#ifndef __BPF_TRACING_H__
#define __BPF_TRACING_H__

#define BPF_PROG(name, args...) name(args)

#endif
