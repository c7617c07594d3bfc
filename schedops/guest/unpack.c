/* The archive of programs, which in a guest the kernel unpacks: newc, without hard links; more may follow it.
 * Documentation/driver-api/early-userspace/buffer-format.rst */
#define _GNU_SOURCE
#include "host.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER = 110, FIELDS = 13, MODE = 1, FILE_SIZE = 6, NAME_SIZE = 11 };

static bool read_all(int archive, char *data, size_t length)
{
	for (ssize_t n; length; data += n, length -= (size_t)n)
		if ((n = read(archive, data, length)) <= 0)
			return false;
	return true;
}

/* Zeros between archives are passed over. Returns how much was read: a header, 0 at the end, or less. */
static size_t read_bytes(int archive, char header[HEADER + 1])
{
	do {
		ssize_t n = read(archive, header, 4);
		if (n <= 0)
			return 0;
	} while (!memcmp(header, "\0\0\0\0", 4));
	return read_all(archive, header + 4, HEADER - 4) ? HEADER : 4;
}

static bool read_header(const char *header, unsigned field[FIELDS])
{
	char digits[9] = {0};
	if (memcmp(header, "070701", 6))
		return false;
	for (unsigned i = 0; i < FIELDS; i++) {
		memcpy(digits, header + 6 + 8 * i, 8);
		field[i] = (unsigned)strtoul(digits, NULL, 16);
	}
	return field[NAME_SIZE] > 0 && field[NAME_SIZE] <= 4096;
}

/* Whatever was read so far is a multiple of 4 bytes. */
static bool skip_to_4(int archive, size_t length)
{
	char rest[4];
	return read_all(archive, rest, -length % 4);
}

static bool take_file(int archive, const char *name, unsigned mode, size_t size)
{
	int file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n = 1;
	for (size_t left = size; file >= 0 && left && n > 0; left -= (size_t)n)
		n = sendfile(file, archive, NULL, left);
	bool taken = file >= 0 && n > 0 && !fchmod(file, mode & 07777);
	close(file);
	return taken;
}

static bool take_link(int archive, const char *name, size_t size)
{
	char target[4097] = {0};
	if (size >= sizeof target || !read_all(archive, target, size))
		return false;
	unlink(name);
	return !symlink(target, name);
}

static bool take(int archive, const char *name, unsigned mode, size_t size)
{
	if (S_ISDIR(mode))
		return !mkdir(name, 0755) ? !chmod(name, mode & 07777) : !access(name, F_OK);
	return S_ISLNK(mode) ? take_link(archive, name, size) : take_file(archive, name, mode, size);
}

bool unpack(int archive)
{
	static char name[4097];
	char header[HEADER + 1] = {0};
	unsigned field[FIELDS];
	bool whole = false;
	for (size_t n; (n = read_bytes(archive, header));) {
		if (n < HEADER || !read_header(header, field) || !read_all(archive, name, field[NAME_SIZE]) ||
		    !skip_to_4(archive, HEADER + field[NAME_SIZE]))
			return false;
		name[field[NAME_SIZE] - 1] = 0;
		whole = !strcmp(name, "TRAILER!!!");
		if (!whole && (!take(archive, name, field[MODE], field[FILE_SIZE]) || !skip_to_4(archive, field[FILE_SIZE])))
			return false;
	}
	return whole;
}
