/* A guest that comes up like ours and then misbehaves; which way is a macro. For tests. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

static void say(int handle, const char *text)
{
	if (write(handle, text, strlen(text)) < 0)
		_exit(1);
}

int main(void)
{
	char request[4096];
	int port = -1, console = open("/dev/console", O_WRONLY);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	while (port < 0 && (port = open("/dev/vport0p1", O_RDWR)) < 0)
		usleep(5000);
#ifdef NEVER_READY
	say(console, "\x1b[31mthis is the end\n");
	_exit(1); /* the kernel panics: PID 1 ended */
#endif
	say(port, "0 ready 0\n");
	if (read(port, request, sizeof request) <= 0)
		_exit(1);
#ifdef DIES
	reboot(RB_POWER_OFF);
#endif
#ifdef PROMISES_TOO_MUCH
	say(port, "1 ok 9999999\n");
#endif
	for (;;) {
#ifdef FLOODS_CONSOLE
		say(console, "\x1b]0;owned\x07\x1b[2J flood flood flood flood flood\n");
#endif
#ifdef SAYS_NONSENSE
		say(port, "\x1b[2J\xff\xfe 1 ok ok ok\n");
#endif
#if defined(PROMISES_TOO_MUCH) || defined(DIES)
		pause();
#endif
	}
}
