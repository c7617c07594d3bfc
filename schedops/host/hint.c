/* schedops-hint [--key NAME] [--nice N] [--print-key] [--] COMMAND [ARGUMENT]... */
#include "hint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
	"usage: schedops-hint [--key NAME] [--nice N] [--print-key] [--] COMMAND [ARGUMENT]...\n"
	"\n"
	"Runs COMMAND, hands what history expects it to need to the resident loader of a policy, and notes what it took\n"
	"in .schedops/hints.log of the project. `schedops hint learn` makes hints of the log.\n"
	"\n"
	"  --key NAME   what the job is known by; else its arguments, without what differs between checkouts\n"
	"  --nice N     without a policy: nicer by N (1 to 19) when less than half of the longest job known is expected\n"
	"  --print-key  print the key and run nothing\n";

struct asked {
	const char *name; /* NULL: by arguments */
	bool print_key;
	int nice; /* 0: as it is */
	char **words;
};

static void usage(FILE *where, int code)
{
	fputs(USAGE, where);
	exit(code);
}

static int number_of(const char *word)
{
	char *end;
	long number = strtol(word, &end, 10);
	if (end == word || *end || number < 1 || number > 19)
		usage(stderr, 2);
	return (int)number;
}

static struct asked read_words(char **words)
{
	struct asked asked = {0};
	for (; *words && **words == '-'; words++) {
		if (!strcmp(*words, "--")) {
			words++;
			break;
		}
		if (!strcmp(*words, "--help"))
			usage(stdout, 0);
		if (!strcmp(*words, "--print-key"))
			asked.print_key = true;
		else if (!strncmp(*words, "--key=", 6))
			asked.name = *words + 6;
		else if (!strcmp(*words, "--key") && words[1])
			asked.name = *++words;
		else if (!strcmp(*words, "--nice") && words[1])
			asked.nice = number_of(*++words);
		else
			usage(stderr, 2);
	}
	if (!*words)
		usage(stderr, 2);
	asked.words = words;
	return asked;
}

/* As the informed default of schedops/workloads/arms.py: nobody waits for these jobs longest. */
static bool is_short(const struct expected *expected)
{
	return expected->ns && expected->ns < expected->longest_ns / 2;
}

int main(int argc, char **argv)
{
	static struct place place;
	struct asked asked = read_words(argv + (argc > 0));
	struct measured measured = {0};
	struct expected expected;
	uint64_t keys[2];
	int status, n = 1;
	place_find(&place);
	measured.key = keys[0] = asked.name ? key_of_name(asked.name) : key_of_command(asked.words, &place);
	if (asked.print_key) {
		printf("%016" PRIx64 "\n", measured.key);
		return 0;
	}
	/* Logs of ninja know a job by what it makes. */
	if (!asked.name && (keys[1] = key_of_output(asked.words)))
		n = 2;
	expected = table_find(&place, keys, n);
	status = run_measured(asked.words, expected.ns, asked.nice && is_short(&expected) ? asked.nice : 0, &measured);
	log_append(&place, &measured);
	end_as(status);
}
