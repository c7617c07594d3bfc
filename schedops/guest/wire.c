/* The virtio-serial port to the host.
 *
 * Host to guest:  "<sequence> <verb> <deadline ms> <length>\n" and <length> bytes.
 * Guest to host:  "<sequence> ok|err <length>\n" and <length> bytes: lines "<field> <value>...",
 *                 then optionally an empty line and free text.
 * The guest first says "0 ready 0\n". One request at a time. The end of the port is the end of the machine. */
#define _GNU_SOURCE
#include "host.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

struct reply {
	uint32_t used;
	char text[MAX_REPLY_BYTES];
};

int port = -1;
static struct reply *reply;

/* On somebody's machine this process ends, and when it is the agent, everything that it has started. */
void power_off(void)
{
	if (on_host)
		_exit(1);
	for (;;) {
		reboot(RB_POWER_OFF);
		sleep_ms(100);
	}
}

/* The device node comes when the bus has been probed; without one there is nobody to serve. On somebody's machine the
 * port was inherited. */
void port_open(void)
{
	reply = shared_memory(sizeof *reply);
	for (int i = 0; i < 2000 && port < 0; i++) {
		port = open("/dev/vport0p1", O_RDWR | O_CLOEXEC);
		if (port < 0)
			sleep_ms(5);
	}
	if (port < 0)
		power_off();
}

static void send_all(const char *data, size_t length)
{
	while (length) {
		ssize_t n = write(port, data, length);
		if (n <= 0)
			power_off();
		data += n;
		length -= (size_t)n;
	}
}

void port_announce(void)
{
	send_all("0 ready 0\n", 10);
}

static void receive_all(char *data, size_t length)
{
	while (length) {
		ssize_t n = read(port, data, length);
		if (n <= 0)
			power_off();
		data += n;
		length -= (size_t)n;
	}
}

void request_read(struct request *request)
{
	char header[96];
	size_t used = 0;
	do {
		if (used == sizeof header - 1)
			power_off();
		receive_all(header + used, 1);
	} while (header[used++] != '\n');
	header[used] = 0;
	if (sscanf(header, "%lu %15s %lu %u", &request->sequence, request->verb, &request->deadline_ms,
		   &request->length) != 4 || request->length > MAX_REQUEST_BYTES)
		power_off();
	request->payload = malloc(request->length + 1);
	if (!request->payload)
		power_off();
	receive_all(request->payload, request->length);
	request->payload[request->length] = 0;
}

void reply_clear(void)
{
	reply->used = 0;
}

void reply_raw(const char *text, size_t length)
{
	if (length > MAX_REPLY_BYTES - reply->used)
		length = MAX_REPLY_BYTES - reply->used;
	memcpy(reply->text + reply->used, text, length);
	reply->used += (uint32_t)length;
}

void reply_add(const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (n > 0)
		reply_raw(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

void reply_send(const struct request *request, bool ok)
{
	char header[64];
	int n = snprintf(header, sizeof header, "%lu %s %u\n", request->sequence, ok ? "ok" : "err", reply->used);
	send_all(header, (size_t)n);
	send_all(reply->text, reply->used);
}
