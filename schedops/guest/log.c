/* A text that keeps its end and forgets its beginning. */
#include "guest.h"

#include <string.h>

void log_add(struct log *log, const char *text, size_t length)
{
	if (length > LOG_BYTES) {
		text += length - LOG_BYTES;
		length = LOG_BYTES;
	}
	if (log->used + length > LOG_BYTES) {
		/* Drop half at a time, so that a flood costs one move per 128 KiB and not one per line. */
		size_t keep = length > LOG_BYTES / 2 ? LOG_BYTES - length : LOG_BYTES / 2;
		if (keep + length > LOG_BYTES)
			keep = LOG_BYTES - length;
		if (keep > log->used)
			keep = log->used;
		memmove(log->text, log->text + log->used - keep, keep);
		log->used = (uint32_t)keep;
	}
	memcpy(log->text + log->used, text, length);
	log->used += (uint32_t)length;
}
