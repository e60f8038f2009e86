// SPDX-License-Identifier: Apache-2.0
// The system calls and macros that Swift cannot import: variadic functions, statement macros, GNU-only structures.
// Each is one call with plain integers in and out; -1 and errno on failure, as the call itself.
#pragma once
#include <stddef.h>
#include <stdint.h>

// capget(2), capset(2) of the calling thread, version 3.
int clinux_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable);
int clinux_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);

// prctl(2) with two arguments.
int clinux_prctl(int option, unsigned long arg2, unsigned long arg3);

// setresuid/setresgid/setgroups of the calling process (glibc carries them to every thread).
int clinux_become(uint32_t uid, uint32_t gid);

// SO_PEERCRED and SO_PEERGROUPS of a Unix socket. The second gives the number of groups, or -1.
int clinux_peer_credentials(int fd, int32_t *pid, uint32_t *uid, uint32_t *gid);
int clinux_peer_groups(int fd, uint32_t *groups, int capacity);

// SO_PEERPIDFD of a Unix socket (Linux 6.5): a descriptor of the process that connected, or -1.
int clinux_peer_pidfd(int fd);

// bpf(2) with a command that reads nothing: the errno that the kernel gives for it.
int clinux_bpf_errno(int command, void *attributes, unsigned int size);

// perf_event_open(2) of a software clock on this thread, closed again at once: 0 or -1.
int clinux_perf_probe(void);

// statfs(2)'s f_type of what is mounted at a path, or -1.
int64_t clinux_filesystem_magic(const char *path);

// setvbuf(3) of standard output, which Swift cannot name safely.
void clinux_buffer_output_by_line(void);
