/* What the kernel's verifier says of each program: instructions, states, stack, sizes (veristat's figures). */
#define _GNU_SOURCE
#include "loader.h"

#include <bpf/bpf.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOG_STATS = 4, STATS_BYTES = 8 << 10 }; /* BPF_LOG_STATS of the kernel's include/linux/bpf_verifier.h */

void figures_ask(struct bpf_object *object)
{
	struct bpf_program *program;
	bpf_object__for_each_program(program, object) {
		char *log = calloc(1, STATS_BYTES);
		if (log && !bpf_program__set_log_buf(program, log, STATS_BYTES))
			bpf_program__set_log_level(program, LOG_STATS);
	}
}

static uint32_t after(const char *log, const char *word)
{
	const char *found = strstr(log, word);
	return found ? (uint32_t)strtoul(found + strlen(word), NULL, 10) : 0;
}

/* "stack depth 40+0+16", one figure per function: together the most that a chain of calls can take; "stack depth max
 * 56" where the kernel says that itself (7.3; 6.16 does not). */
static uint32_t stack_of(const char *log)
{
	static const char words[] = "stack depth ";
	const char *at = strstr(log, words);
	uint32_t bytes = 0;
	if (!at)
		return 0;
	at += sizeof words - 1;
	at += strncmp(at, "max ", 4) ? 0 : 4;
	for (char *end; isdigit((unsigned char)*at); at = *end == '+' ? end + 1 : "")
		bytes += (uint32_t)strtoul(at, &end, 10);
	return bytes;
}

/* The object says what its programs are called, and may say anything. */
static void keep_name(const char *name, char out[64])
{
	snprintf(out, 64, "%s", name);
	for (char *c = out; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '_' && *c != '.')
			*c = '?';
}

static void take_one(const struct bpf_program *program, struct figures *f)
{
	struct bpf_prog_info info = {0};
	unsigned size = sizeof info;
	size_t log_size = 0;
	const char *log = bpf_program__log_buf(program, &log_size);
	keep_name(bpf_program__name(program), f->name);
	if (!bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size)) {
		f->verified = info.verified_insns;
		f->xlated = info.xlated_prog_len;
		f->jited = info.jited_prog_len;
	}
	if (!log || !log_size)
		return;
	f->total_states = after(log, " total_states ");
	f->peak_states = after(log, " peak_states ");
	f->stack = stack_of(log);
}

void figures_take(struct bpf_object *object, struct figures_of_all *all)
{
	struct bpf_program *program;
	bpf_object__for_each_program(program, object)
		if (bpf_program__fd(program) >= 0 && all->programs < MAX_FIGURES)
			take_one(program, &all->program[all->programs++]);
}

/* "program <name> <verified> <total states> <peak states> <stack> <xlated> <jited>" */
void figures_reply(const struct figures_of_all *all)
{
	for (const struct figures *f = all->program; f < all->program + all->programs; f++)
		reply_add("program %s %u %u %u %u %u %u\n", *f->name ? f->name : "?", f->verified, f->total_states,
			  f->peak_states, f->stack, f->xlated, f->jited);
}
