/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * llc-queue: a first-come-first-served queue for each last-level cache, with stealing.
 *
 * A task is queued under the cache of the CPU it last ran on, and a CPU serves its own cache's queue first. Two rules keep
 * that from starving anybody: a CPU whose own queue is empty takes from the others, and every LLC_QUEUE_TURN-th time it
 * serves another cache's queue before its own. So a task waits for its turn in its queue, and a queue whose CPUs are all
 * gone or never free is emptied by the rest. Dispatch queues 0 to 255 are taken by it.
 */
#ifndef SCHEDCP_PRIMITIVE_LLC_QUEUE_H
#define SCHEDCP_PRIMITIVE_LLC_QUEUE_H

#include <schedcp/scheduler.bpf.h>

#define LLC_QUEUE_TURN 8

struct llc_queue_turn {
	u32 count;
	u32 llc; /* the other queue that was served last */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct llc_queue_turn);
} llc_queue_turns SEC(".maps");

/* In init. */
static __always_inline s32 llc_queue_init(void)
{
	u32 nr = nr_llcs(), llc;

	bpf_for(llc, 0, nr) {
		s32 error = scx_bpf_create_dsq(llc, -1);

		if (error)
			return error;
	}
	return 0;
}

/* The queue of a task: after a change of affinity it may still be on a CPU that it must leave. */
static __always_inline u32 llc_queue_of(const struct task_struct *p)
{
	s32 cpu = scx_bpf_task_cpu(p);

	if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
		cpu = bpf_cpumask_first(p->cpus_ptr);
	return llc_of(cpu);
}

/* In enqueue: `slice` ns, shorter in a crowd. */
static __always_inline void llc_queue_put(struct task_struct *p, u64 slice, u64 enq_flags)
{
	u32 llc = llc_queue_of(p);

	dsq_insert(p, llc, slice_among(slice, scx_bpf_dsq_nr_queued(llc)), enq_flags);
	wake_idle_cpu_for(p);
}

static __always_inline bool llc_queue_foreign_turn(u32 home, u32 nr)
{
	struct llc_queue_turn *turn = bpf_map_lookup_elem(&llc_queue_turns, &(u32){0});
	u32 i;

	if (!turn || ++turn->count % LLC_QUEUE_TURN)
		return false;
	bpf_for(i, 0, nr) {
		turn->llc = (turn->llc + 1) % nr;
		if (turn->llc != home && dsq_move_to_local(turn->llc, SCX_ENQ_IMMED))
			return true;
	}
	return false;
}

/* In dispatch: true when a task was moved to this CPU. */
static __always_inline bool llc_queue_take(s32 cpu)
{
	u32 home = llc_of(cpu), nr = nr_llcs(), i;

	if (nr > 1 && llc_queue_foreign_turn(home, nr))
		return true;
	if (dsq_move_to_local(home, SCX_ENQ_IMMED))
		return true;
	bpf_for(i, 1, nr) {
		if (dsq_move_to_local((home + i) % nr, SCX_ENQ_IMMED))
			return true;
	}
	return false;
}

#endif
