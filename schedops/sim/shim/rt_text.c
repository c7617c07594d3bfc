/* SPDX-License-Identifier: GPL-2.0-only */
/* Words: strings that are copied, and why a policy gives up. */

void IMPORT(exit)(u32 kind, s64 code, const char *text, u64 length);

long bpf_probe_read_kernel(void *dst, u32 size, const void *from)
{
	memcpy(dst, from, size);
	return 0;
}

long bpf_probe_read_kernel_str(void *dst, u32 size, const void *from)
{
	char *to = dst;
	const char *in = from;
	u32 n = 0;

	if (!size)
		return 0;
	while (in && n + 1 < size && in[n]) {
		to[n] = in[n];
		n++;
	}
	to[n] = 0;
	return n + 1;
}

long bpf_strncmp(const char *a, u32 size, const char *b)
{
	for (u32 i = 0; i < size; i++) {
		if (a[i] != b[i] || !a[i])
			return (u8)a[i] - (u8)b[i];
	}
	return 0;
}

static char words[1024];
static u32 nr_words;

static void put(char letter)
{
	if (nr_words < sizeof(words))
		words[nr_words++] = letter;
}

static void put_number(u64 value, u32 base, u32 width, char fill)
{
	char digits[24];
	u32 n = 0;

	do
		digits[n++] = "0123456789abcdef"[value % base];
	while (value /= base);
	for (; width > n; width--)
		put(fill);
	while (n)
		put(digits[--n]);
}

static void put_value(char kind, u64 value, u32 width, char fill, bool is_long)
{
	if (kind == 's') {
		for (const char *text = (const char *)value; text && *text; text++)
			put(*text);
	} else if (kind == 'd' || kind == 'i') {
		s64 number = is_long ? (s64)value : (s32)value;

		if (number < 0)
			put('-');
		put_number(number < 0 ? -(u64)number : number, 10, width, fill);
	} else {
		put_number(is_long || kind == 'p' ? value : (u32)value, kind == 'u' ? 10 : 16, width, fill);
	}
}

/* The directives that bpf_bstr_printf() takes, near enough: flags, width, l's, one of d i u x p s. */
static void put_format(const char *format, const unsigned long long *data, u32 count)
{
	u32 next = 0;

	nr_words = 0;
	for (; *format; format++) {
		u32 width = 0;
		bool is_long = false;
		char fill = ' ';

		if (*format != '%' || format[1] == '%') {
			format += *format == '%';
			put(*format);
			continue;
		}
		format++;
		fill = *format == '0' ? '0' : ' ';
		while (*format >= '0' && *format <= '9')
			width = width * 10 + (*format++ - '0');
		for (; *format == 'l'; format++)
			is_long = true;
		if (!*format)
			return;
		put_value(*format, next < count ? data[next] : 0, width, fill, is_long);
		next++;
	}
}

void scx_bpf_error_bstr(char *format, unsigned long long *data, u32 size)
{
	put_format(format, data, size / 8);
	__kf_exit(SCX_EXIT_ERROR_BPF, 0, words, nr_words);
}

/* A run has no debug dump: ops.dump() is never called. */
void scx_bpf_dump_bstr(char *format, unsigned long long *data, u32 size) {}

void scx_bpf_exit_bstr(s64 code, char *format, unsigned long long *data, u32 size)
{
	put_format(format, data, size / 8);
	__kf_exit(SCX_EXIT_UNREG_BPF, code, words, nr_words);
}
