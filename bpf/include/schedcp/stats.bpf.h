/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a scheduler counts, and the parameters of it that may be changed while it runs.
 *
 * Counters: each CPU adds to its own copy, and whoever reads them takes the sum. The first COUNT_OWN are the same in every
 * scheduler; those after it are the scheduler's own and are described in its metadata. Operations run with interrupts off,
 * so that nothing comes between reading a counter and writing it back.
 *
 * Tunables: variables in a section of their own, which user space maps or writes as the array map `.data.tunables`. Any
 * value may be there at any time, so a program reads a tunable once per decision and clamps what it has read.
 */
#ifndef SCHEDCP_STATS_BPF_H
#define SCHEDCP_STATS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

enum schedcp_counter {
	COUNT_SELECT_IDLE, /* tasks that select_cpu put on an idle CPU at once */
	COUNT_ENQUEUED,    /* tasks that enqueue put into a queue */
	COUNT_DISPATCHED,  /* tasks that dispatch moved from a queue to a CPU */
	COUNT_KEPT,        /* slices at whose end the task went on */
	COUNT_KICKED,      /* idle CPUs that were woken for a task in a queue */
	COUNT_PREEMPTED,   /* running tasks that were interrupted for another */
	COUNT_IDLE,        /* calls of dispatch that found nothing to run */
	COUNT_STOLEN,      /* of the dispatched: out of another domain's queue (LLC, layer, cgroup) */
	COUNT_AGED,        /* of the dispatched: out of turn, by the rule that bounds the wait */
	COUNT_YIELDED,     /* tasks that asked to let others go first */
	COUNT_WAITED_NS,   /* from enqueue to the CPU, of all that were enqueued; 0 where the scheduler does not measure it */

	COUNT_OWN = 16,
	COUNT_MAX = 32,
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNT_MAX);
	__type(key, u32);
	__type(value, u64);
} schedcp_stats SEC(".maps");

static __always_inline void count_more(u32 which, u64 amount)
{
	u64 *value = bpf_map_lookup_elem(&schedcp_stats, &which);

	if (value)
		*value += amount;
}

/* Always true, so that what is counted can be the end of a condition. */
static __always_inline bool count(u32 which)
{
	count_more(which, 1);
	return true;
}

/*
 * The operation yield: a task that asks to lets others go first, for one turn, also where it is behind. `state` is what
 * the scheduler keeps of it, with a member `yielded`, or NULL. A macro, so that the state may be any structure and its
 * calls have the scheduler's own lines.
 */
#define give_way(from, to, state)                        \
	({                                               \
		if (!(to)) {                             \
			if (state)                       \
				(state)->yielded = true; \
			task_set_slice(from, 0);         \
			count(COUNT_YIELDED);            \
		}                                        \
		false;                                   \
	})

/*
 * The end of the operation dispatch, `prev` being what the CPU has just run: another task was moved to this CPU, or prev goes
 * on with a slice of `ns`, or there is nothing to run. `goes_on` and `ns` are evaluated only where it comes to them. Without a
 * slice of its own prev would get the kernel's default one.
 */
#define end_dispatch(moved, goes_on, prev, ns)    \
	({                                        \
		if (moved) {                      \
			count(COUNT_DISPATCHED);  \
		} else if (goes_on) {             \
			task_set_slice(prev, ns); \
			count(COUNT_KEPT);        \
		} else {                          \
			count(COUNT_IDLE);        \
		}                                 \
	})

/* volatile: the compiler must neither believe the initial value nor read twice what it was told to read once. */
#define TUNABLE(type, name, value) volatile type name SEC(".data.tunables") = value

#endif
