/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of the runtime, never given back; and what a compiler takes for granted. */

#define PAGE 65536UL
#define MAX_BYTES (1UL << 32) /* more than there is */
/* A policy may bring its own. */
#define WEAK __attribute__((weak))

void IMPORT(fault)(u32 what);
enum { FAULT_MEMORY = 1, FAULT_MAP = 2, FAULT_TASK = 3, FAULT_CGROUP = 4, FAULT_OBJECT = 5, FAULT_RECORD = 6 };
void IMPORT(missing)(u32 what);
enum { MISSING_ARENA_AT = 1, MISSING_ARENA_PAGES = 2, MISSING_TYPE = 3 };

extern u8 __heap_base;
static u64 heap_used;

/* Zeroed. Ends the run when the sandbox is full. */
static void *alloc(u64 bytes)
{
	u64 start = ((heap_used ? heap_used : (u64)&__heap_base) + 255) & ~255UL;
	u64 have = __builtin_wasm_memory_size(0) * PAGE;

	bytes = bytes < MAX_BYTES ? bytes : MAX_BYTES;
	heap_used = start + bytes;
	if (heap_used > have && __builtin_wasm_memory_grow(0, (heap_used - have + PAGE - 1) / PAGE) == (u64)-1) {
		__kf_fault(FAULT_MEMORY);
		__builtin_trap();
	}
	return (void *)start;
}

/* What is allocated next begins where one of WebAssembly's pages does. */
static void align_heap(void) { heap_used = (heap_used + PAGE - 1) & ~(PAGE - 1); }

WEAK void *memset(void *to, int value, size_t n)
{
	for (u8 *at = to; n--;)
		*at++ = value;
	return to;
}

WEAK void *memcpy(void *to, const void *from, size_t n)
{
	const u8 *in = from;

	for (u8 *at = to; n--;)
		*at++ = *in++;
	return to;
}

WEAK int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n--; x++, y++) {
		if (*x != *y)
			return *x - *y;
	}
	return 0;
}
