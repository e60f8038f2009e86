// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "torture.h"

#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int32_t clinux_fork(void)
{
    return fork();
}

int clinux_set_affinity(int32_t process, uint64_t cpus)
{
    cpu_set_t set;
    int cpu;

    CPU_ZERO(&set);
    for (cpu = 0; cpu < 64; cpu++)
        if (cpus >> cpu & 1)
            CPU_SET(cpu, &set);
    return sched_setaffinity(process, sizeof(set), &set);
}

int clinux_futex_wait(uint32_t *word, uint32_t value, int64_t nanoseconds)
{
    struct timespec limit = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};

    return (int)syscall(SYS_futex, word, FUTEX_WAIT, value, &limit, NULL, 0);
}

int clinux_futex_wake(uint32_t *word, int count)
{
    return (int)syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
}

int clinux_trace(int request, int32_t process)
{
    return (int)ptrace(request, process, 0L, 0L);
}

int clinux_wait_for_all_cpus(void)
{
    return (int)syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}
