/* The table of hints and the log of measurements. Foreign files are neither read nor written. */
#define _GNU_SOURCE
#include "hint.h"

#include <endian.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char HEADER[] = "schedops-hint-log 1\n";
#define MAX_LOG_BYTES (16 << 20)
#define MAX_ROWS 100000

/* ---- finding ---- */

static int own_or_closed(int handle, mode_t type, off_t *size)
{
	struct stat found;
	if (handle < 0)
		return -1;
	if (fstat(handle, &found) || (found.st_mode & S_IFMT) != type || found.st_uid != geteuid()) {
		close(handle);
		return -1;
	}
	*size = found.st_size;
	return handle;
}

static int open_in_project(const struct place *place, const char *name, int flags)
{
	char path[4200];
	off_t unused;
	int directory, handle;
	if (!*place->root || snprintf(path, sizeof path, "%s/.schedops", place->root) >= (int)sizeof path)
		return -1;
	directory = own_or_closed(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), S_IFDIR, &unused);
	if (directory < 0)
		return -1;
	handle = openat(directory, name, flags, 0644);
	close(directory);
	return handle;
}

static int open_file(const struct place *place, const char *variable, const char *name, int flags, off_t *size)
{
	const char *said = getenv(variable);
	flags |= O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	return own_or_closed(said && *said ? open(said, flags, 0644) : open_in_project(place, name, flags), S_IFREG, size);
}

/* ---- the table: a header, then rows sorted by key; little endian; written by schedops/workloads/learn/table.py ---- */

struct row {
	uint64_t key, ns;
};

struct table {
	char magic[8];
	uint64_t rows;
	struct row row[];
};

static uint64_t search(const struct table *table, uint64_t rows, uint64_t key)
{
	uint64_t low = 0, high = rows;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2, found = le64toh(table->row[middle].key);
		if (found == key)
			return le64toh(table->row[middle].ns);
		if (found < key)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

static struct expected search_all(const struct table *table, size_t size, const uint64_t *keys, int n)
{
	uint64_t rows = le64toh(table->rows);
	struct expected found = {0};
	if (memcmp(table->magic, "SCHHINT1", 8) || rows > MAX_ROWS || size != sizeof *table + rows * sizeof(struct row))
		return found;
	for (int i = 0; i < n && !found.ns; i++)
		found.ns = search(table, rows, keys[i]);
	for (uint64_t i = 0; i < rows; i++)
		if (le64toh(table->row[i].ns) > found.longest_ns)
			found.longest_ns = le64toh(table->row[i].ns);
	return found;
}

struct expected table_find(const struct place *place, const uint64_t *keys, int n)
{
	off_t size;
	struct expected found = {0};
	int handle = open_file(place, "SCHEDOPS_HINT_TABLE", "hints.table", O_RDONLY, &size);
	if (handle < 0)
		return found;
	if (size >= (off_t)sizeof(struct table)) {
		/* A table is replaced as a whole, never cut short, so what is mapped stays. */
		void *table = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, handle, 0);
		if (table != MAP_FAILED) {
			found = search_all(table, (size_t)size, keys, n);
			munmap(table, (size_t)size);
		}
	}
	close(handle);
	return found;
}

/* ---- the log ---- */

/* Ours, or empty: whatever a variable names, nothing is appended to a file of another kind. */
static bool is_log(int handle, off_t size)
{
	char head[sizeof HEADER - 1];
	return !size || (pread(handle, head, sizeof head, 0) == sizeof head && !memcmp(head, HEADER, sizeof head));
}

/* One write of far less than PIPE_BUF bytes: records of several processes do not mix. */
void log_append(const struct place *place, const struct measured *measured)
{
	char line[160];
	off_t size;
	int handle = open_file(place, "SCHEDOPS_HINT_LOG", "hints.log", O_RDWR | O_APPEND | O_CREAT, &size);
	if (handle < 0)
		return;
	if (is_log(handle, size) && size < MAX_LOG_BYTES) {
		int n = snprintf(line, sizeof line, "%s%016" PRIx64 " %" PRIu64 " %" PRIu64 " %d %lld\n",
				 size ? "" : HEADER, measured->key, measured->cpu_us, measured->wall_us,
				 measured->code, (long long)time(NULL));
		if (write(handle, line, (size_t)n) != n) {
			/* A full disk is nothing that a build should fail of. */
		}
	}
	close(handle);
}
