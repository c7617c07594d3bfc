/* What the parts of the resident loader share. */
#pragma once

#include "guest.h"

#include <bpf/libbpf.h>

enum { MAX_FIGURES = 128 };

/* One program as the kernel's verifier saw it; 0 where this kernel does not say. */
struct figures {
	char name[64];
	uint32_t verified, total_states, peak_states, stack, xlated, jited;
};

struct figures_of_all {
	unsigned programs;
	struct figures program[MAX_FIGURES];
};

/* --- enums.c: the variables of sched-ext/scx's headers --- */
void enums_set(struct bpf_object *object);

/* --- figures.c --- */
/* Before the load: asks the verifier for its statistics, and for nothing else of its log. */
void figures_ask(struct bpf_object *object);
void figures_take(struct bpf_object *object, struct figures_of_all *all);
void figures_reply(const struct figures_of_all *all);
