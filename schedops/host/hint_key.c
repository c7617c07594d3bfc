/* What a job is known by. The rules are written down in schedops/workloads/learn/job_key.py, which computes the same. */
#define _GNU_SOURCE
#include "hint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const TEMPORARY[] = {"/tmp", "/var/tmp"};
enum { TEMPORARIES = 2 };

static bool delimits(char c)
{
	return c && strchr(",:;=\"'()@ ", c);
}

/* ---- where ---- */

static bool holds(const char *directory, const char *name)
{
	char path[4200];
	struct stat found;
	return snprintf(path, sizeof path, "%s/%s", directory, name) < (int)sizeof path && !lstat(path, &found);
}

/* The nearest directory upwards that holds .git or .schedops. */
static void root_search(struct place *place)
{
	strcpy(place->root, place->cwd);
	while (*place->root && !holds(place->root, ".git") && !holds(place->root, ".schedops"))
		*strrchr(place->root, '/') = 0;
}

void place_find(struct place *place)
{
	const char *said = getenv("SCHEDOPS_HINT_ROOT");
	if (!getcwd(place->cwd, sizeof place->cwd) || *place->cwd != '/' || !place->cwd[1])
		*place->cwd = 0;
	*place->root = 0;
	if (said && *said == '/' && strlen(said) < sizeof place->root) {
		strcpy(place->root, said);
		for (size_t n = strlen(place->root); n && place->root[n - 1] == '/'; n--)
			place->root[n - 1] = 0;
	} else {
		root_search(place);
	}
}

/* The working directory below the root, without a slash before it. */
static const char *below_root(const struct place *place)
{
	size_t n = strlen(place->root);
	if (!n || strncmp(place->cwd, place->root, n) || (place->cwd[n] && place->cwd[n] != '/'))
		return "";
	return place->cwd[n] ? place->cwd + n + 1 : "";
}

/* ---- one argument ---- */

static bool begins(const char *word, size_t at)
{
	return !at || delimits(word[at - 1]);
}

/* Alone, or behind a short option: -I/home */
static bool begins_path(const char *word, size_t at)
{
	return word[at] == '/' && (begins(word, at) || (at > 1 && word[at - 2] == '-' && begins(word, at - 2)));
}

static bool ends_name(char c)
{
	return !c || c == '/' || delimits(c);
}

static bool temporary(const char *path, size_t n)
{
	for (int i = 0; i < TEMPORARIES; i++)
		if (strlen(TEMPORARY[i]) == n && !strncmp(path, TEMPORARY[i], n))
			return true;
	return false;
}

/* How much of *path* is the working directory or one of its parents; *ups* parents up. */
static size_t known_parent(const char *path, const char *cwd, unsigned *ups)
{
	*ups = 0;
	for (size_t n = strlen(cwd); n > 1 && !temporary(cwd, n); ++*ups) {
		if (!strncmp(path, cwd, n) && ends_name(path[n]))
			return n;
		while (cwd[--n] != '/')
			;
	}
	return 0;
}

static size_t temporary_name(const char *path)
{
	for (int i = 0; i < TEMPORARIES; i++) {
		size_t n = strlen(TEMPORARY[i]);
		if (strncmp(path, TEMPORARY[i], n) || path[n] != '/')
			continue;
		while (path[n] && !delimits(path[n]))
			n++;
		return n;
	}
	return 0;
}

static void add_ups(struct sha256 *hash, unsigned ups)
{
	if (!ups)
		sha256_add(hash, ".", 1);
	for (unsigned i = 0; i < ups; i++)
		sha256_add(hash, i ? "/.." : "..", i ? 3 : 2);
}

static void add_word(struct sha256 *hash, const char *word, const char *cwd)
{
	size_t plain = 0; /* from here to *at* nothing is replaced */
	for (size_t at = 0; word[at];) {
		unsigned ups;
		size_t parent = begins_path(word, at) ? known_parent(word + at, cwd, &ups) : 0;
		size_t name = !parent && begins_path(word, at) ? temporary_name(word + at) : 0;
		if (!parent && !name) {
			at++;
			continue;
		}
		sha256_add(hash, word + plain, at - plain);
		if (parent)
			add_ups(hash, ups);
		else
			sha256_add(hash, "/tmp/*", 6);
		plain = at += parent + name;
	}
	sha256_add(hash, word + plain, strlen(word + plain));
}

/* ---- keys ---- */

static void start(struct sha256 *hash, const char *kind)
{
	static const char prefix[] = "schedops-hint-1 ";
	sha256_start(hash);
	sha256_add(hash, prefix, sizeof prefix - 1);
	sha256_add(hash, kind, strlen(kind) + 1);
}

static uint64_t key_of(const char *kind, const char *text)
{
	struct sha256 hash;
	start(&hash, kind);
	sha256_add(&hash, text, strlen(text));
	return sha256_head(&hash);
}

uint64_t key_of_name(const char *name)
{
	return key_of("name", name);
}

uint64_t key_of_output(char *const *words)
{
	for (; *words; words++)
		if (!strncmp(*words, "-o", 2) && ((*words)[2] || words[1]))
			return key_of("output", (*words)[2] ? *words + 2 : words[1]);
	return 0;
}

uint64_t key_of_command(char *const *words, const struct place *place)
{
	struct sha256 hash;
	const char *where = below_root(place), *slash = strrchr(*words, '/'), *program = slash ? slash + 1 : *words;
	start(&hash, "command");
	sha256_add(&hash, where, strlen(where) + 1);
	sha256_add(&hash, program, strlen(program) + 1);
	while (*++words) {
		add_word(&hash, *words, place->cwd);
		sha256_add(&hash, "", 1);
	}
	return sha256_head(&hash);
}
