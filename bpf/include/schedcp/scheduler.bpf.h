/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every scheduler here includes: the kernel's types and functions, and the few rules that all of them share.
 * docs/schedulers.md explains how to write another one.
 */
#ifndef SCHEDCP_SCHEDULER_BPF_H
#define SCHEDCP_SCHEDULER_BPF_H

#include <schedcp/ops.bpf.h>
#include <schedcp/exit.bpf.h>
#include <schedcp/topology.bpf.h>

/* Times and virtual times wrap: only their difference means something. */
static __always_inline bool before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

static __always_inline u64 later(u64 a, u64 b)
{
	return before(a, b) ? b : a;
}

#define SLICE_MIN_NS NSEC_PER_MSEC
#define SLICE_MAX_NS NSEC_PER_SEC
#define ROUND_MAX_NS (4 * NSEC_PER_SEC)

/*
 * The slice for a task that joins `queued` others, in ns. A parameter of 0 or of an hour still gives a slice that works,
 * and slices shrink in a crowd so that one turn of everybody takes at most ROUND_MAX_NS even when all of them are bound
 * to the same CPU: without this a thousand busy tasks alone would outlast the kernel's watchdog.
 */
static __always_inline u64 slice_among(u64 slice_ns, s32 queued)
{
	if (slice_ns > SLICE_MAX_NS)
		slice_ns = SLICE_MAX_NS;
	/* A product and no quotient: this is asked at every insert, and is hardly ever true. */
	if (queued > 0 && slice_ns * queued > ROUND_MAX_NS)
		slice_ns = ROUND_MAX_NS / queued;
	return slice_ns < SLICE_MIN_NS ? SLICE_MIN_NS : slice_ns;
}

/*
 * Wakes an idle CPU for a task that was just put into a shared queue. The CPU whose run queue holds the task is woken by
 * the kernel itself, so no task depends on this to run; it is what keeps the other CPUs from idling beside a full queue,
 * for tasks that never went through select_cpu and for CPUs that went idle since. True when there was one.
 */
static __always_inline bool wake_idle_cpu_for(const struct task_struct *p)
{
	s32 cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);

	if (cpu < 0)
		return false;
	scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
	return true;
}

/*
 * The same for a queue in which `queued` others wait already: no search where select_cpu has just made one in vain. A CPU
 * that went idle between the two would have taken one of those, so the search is for a queue that was empty.
 */
static __always_inline bool wake_idle_cpu_behind(s32 queued, const struct task_struct *p, u64 enq_flags)
{
	return (queued <= 0 || !(enq_flags & SCX_ENQ_CPU_SELECTED)) && wake_idle_cpu_for(p);
}

/* In dispatch: may the CPU go on with the task it has just run? */
static __always_inline bool can_continue(const struct task_struct *prev, s32 cpu)
{
	return prev && (prev->scx.flags & SCX_TASK_QUEUED) && bpf_cpumask_test_cpu(cpu, prev->cpus_ptr);
}

#define LOOK_AHEAD 64

/*
 * In dispatch: the key of the first task in an ordered queue that this CPU may run; false when there is none. The task
 * that a CPU has just run is not in the queue yet, so whoever takes the queue's head without this comparison makes two
 * tasks alternate whatever their keys say. Behind LOOK_AHEAD tasks bound to other CPUs the next one answers for the rest:
 * the kernel's own search then finds the right one.
 */
static __always_inline bool first_waiting(u64 dsq_id, s32 cpu, u64 *key)
{
	struct task_struct *p;
	int seen = 0;

	bpf_for_each(scx_dsq, p, dsq_id, 0) {
		*key = p->scx.dsq_vtime;
		if (bpf_cpumask_test_cpu(cpu, p->cpus_ptr) || ++seen >= LOOK_AHEAD)
			return true;
	}
	return false;
}

#endif
