// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

int clinux_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, &header, data))
        return -1;
    *effective = data[0].effective | (uint64_t)data[1].effective << 32;
    *permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    *inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return 0;
}

int clinux_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)},
    };

    return (int)syscall(SYS_capset, &header, data);
}

int clinux_prctl(int option, unsigned long arg2, unsigned long arg3)
{
    return prctl(option, arg2, arg3, 0UL, 0UL);
}

int clinux_become(uid_t uid, gid_t gid)
{
    if (setgroups(0, NULL) || setresgid(gid, gid, gid))
        return -1;
    return setresuid(uid, uid, uid);
}

int clinux_peer_credentials(int fd, pid_t *pid, uid_t *uid, gid_t *gid)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
        return -1;
    *pid = peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}

int clinux_peer_groups(int fd, gid_t *groups, int capacity)
{
    socklen_t size = (socklen_t)(sizeof(gid_t) * (size_t)capacity);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size))
        return -1;
    return (int)(size / sizeof(gid_t));
}

int clinux_peer_pidfd(int fd)
{
    /* SO_PEERPIDFD of include/uapi/asm-generic/socket.h; older headers lack it. The kernel makes it close-on-exec. */
    int pidfd = -1;
    socklen_t size = sizeof(pidfd);

    return getsockopt(fd, SOL_SOCKET, 77, &pidfd, &size) ? -1 : pidfd;
}

int clinux_bpf_errno(int command, void *attributes, unsigned int size)
{
    long result = syscall(SYS_bpf, command, attributes, size);

    if (result < 0)
        return errno;
    close((int)result);
    return 0;
}

int clinux_perf_probe(void)
{
    struct perf_event_attr attributes;
    long fd;

    memset(&attributes, 0, sizeof(attributes));
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.size = sizeof(attributes);
    attributes.config = PERF_COUNT_SW_CPU_CLOCK;
    attributes.disabled = 1;
    attributes.exclude_kernel = 1;
    fd = syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0UL);
    if (fd < 0)
        return -1;
    return close((int)fd);
}

int64_t clinux_filesystem_magic(const char *path)
{
    struct statfs info;

    return statfs(path, &info) ? -1 : (int64_t)info.f_type;
}

void clinux_buffer_output_by_line(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
}
