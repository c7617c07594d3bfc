/* SPDX-License-Identifier: GPL-2.0-only */
/* How a run ends, in words. */
#include "engine.h"

static struct {
	u32 verdict, kind;
	u64 length;
	s64 exit_code;
	char text[1024];
} ending;
static const char *remark = ""; /* on a run that comes to its end */
static u8 leaving; /* the policy is on its way out */

static void put(char letter)
{
	if (ending.length < sizeof(ending.text))
		ending.text[ending.length++] = letter;
}

static void put_number(u64 value, u32 base, u32 width)
{
	char digits[24];
	u32 n = 0;

	do
		digits[n++] = "0123456789abcdef"[value % base];
	while (value /= base);
	while (width > n && width--)
		put('0');
	while (n)
		put(digits[--n]);
}

static void put_string(const char *text)
{
	while (*text)
		put(*text++);
}

static void put_signed(s64 value)
{
	if (value < 0)
		put('-');
	put_number(value < 0 ? -(u64)value : value, 10, 0);
}

/* One directive behind %: d u s x, with l's and a zero-padded width. Returns the last letter of it. */
static const char *put_directive(const char *format, __builtin_va_list *args)
{
	u32 width = 0, is_long = 0;
	u64 value;

	while (*format >= '0' && *format <= '9')
		width = width * 10 + (*format++ - '0');
	for (; *format == 'l'; format++)
		is_long = 1;
	if (*format == 's') {
		put_string(__builtin_va_arg(*args, const char *));
	} else if (*format == 'd') {
		put_signed(is_long ? __builtin_va_arg(*args, s64) : __builtin_va_arg(*args, s32));
	} else {
		value = is_long ? __builtin_va_arg(*args, u64) : __builtin_va_arg(*args, u32);
		put_number(value, *format == 'x' ? 16 : 10, width);
	}
	return format;
}

void stop(enum verdict verdict, u32 kind, const char *format, ...)
{
	__builtin_va_list args;

	if (stopped || ((leaving || ejected) && verdict == V_EJECTED)) /* nobody is ejected twice */
		return;
	if (verdict == V_EJECTED && go_on)
		ejected = 1;
	else
		stopped = 1;
	ending.length = 0;
	ending.verdict = verdict;
	ending.kind = kind;
	__builtin_va_start(args, format);
	for (; *format; format++) {
		if (*format == '%')
			format = put_directive(format + 1, &args);
		else
			put(*format);
	}
	__builtin_va_end(args);
	if (in_policy && stopped) /* when all go on, the callback does so too, as in the kernel */
		__builtin_trap();
}

/* verdict, kind (u32 each), length, exit code (u64 each), text */
u64 EXPORT(ending_at)(void)
{
	return (u64)&ending;
}
