/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A clock of virtual time, for schedulers whose tasks' virtual time grows by the CPU time they use, divided by weight.
 *
 * The clock is the virtual time of the latest task that won against others, and it is pushed on by a share of real time, so
 * that no crowd of heavy tasks can stop it. A task's place is at most `lag` behind the clock, so that nobody saves up a
 * monopoly by sleeping, and at most `debt` ahead of it, so that neither a low weight nor a long run is exile. Together:
 * after (lag + debt) / share of waiting every newcomer has a place behind the waiter's.
 */
#ifndef SCHEDCP_VCLOCK_BPF_H
#define SCHEDCP_VCLOCK_BPF_H

#include <schedcp/scheduler.bpf.h>

#define WEIGHT_NICE_0 100
#define VCLOCK_STEP_NS NSEC_PER_MSEC

struct vclock {
	u64 now;  /* virtual time, in ns at the weight of nice 0 */
	u64 wall; /* when it was last pushed on, in real time */
};

static __always_inline void vclock_start(struct vclock *clock)
{
	clock->wall = clock_now();
}

/*
 * Pushes the clock on by one `share`th of the real time since the last push. In steps of VCLOCK_STEP_NS, because all CPUs
 * share the clock's cache line. Races between CPUs lose at most one step, which the next one makes good: cheaper than a lock.
 */
static __always_inline void vclock_push(struct vclock *clock, u64 now, u64 share)
{
	u64 last = clock->wall;

	if (before(last + VCLOCK_STEP_NS, now) && __sync_val_compare_and_swap(&clock->wall, last, now) == last)
		__sync_fetch_and_add(&clock->now, (now - last) / share);
}

/* A task with this virtual time won against others. */
static __always_inline void vclock_won(struct vclock *clock, u64 vtime)
{
	if (before(clock->now, vtime))
		clock->now = vtime;
}

static __always_inline u64 vclock_place(const struct vclock *clock, u64 vtime, u64 lag, u64 debt)
{
	u64 place = later(vtime, clock->now - lag);

	return before(clock->now + debt, place) ? clock->now + debt : place;
}

/*
 * In dispatch: does the task that has just run go on? It does when nobody waits for this CPU, and then what it runs from here
 * on takes nothing from anybody and is not charged; or when its place is before that of the first waiting one and it did not
 * yield. `state` is what the scheduler keeps of it, with `charged` and `yielded`.
 */
#define keeps_turn(state, queue, cpu, place)                                     \
	({                                                                       \
		u64 ___first = 0;                                                \
		(state)->charged = first_waiting(queue, cpu, &___first);         \
		!(state)->charged ||                                             \
			(!(state)->yielded && before(place, ___first));          \
	})

/* CPU time as virtual time of this task. */
static __always_inline u64 virtual_time(u64 used, const struct task_struct *p)
{
	return p->scx.weight ? used * WEIGHT_NICE_0 / p->scx.weight : used;
}

#endif
