/* Starts real programs: a place to work in, a name that says nothing, an output that is kept. */
#define _GNU_SOURCE
#include "host.h"
#include "programs.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORK "/job"
#define NAMES "/run/names"
static char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/usr/sbin", "HOME=/root", "LC_ALL=C", NULL};

/* *said* takes what it says to people, *output* its standard output when that goes somewhere else. */
static void take_place(const char *said, const char *output)
{
	sigset_t none;
	int in = open("/dev/null", O_RDONLY), out = open(said, O_WRONLY | O_CREAT | O_APPEND, 0644);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(in, 0);
	dup2(out, 1);
	dup2(out, 2);
	setsid();
	if (chdir(WORK))
		_exit(126);
	if (output && dup2(open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), 1) < 0)
		_exit(126);
	if (on_host)
		give_up_rights();
}

/* Where the words' first one is found; the kernel takes a process's name from the path it was started by. */
static void find(const char *word, char out[256])
{
	static const char *const places[] = {"/usr/local/bin", "/usr/bin", "/usr/sbin"};
	snprintf(out, 256, "%s", word);
	for (unsigned i = 0; i < sizeof places / sizeof *places && !strchr(word, '/'); i++) {
		snprintf(out, 256, "%s/%s", places[i], word);
		if (!access(out, X_OK))
			return;
	}
}

void program_exec(const struct program *program, const char *output, const char *name)
{
	char path[256], link[64];
	take_place(output, program->output);
	find(program->argv[0], path);
	if (name) {
		mkdir(NAMES, 0755);
		snprintf(link, sizeof link, NAMES "/%s", name);
		unlink(link);
		if (!symlink(path, link))
			snprintf(path, sizeof path, "%s", link);
	}
	if (program->nice)
		setpriority(PRIO_PROCESS, 0, program->nice);
	if (program->hint_ns)
		offer_hint(program->hint_ns);
	execve(path, program->argv, environment);
	_exit(127);
}

int shell_run(const char *line, const char *output, uint64_t until_ns)
{
	char *const words[] = {"sh", "-e", "-c", (char *)line, NULL};
	int status;
	pid_t pid = fork();
	if (pid < 0)
		return 126;
	if (pid == 0) {
		take_place(output, NULL);
		execve("/usr/bin/sh", words, environment);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (now_ns() >= until_ns)
			kill(-pid, SIGKILL);
		sleep_ms(2);
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	ioctl(s, SIOCSIFFLAGS, &request);
	close(s);
}

bool await_tcp(unsigned tcp_port, uint64_t until_ns)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)tcp_port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while (now_ns() < until_ns) {
		int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		bool there = !connect(s, (struct sockaddr *)&address, sizeof address);
		close(s);
		if (there)
			return true;
		sleep_ms(10);
	}
	return false;
}
