/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the disk fail for one process, by LD_PRELOAD: writes with ENOSPC, syncs with EIO, below the folders of the daemon.
 *
 * The file /var/lib/schedcp/faults says what: "write N" makes the N-th write from now on and all after it fail, "sync N" the
 * N-th sync, "kill N" ends the process before the N-th write or sync. The calls are counted from the moment the file's
 * modification time changes; the count is written into /var/lib/schedcp/faults.count, which the daemon itself never touches.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define CONTROL "/var/lib/schedcp/faults"

enum kind { WRITE, SYNC };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct timespec armed_at;
static char wanted[16];
static long at, seen;

static int is_ours(int fd)
{
	char link[64], path[512];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length <= 0)
		return 0;
	path[length] = 0;
	return !strncmp(path, "/var/lib/schedcp/", 17) || !strncmp(path, "/var/log/schedcp/", 17);
}

static void read_control(void)
{
	struct stat info;
	char text[64] = "";
	int fd;

	if (stat(CONTROL, &info)) {
		wanted[0] = 0;
		memset(&armed_at, 0, sizeof(armed_at));
		return;
	}
	if (!memcmp(&info.st_mtim, &armed_at, sizeof(armed_at)))
		return;
	armed_at = info.st_mtim;
	seen = 0;
	wanted[0] = 0;
	fd = open(CONTROL, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) > 0)
		sscanf(text, "%15s %ld", wanted, &at);
	close(fd);
}

static void tell(void)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%ld\n", seen);
	int fd = open(CONTROL ".count", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	syscall(SYS_write, fd, text, (size_t)length);
	close(fd);
}

/* The errno to fail with, or 0. */
static int fault(int fd, enum kind kind)
{
	int error = 0;

	if (!is_ours(fd))
		return 0;
	pthread_mutex_lock(&lock);
	read_control();
	if (!strcmp(wanted, "kill") || !strcmp(wanted, kind == WRITE ? "write" : "sync")) {
		seen++;
		tell();
		if (!strcmp(wanted, "kill") && seen == at)
			kill(getpid(), SIGKILL);
		if (kind == WRITE && !strcmp(wanted, "write") && seen >= at)
			error = ENOSPC;
		if (kind == SYNC && !strcmp(wanted, "sync") && seen == at)
			error = EIO;
	}
	pthread_mutex_unlock(&lock);
	return error;
}

#define FAIL_IF(fd, kind)                        \
	do {                                     \
		int error = fault(fd, kind);     \
		if (error) {                     \
			errno = error;           \
			return -1;               \
		}                                \
	} while (0)

ssize_t write(int fd, const void *bytes, size_t count)
{
	FAIL_IF(fd, WRITE);
	return syscall(SYS_write, fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
	FAIL_IF(fd, WRITE);
	return syscall(SYS_pwrite64, fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
	FAIL_IF(fd, WRITE);
	return syscall(SYS_pwrite64, fd, bytes, count, offset);
}

ssize_t writev(int fd, const struct iovec *vector, int count)
{
	FAIL_IF(fd, WRITE);
	return syscall(SYS_writev, fd, vector, count);
}

int ftruncate(int fd, off_t length)
{
	FAIL_IF(fd, WRITE);
	return (int)syscall(SYS_ftruncate, fd, length);
}

int ftruncate64(int fd, off64_t length)
{
	FAIL_IF(fd, WRITE);
	return (int)syscall(SYS_ftruncate, fd, length);
}

int fsync(int fd)
{
	FAIL_IF(fd, SYNC);
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	FAIL_IF(fd, SYNC);
	return (int)syscall(SYS_fdatasync, fd);
}
