/* One job: takes its name and nice value, says what it expects to need, works, exits with 0. */
#define _GNU_SOURCE
#include "guest.h"

#include <endian.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* Nobody listening is normal: without a policy that wants hints there is no socket. */
bool offer_hint(uint64_t expected_ns)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = HINT_SOCKET};
	struct timeval patience = {.tv_sec = 1};
	uint64_t message = htole64(expected_ns);
	char taken = 0;
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(s, (struct sockaddr *)&address, sizeof address) ||
	    send(s, &message, sizeof message, MSG_NOSIGNAL) != sizeof message || recv(s, &taken, 1, 0) != 1)
		taken = 0;
	close(s);
	return taken == 1;
}

void job_run(struct job *job, const char *name)
{
	prctl(PR_SET_NAME, name);
	if (job->nice)
		setpriority(PRIO_PROCESS, 0, job->nice);
	if (job->hint_ns)
		job->hint_accepted = offer_hint(job->hint_ns);
	spin(job->work);
	_exit(0);
}
