/* schedops-hint: runs a command as if it had been started itself, tells the resident loader before it begins how much
 * CPU time history expects it to need, and notes afterwards how much it took. Whatever of this is not possible is left
 * out: the command always runs.
 *
 * Files, both optional: a table of hints (made by `schedops hint compile`) and a log of what was measured (read by
 * `schedops hint learn`). They are $SCHEDOPS_HINT_TABLE and $SCHEDOPS_HINT_LOG, else hints.table and hints.log in the
 * .schedops/ of the project. Only regular files of the calling user are used, and no symbolic link is followed to them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define KEY_DIGITS 16
/* As in schedops/guest/guest.h, where the protocol is described (hints.c). */
#define HINT_SOCKET "/run/schedops-hint.sock"

/* --- sha256.c ---------------------------------------------------------------------------------------------------- */
struct sha256 {
	uint32_t state[8];
	uint64_t length;
	uint8_t block[64];
};
void sha256_start(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t size);
/* The first eight bytes of the digest as a big-endian number. */
uint64_t sha256_head(struct sha256 *hash);

/* --- hint_key.c -------------------------------------------------------------------------------------------------- */
/* Where a command runs. *cwd* is empty when nobody can say, *root* (top of the project) as well. */
struct place {
	char cwd[4096], root[4096];
};
void place_find(struct place *place);
uint64_t key_of_name(const char *name);
uint64_t key_of_command(char *const *words, const struct place *place);
/* Of the file that -o names; 0 when there is none. */
uint64_t key_of_output(char *const *words);

/* --- hint_files.c ------------------------------------------------------------------------------------------------ */
struct expected {
	uint64_t ns;	     /* 0: nobody knows */
	uint64_t longest_ns; /* of all jobs that the table knows */
};
struct expected table_find(const struct place *place, const uint64_t *keys, int n);

struct measured {
	uint64_t key, cpu_us, wall_us;
	int code; /* exit code, 128 + signal when killed */
};
void log_append(const struct place *place, const struct measured *measured);

/* --- hint_run.c -------------------------------------------------------------------------------------------------- */
/* Runs the command to its end, *nicer* than this process; its wait status is returned. */
int run_measured(char *const *words, uint64_t hint_ns, int nicer, struct measured *measured);
/* Ends this process the way the command ended. */
void end_as(int status) __attribute__((noreturn));
