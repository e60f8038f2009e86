// SPDX-License-Identifier: Apache-2.0
// A child that may do little: what Swift must not do between fork and exec, and system calls without a C function.
// -1 and errno on failure.
#pragma once
#include <stdint.h>

// Limits are absolute and cannot be raised again by the child.
struct clinux_confinement {
    uint64_t memory;      // bytes of address space
    uint64_t file;        // bytes that one file may grow to
    uint64_t cpu_seconds;
    uint64_t descriptors;
    int landlock;         // a ruleset's descriptor, or -1
    int filter;           // non-zero: only the system calls of a compiler; no process, no socket, no ioctl
    int keep;             // a descriptor that becomes the child's number 3, or -1
    int become;           // non-zero: continue as uid and gid below, without groups
    uint32_t uid;
    uint32_t gid;
};

// Which step of the child's preparation failed, in bits 16 and up of *failed_step's errno.
enum clinux_step {
    CLINUX_STEP_FORK, CLINUX_STEP_STREAMS, CLINUX_STEP_LIMITS, CLINUX_STEP_USER, CLINUX_STEP_FOLDER,
    CLINUX_STEP_LANDLOCK, CLINUX_STEP_SECCOMP, CLINUX_STEP_EXEC,
};

// Starts `program` in a session of its own, in `folder`, with these descriptors as 0, 1, 2 and every other one closed,
// without any capability; it is killed when the calling thread ends. Safe with any number of threads. Gives the
// process, and its pidfd in *pidfd; where a step fails, -1 with that step's errno, the step in *step, and no child left.
int clinux_spawn_confined(const char *program, char *const argv[], char *const envp[], const char *folder,
                            const int fds[3], const struct clinux_confinement *how, int *pidfd, int *step);

// Landlock: its version (0 where the kernel has none), a ruleset that handles these rights, and a rule for a path
// (`rights` where it is a folder, `file_rights` where it is anything else).
int clinux_landlock_version(void);
int clinux_landlock_ruleset(uint64_t files, uint64_t network, uint64_t scopes);
int clinux_landlock_allow(int ruleset, const char *path, uint64_t rights, uint64_t file_rights);

// A memory file with the system call filter, from its beginning, for a program that installs it itself.
int clinux_filter_file(void);

// wait4(2): the status, the processor time in ns and the peak of resident memory in bytes.
int clinux_collect(int process, int *status, uint64_t *cpu_nanoseconds, uint64_t *peak_bytes);

// eventfd(2), close-on-exec and non-blocking.
int clinux_event(void);

// chown(2) of a path that is no link.
int clinux_give(const char *path, uint32_t uid, uint32_t gid);
