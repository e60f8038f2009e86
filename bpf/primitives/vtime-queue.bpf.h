/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vtime-queue: a queue in the order of virtual time, for weighted fair shares.
 *
 * A task's virtual time grows by the CPU time it used divided by its weight. Each queue has a number and a clock; each task a
 * `counted` in its own storage: the CPU time up to which it was charged. vtime_queue_put queues a task, vtime_queue_take
 * gives a CPU the task with the least, vtime_queue_charge adds what a task ran. The bounds are those of vclock.bpf.h: with
 * SHARE, LAG and DEBT below, after 50 * (250 ms + 10 ms) = 13 s of waiting every newcomer queues behind the waiter, and what
 * is before it then takes one turn.
 */
#ifndef SCHEDCP_PRIMITIVE_VTIME_QUEUE_H
#define SCHEDCP_PRIMITIVE_VTIME_QUEUE_H

#include <schedcp/vclock.bpf.h>

#define VTIME_QUEUE_SHARE 50
#define VTIME_QUEUE_LAG_NS (10 * NSEC_PER_MSEC)
#define VTIME_QUEUE_DEBT_NS (250 * NSEC_PER_MSEC)

/* In init, once for each queue. */
static __always_inline s32 vtime_queue_init(struct vclock *clock, u64 id)
{
	vclock_start(clock);
	return scx_bpf_create_dsq(id, -1);
}

/* In enqueue: `slice` ns, shorter in a crowd. */
static __always_inline void vtime_queue_put(struct vclock *clock, u64 id, struct task_struct *p, u64 slice, u64 enq_flags)
{
	u64 place;

	vclock_push(clock, clock_now(), VTIME_QUEUE_SHARE);
	place = vclock_place(clock, p->scx.dsq_vtime, VTIME_QUEUE_LAG_NS, VTIME_QUEUE_DEBT_NS);
	dsq_insert_ordered(p, id, slice_among(slice, scx_bpf_dsq_nr_queued(id)), place, enq_flags);
}

/* In running: the task won against those that wait, and what it runs from here on is charged. */
static __always_inline void vtime_queue_won(struct vclock *clock, const struct task_struct *p, u64 *counted)
{
	vclock_won(clock, p->scx.dsq_vtime);
	*counted = p->se.sum_exec_runtime;
}

/* In stopping. */
static __always_inline void vtime_queue_charge(struct task_struct *p, u64 *counted)
{
	u64 used = p->se.sum_exec_runtime - *counted;

	*counted = p->se.sum_exec_runtime;
	task_set_vtime(p, p->scx.dsq_vtime + virtual_time(used, p));
}

/*
 * In dispatch: charges the task that ran, lets it go on while nobody who may run here has less virtual time, and else takes
 * the first. `counted` is that of `prev`; NULL takes the first whatever ran. True when the CPU has something to run.
 */
static __always_inline bool vtime_queue_take(struct vclock *clock, u64 id, s32 cpu, struct task_struct *prev, u64 *counted,
					     u64 slice)
{
	bool may_stay = can_continue(prev, cpu);
	u64 first;

	if (may_stay && counted) {
		vtime_queue_charge(prev, counted);
		if (first_waiting(id, cpu, &first) && !before(first, prev->scx.dsq_vtime)) {
			vclock_push(clock, clock_now(), VTIME_QUEUE_SHARE);
			task_set_slice(prev, slice_among(slice, scx_bpf_dsq_nr_queued(id)));
			return true;
		}
	}
	if (dsq_move_to_local(id, SCX_ENQ_IMMED))
		return true;
	if (may_stay)
		task_set_slice(prev, slice_among(slice, 0));
	return may_stay;
}

#endif
