/* The hint socket: a process says how much CPU time it expects to use, and the policy's map learns it.
 *
 * A client connects to HINT_SOCKET (SOCK_SEQPACKET) and sends 8 bytes, little endian: nanoseconds, for itself.
 * It gets one byte back: 1 taken, 0 not. Who it is comes from the kernel (SO_PEERCRED), never from the message. */
#define _GNU_SOURCE
#include "guest.h"

#include <bpf/bpf.h>
#include <endian.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS = 256 };

static int listen_here(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = HINT_SOCKET};
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	unlink(HINT_SOCKET);
	if (bind(s, (struct sockaddr *)&address, sizeof address) || listen(s, 1024))
		return -1;
	return s;
}

static bool remember(int map, pid_t pid, uint64_t expected_ns)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	bool taken = pidfd >= 0 && !bpf_map_update_elem(map, &pidfd, &expected_ns, BPF_ANY);
	if (pidfd >= 0)
		close(pidfd);
	return taken;
}

static void answer(int client, int map)
{
	struct ucred who;
	socklen_t size = sizeof who;
	uint64_t expected_ns;
	char taken = 0;
	if (recv(client, &expected_ns, sizeof expected_ns, MSG_DONTWAIT) == sizeof expected_ns &&
	    !getsockopt(client, SOL_SOCKET, SO_PEERCRED, &who, &size))
		taken = remember(map, who.pid, le64toh(expected_ns));
	send(client, &taken, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(client);
}

/* fds[0] is the control pipe, fds[1] the listening socket, the rest are clients that have not spoken yet. */
static int serve_ready(struct pollfd *fds, int n, int map)
{
	int kept = 2;
	for (int i = 2; i < n; i++) {
		if (fds[i].revents)
			answer(fds[i].fd, map);
		else
			fds[kept++] = fds[i];
	}
	if (kept == CLIENTS) /* somebody connects and never speaks: the oldest goes */
		close(fds[2].fd), fds[2] = fds[--kept];
	if (fds[1].revents) {
		int client = accept4(fds[1].fd, NULL, NULL, SOCK_CLOEXEC);
		if (client >= 0)
			fds[kept++] = (struct pollfd){.fd = client, .events = POLLIN};
	}
	return kept;
}

void hints_serve(int map, int control)
{
	struct pollfd fds[CLIENTS] = {{.fd = control, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
	int n = 2;
	if (map >= 0)
		fds[1].fd = listen_here();
	while (!fds[0].revents) {
		if (poll(fds, (nfds_t)n, -1) > 0)
			n = serve_ready(fds, n, map);
	}
	if (map >= 0)
		unlink(HINT_SOCKET);
}
