/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bounded-priority: levels of priority in one queue, none of which can starve.
 *
 * A task of level L is queued at the place (now + L * step): level 0 goes first, and one level is worth `step` ns of
 * waiting. A waiting task is overtaken only by tasks that come less than L * step after it, so a task of the lowest level
 * waits at most (levels - 1) * step until nobody comes before it any more, and then one turn of those that are before it.
 * BOUNDED_PRIORITY_WAIT_NS bounds that product whatever step is asked for.
 */
#ifndef SCHEDCP_PRIMITIVE_BOUNDED_PRIORITY_H
#define SCHEDCP_PRIMITIVE_BOUNDED_PRIORITY_H

#include <schedcp/scheduler.bpf.h>

#define BOUNDED_PRIORITY_LEVELS 16
#define BOUNDED_PRIORITY_WAIT_NS (15 * NSEC_PER_SEC)

/* The place in an ordered queue of a task that joins it now; levels beyond the last count as the last. */
static __always_inline u64 bounded_priority_place(u32 level, u64 step, u64 now)
{
	if (level >= BOUNDED_PRIORITY_LEVELS)
		level = BOUNDED_PRIORITY_LEVELS - 1;
	if (step > BOUNDED_PRIORITY_WAIT_NS / (BOUNDED_PRIORITY_LEVELS - 1))
		step = BOUNDED_PRIORITY_WAIT_NS / (BOUNDED_PRIORITY_LEVELS - 1);
	return now + level * step;
}

/* In enqueue: queue `id` has to be ordered, `slice` is in ns and shorter in a crowd. */
static __always_inline void bounded_priority_put(struct task_struct *p, u64 id, u32 level, u64 step, u64 slice,
						 u64 enq_flags)
{
	u64 place = bounded_priority_place(level, step, clock_now());

	dsq_insert_ordered(p, id, slice_among(slice, scx_bpf_dsq_nr_queued(id)), place, enq_flags);
}

/*
 * In dispatch: the task that ran, of this level, goes on while it would be queued before all that wait, and else the first of
 * these takes the CPU. True when the CPU has something to run.
 */
static __always_inline bool bounded_priority_take(u64 id, s32 cpu, struct task_struct *prev, u32 level, u64 step, u64 slice)
{
	bool may_stay = can_continue(prev, cpu);
	u64 first;

	if (!(may_stay && first_waiting(id, cpu, &first) &&
	      before(bounded_priority_place(level, step, clock_now()), first)) &&
	    dsq_move_to_local(id, SCX_ENQ_IMMED))
		return true;
	if (may_stay)
		task_set_slice(prev, slice_among(slice, scx_bpf_dsq_nr_queued(id)));
	return may_stay;
}

#endif
