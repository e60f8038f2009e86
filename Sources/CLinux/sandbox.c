// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "the system call filter has to be told this machine's AUDIT_ARCH"
#endif

// What a compiler does: it reads and writes files, asks for memory, has threads and looks at the clock. Whatever is not
// here is answered with ENOSYS, on which the C library of any release falls back to what is.
static const uint16_t allowed[] = {
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_openat, SYS_close, SYS_lseek, SYS_fstat,
    SYS_newfstatat, SYS_statx, SYS_faccessat, SYS_faccessat2, SYS_readlinkat, SYS_getcwd, SYS_chdir, SYS_getdents64,
    SYS_unlinkat, SYS_renameat, SYS_renameat2, SYS_mkdirat, SYS_fcntl, SYS_dup, SYS_dup3, SYS_pipe2, SYS_ftruncate,
    SYS_fallocate, SYS_fadvise64, SYS_umask, SYS_fsync, SYS_fdatasync, SYS_copy_file_range, SYS_sendfile, SYS_flock,
    SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk, SYS_futex, SYS_set_robust_list,
    SYS_get_robust_list, SYS_rseq, SYS_set_tid_address, SYS_gettid, SYS_getpid, SYS_getppid, SYS_getuid, SYS_geteuid,
    SYS_getgid, SYS_getegid, SYS_getresuid, SYS_getresgid, SYS_getgroups, SYS_getpgid, SYS_getsid, SYS_rt_sigaction,
    SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigsuspend, SYS_sigaltstack, SYS_restart_syscall, SYS_exit,
    SYS_exit_group, SYS_wait4, SYS_waitid, SYS_nanosleep, SYS_clock_nanosleep, SYS_clock_gettime, SYS_clock_getres,
    SYS_gettimeofday, SYS_times, SYS_getrusage, SYS_sysinfo, SYS_uname, SYS_getrandom, SYS_sched_yield,
    SYS_sched_getaffinity, SYS_sched_getparam, SYS_sched_getscheduler, SYS_getcpu, SYS_ppoll, SYS_pselect6,
    SYS_membarrier, SYS_execve,
#if defined(__x86_64__)
    SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_unlink, SYS_rename, SYS_mkdir, SYS_dup2, SYS_pipe,
    SYS_poll, SYS_select, SYS_arch_prctl, SYS_time, SYS_getrlimit, SYS_getpgrp, SYS_getdents, SYS_pause,
#endif
};

// Answered with success and not done: a tool that sets mode or owner of its output does without.
static const uint16_t pretended[] = {SYS_fchmod, SYS_fchown};

enum { FILTER_CAPACITY = sizeof(allowed) / sizeof(*allowed) + 64 };

#define NUMBER(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define ERROR(code) RETURN(SECCOMP_RET_ERRNO | (code))

// `self` is the process whose threads it may signal, 0 for any.
static unsigned short make_filter(struct sock_filter *out, pid_t self)
{
    const struct sock_filter head[] = {
        NUMBER(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0), RETURN(SECCOMP_RET_KILL_PROCESS),
        NUMBER(nr),
        // Threads, but no processes. Its flags lie in registers, those of clone3 (not allowed) in memory.
        UNLESS(SYS_clone, 4), NUMBER(args[0]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
        RETURN(SECCOMP_RET_ALLOW), ERROR(EPERM),
        // abort(3) and raise(3).
        UNLESS(SYS_tgkill, 4), NUMBER(args[0]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)self, 0, self != 0),
        RETURN(SECCOMP_RET_ALLOW), ERROR(EPERM),
        // Its own limits, which it may only lower; naming a thread.
        UNLESS(SYS_prlimit64, 4), NUMBER(args[0]), UNLESS(0, 1), RETURN(SECCOMP_RET_ALLOW), ERROR(EPERM),
        UNLESS(SYS_prctl, 4), NUMBER(args[0]), UNLESS(PR_SET_NAME, 1), RETURN(SECCOMP_RET_ALLOW), ERROR(EPERM),
        UNLESS(SYS_ioctl, 1), ERROR(ENOTTY),
#if defined(__x86_64__)
        UNLESS(SYS_fork, 1), ERROR(EPERM), UNLESS(SYS_vfork, 1), ERROR(EPERM),
#endif
        UNLESS(SYS_socket, 1), ERROR(EPERM),
    };
    unsigned short n = 0;
    size_t i;

    for (i = 0; i < sizeof(head) / sizeof(*head); i++)
        out[n++] = head[i];
    for (i = 0; i < sizeof(pretended) / sizeof(*pretended); i++) {
        out[n++] = (struct sock_filter)UNLESS(pretended[i], 1);
        out[n++] = (struct sock_filter)ERROR(0);
    }
    for (i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
        out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i],
                                                (uint8_t)(sizeof(allowed) / sizeof(*allowed) - i), 0);
    out[n++] = (struct sock_filter)ERROR(ENOSYS);
    out[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
    return n;
}

int clinux_filter_file(void)
{
    struct sock_filter filter[FILTER_CAPACITY];
    size_t size = make_filter(filter, 0) * sizeof(*filter);
    int fd = memfd_create("filter", MFD_CLOEXEC);

    if (fd >= 0 && (write(fd, filter, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET))) {
        close(fd);
        return -1;
    }
    return fd;
}

static int limit(int resource, uint64_t soft, uint64_t hard)
{
    struct rlimit value = {soft, hard}, now;

    // One that is lower already stays.
    if (getrlimit(resource, &now))
        return -1;
    if (value.rlim_max > now.rlim_max)
        value.rlim_max = now.rlim_max;
    if (value.rlim_cur > value.rlim_max)
        value.rlim_cur = value.rlim_max;
    return setrlimit(resource, &value);
}

static int limit_all(const struct clinux_confinement *how)
{
    // SIGXCPU at the soft limit, SIGKILL a second later.
    return limit(RLIMIT_AS, how->memory, how->memory) || limit(RLIMIT_FSIZE, how->file, how->file) ||
           limit(RLIMIT_CPU, how->cpu_seconds, how->cpu_seconds + 1) || limit(RLIMIT_CORE, 0, 0) ||
           limit(RLIMIT_NOFILE, how->descriptors, how->descriptors) || limit(RLIMIT_MEMLOCK, 0, 0) ||
           limit(RLIMIT_MSGQUEUE, 0, 0);
}

// Raw calls: glibc's would tell threads that the child does not have.
static int give_up_privileges(const struct clinux_confinement *how)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

    if (how->become && (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, how->gid, how->gid, how->gid) ||
                        syscall(SYS_setresuid, how->uid, how->uid, how->uid)))
        return -1;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0UL, 0UL, 0UL);
    if (syscall(SYS_capset, &header, none))
        return -1;
    return prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL);
}

static int streams(const int fds[3], int keep, int *report)
{
    int i, own[4];

    // Out of the way of 0 to 3 first, so that none is overwritten before it is used.
    *report = fcntl(*report, F_DUPFD_CLOEXEC, 4);
    for (i = 0; i < 4; i++)
        if ((i < 3 || keep >= 0) && (own[i] = fcntl(i < 3 ? fds[i] : keep, F_DUPFD_CLOEXEC, 4)) < 0)
            return -1;
    for (i = 0; i < 4; i++)
        if ((i < 3 || keep >= 0) && dup2(own[i], i) < 0)
            return -1;
    if (*report < 0 || setsid() < 0)
        return -1;
    // CLOSE_RANGE_CLOEXEC: the report stays open until exec.
    return (int)syscall(SYS_close_range, keep >= 0 ? 4U : 3U, ~0U, 4U);
}

static enum clinux_step child(const char *program, char *const argv[], char *const envp[], const char *folder,
                              const int fds[3], const struct clinux_confinement *how, pid_t parent, int *report)
{
    struct sock_filter filter[FILTER_CAPACITY];
    struct sock_fprog fprog = {0, filter};
    int number;

    for (number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &(sigset_t){0}, NULL);
    if (streams(fds, how->keep, report))
        return CLINUX_STEP_STREAMS;
    if (limit_all(how))
        return CLINUX_STEP_LIMITS;
    if (give_up_privileges(how))
        return CLINUX_STEP_USER;
    // After the change of user, which clears it.
    if (prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0UL, 0UL, 0UL) || getppid() != parent)
        return CLINUX_STEP_USER;
    if (chdir(folder))
        return CLINUX_STEP_FOLDER;
    if (how->landlock >= 0 && syscall(446 /* landlock_restrict_self */, how->landlock, 0))
        return CLINUX_STEP_LANDLOCK;
    if (how->filter) {
        fprog.len = make_filter(filter, getpid());
        if (prctl(PR_SET_SECCOMP, (unsigned long)SECCOMP_MODE_FILTER, (unsigned long)&fprog, 0UL, 0UL))
            return CLINUX_STEP_SECCOMP;
    }
    execve(program, argv, envp);
    return CLINUX_STEP_EXEC;
}

int clinux_spawn_confined(const char *program, char *const argv[], char *const envp[], const char *folder,
                            const int fds[3], const struct clinux_confinement *how, int *pidfd, int *step)
{
    int report[2], message[2] = {0, 0};
    pid_t parent = getpid(), process;
    sigset_t all, before;
    ssize_t got;

    *step = CLINUX_STEP_FORK;
    if (pipe2(report, O_CLOEXEC))
        return -1;
    // No handler of the parent's may run in the child.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    process = fork();
    if (process == 0) {
        message[0] = (int)child(program, argv, envp, folder, fds, how, parent, &report[1]);
        message[1] = errno;
        got = write(report[1], message, sizeof(message));
        _exit(got == sizeof(message) ? 127 : 126);
    }
    message[1] = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    if (process > 0) {
        message[1] = 0;
        do
            got = read(report[0], message, sizeof(message));
        while (got < 0 && errno == EINTR);
        if (got == 0 && (*pidfd = (int)syscall(SYS_pidfd_open, process, 0)) < 0) {
            message[1] = errno;
            kill(process, SIGKILL);
        }
        *step = message[0];
        if (message[1])
            while (waitpid(process, NULL, 0) < 0 && errno == EINTR)
                ;
    }
    close(report[0]);
    errno = message[1];
    return message[1] ? -1 : process;
}

int clinux_landlock_version(void)
{
    long version = syscall(444 /* landlock_create_ruleset */, NULL, 0, 1 /* LANDLOCK_CREATE_RULESET_VERSION */);

    return version < 0 ? 0 : (int)version;
}

int clinux_landlock_ruleset(uint64_t files, uint64_t network, uint64_t scopes)
{
    // struct landlock_ruleset_attr of version 6; older kernels take it when what they do not know is 0.
    uint64_t attributes[3] = {files, network, scopes};

    return (int)syscall(444, attributes, sizeof(attributes), 0);
}

int clinux_landlock_allow(int ruleset, const char *path, uint64_t rights, uint64_t file_rights)
{
    // struct landlock_path_beneath_attr
    struct {
        uint64_t rights;
        int32_t path;
    } __attribute__((packed)) rule = {rights, open(path, O_PATH | O_CLOEXEC)};
    struct stat facts;
    long result = -1;
    int error;

    if (rule.path < 0)
        return -1;
    if (!fstat(rule.path, &facts)) {
        if (!S_ISDIR(facts.st_mode))
            rule.rights = file_rights;
        result = syscall(445 /* landlock_add_rule */, ruleset, 1 /* LANDLOCK_RULE_PATH_BENEATH */, &rule, 0);
    }
    error = errno;
    close(rule.path);
    errno = error;
    return (int)result;
}

int clinux_collect(int process, int *status, uint64_t *cpu_nanoseconds, uint64_t *peak_bytes)
{
    struct rusage use;
    pid_t got;

    do
        got = wait4(process, status, 0, &use);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return -1;
    *cpu_nanoseconds = (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000000U +
                       (uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1000U;
    *peak_bytes = (uint64_t)use.ru_maxrss * 1024U;
    return got;
}

int clinux_event(void)
{
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

int clinux_give(const char *path, uint32_t uid, uint32_t gid)
{
    return lchown(path, uid, gid);
}
