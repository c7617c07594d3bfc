/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Linked into every policy: what the kernel would be to it. It lives in the policy's memory and is as little trusted
 * as the policy; what counts is in the engine, behind the kf_* imports.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <asm-generic/errno.h>

/* A policy may have functions called kf_something; names with two underscores are nobody's. */
#define IMPORT(name) __attribute__((import_module("engine"), import_name("kf_" #name))) __kf_##name
#define EXPORT(name) __attribute__((export_name(#name))) name
#define FAST inline __attribute__((always_inline))

#include "rt_memory.c"
#include "rt_tasks.c"
#include "rt_masks.c"
#include "rt_fields.c"
#include "rt_maps.c"
#include "rt_elements.c"
#include "rt_rings.c"
#include "rt_arenas.c"
#include "rt_objects.c"
#include "rt_lists.c"
#include "rt_trees.c"
#include "rt_kfuncs.c"
#include "rt_flavours.c"
#include "rt_timers.c"
#include "rt_text.c"
