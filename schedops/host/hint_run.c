/* Starts the command, forwards signals, measures it, and ends as it ended. */
#define _GNU_SOURCE
#include "hint.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 20 }; /* for a loader that does not answer */

static const int FORWARDED[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
enum { FORWARDS = sizeof FORWARDED / sizeof *FORWARDED };

static volatile pid_t child;

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000;
}

/* ---- in the command's process, before it is the command ---- */

static bool trusted(int s)
{
	struct ucred who;
	socklen_t size = sizeof who;
	return !getsockopt(s, SOL_SOCKET, SO_PEERCRED, &who, &size) && (!who.uid || who.uid == geteuid());
}

/* The loader takes the sender's process id from the kernel, so the command's own process has to connect. */
static void offer(uint64_t hint_ns)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *said = getenv("SCHEDOPS_HINT_SOCKET"), *path = said && *said ? said : HINT_SOCKET;
	uint64_t message = htole64(hint_ns);
	int s;
	if (strlen(path) >= sizeof address.sun_path)
		return;
	strcpy(address.sun_path, path);
	s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0)
		return;
	if (!connect(s, (struct sockaddr *)&address, sizeof address) && trusted(s) &&
	    send(s, &message, sizeof message, MSG_NOSIGNAL) == sizeof message) {
		struct pollfd answer = {.fd = s, .events = POLLIN};
		poll(&answer, 1, PATIENCE_MS);
	}
	close(s);
}

static void __attribute__((noreturn)) become(char *const *words, uint64_t hint_ns, int nicer)
{
	if (nicer)
		setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + nicer);
	if (hint_ns)
		offer(hint_ns);
	execvp(*words, words);
	int why = errno;
	fprintf(stderr, "schedops-hint: %s: %s\n", *words, strerror(why));
	_exit(why == ENOENT ? 127 : 126);
}

/* Whoever kills the launcher means the command. */
static void die_with(pid_t launcher)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != launcher)
		raise(SIGKILL);
}

/* ---- in the launcher ---- */

/* The terminal sends its signals to the command as well (SI_KERNEL); what somebody sent to the launcher is passed on. */
static void forward(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code <= 0)
		kill(child, number);
}

static void forward_signals(void)
{
	struct sigaction action = {.sa_sigaction = forward, .sa_flags = SA_SIGINFO | SA_RESTART}, before;
	for (int i = 0; i < FORWARDS; i++) {
		sigaction(FORWARDED[i], NULL, &before);
		if (before.sa_handler != SIG_IGN) /* nohup */
			sigaction(FORWARDED[i], &action, NULL);
	}
}

static void measure(const struct rusage *usage, struct measured *measured)
{
	measured->cpu_us = (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000u +
			   (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

/* Signals are held back again before the process id may be somebody else's. */
static int reap(const sigset_t *forwarded, struct measured *measured)
{
	struct rusage usage = {0};
	siginfo_t info;
	int status = 127 << 8;
	while (waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) && errno == EINTR)
		;
	sigprocmask(SIG_BLOCK, forwarded, NULL);
	wait4(child, &status, 0, &usage);
	measure(&usage, measured);
	measured->code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return status;
}

int run_measured(char *const *words, uint64_t hint_ns, int nicer, struct measured *measured)
{
	struct sigaction inherited, plain = {.sa_handler = SIG_DFL};
	sigset_t forwarded, before;
	uint64_t started_us = now_us();
	pid_t self = getpid();
	int status;
	sigemptyset(&forwarded);
	for (int i = 0; i < FORWARDS; i++)
		sigaddset(&forwarded, FORWARDED[i]);
	sigprocmask(SIG_BLOCK, &forwarded, &before);
	sigaction(SIGCHLD, &plain, &inherited); /* who ignores it gets no status */
	child = fork();
	if (child <= 0) { /* no process to spare: the command takes this one, unmeasured */
		if (!child)
			die_with(self);
		sigaction(SIGCHLD, &inherited, NULL);
		sigprocmask(SIG_SETMASK, &before, NULL);
		become(words, hint_ns, nicer);
	}
	close_range(0, ~0u, 0); /* a pipe must end when the command lets go of it */
	forward_signals();
	sigprocmask(SIG_SETMASK, &before, NULL);
	status = reap(&forwarded, measured);
	measured->wall_us = now_us() - started_us;
	return status;
}

void end_as(int status)
{
	struct rlimit none = {0};
	sigset_t one;
	if (!WIFSIGNALED(status))
		_exit(WEXITSTATUS(status));
	setrlimit(RLIMIT_CORE, &none); /* the command has dumped its own */
	signal(WTERMSIG(status), SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, WTERMSIG(status));
	raise(WTERMSIG(status));
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	_exit(128 + WTERMSIG(status));
}
