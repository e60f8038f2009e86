// SPDX-License-Identifier: Apache-2.0
// For the loads that a trial's guest puts on a scheduler: what Swift cannot call, being variadic or a macro, and words
// that several processes share. -1 and errno on failure.
#pragma once
#include <stdint.h>

// fork(2) of a program with one thread.
int32_t clinux_fork(void);

// sched_setaffinity(2) for the CPUs 0 to 63; 0 for the caller.
int clinux_set_affinity(int32_t process, uint64_t cpus);

// futex(2) FUTEX_WAIT with a time limit, and FUTEX_WAKE, on a shared word.
int clinux_futex_wait(uint32_t *word, uint32_t value, int64_t nanoseconds);
int clinux_futex_wake(uint32_t *word, int count);

// ptrace(2) without data: PTRACE_SEIZE and what follows it.
int clinux_trace(int request, int32_t process);

// membarrier(2)'s global command: waits until every CPU has been through the scheduler.
int clinux_wait_for_all_cpus(void);

// Words that other processes change.
static inline uint64_t clinux_load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void clinux_store(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline uint32_t clinux_swap(uint32_t *word, uint32_t value)
{
    return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

static inline uint32_t clinux_load_word(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}
