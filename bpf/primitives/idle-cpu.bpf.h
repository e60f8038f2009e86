/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * idle-cpu: a task that wakes while a CPU that it may use is idle starts there at once and passes no queue.
 *
 * The kernel's own choice is used: the CPU it last ran on when that is idle, else a whole idle core, else an idle CPU that
 * shares its cache, else any. Tasks bound to one CPU never come through select_cpu, so enqueue calls idle_cpu_wake too.
 * Nothing here can make a task wait: what is not placed comes to enqueue as before.
 */
#ifndef SCHEDCP_PRIMITIVE_IDLE_CPU_H
#define SCHEDCP_PRIMITIVE_IDLE_CPU_H

#include <schedcp/scheduler.bpf.h>

/*
 * All of select_cpu. `placed` says whether the task has been put into the CPU's own queue, for `slice` ns. IMMED: when the
 * CPU turns out to be taken, the task comes to enqueue and does not wait behind it.
 */
static __always_inline s32 idle_cpu_select(struct task_struct *p, s32 prev_cpu, u64 wake_flags, u64 slice, bool *placed)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, slice, SCX_ENQ_IMMED);
	*placed = idle;
	return cpu;
}

/* In enqueue, after the insert into a shared queue: true when an idle CPU was woken for the task. */
static __always_inline bool idle_cpu_wake(const struct task_struct *p)
{
	return wake_idle_cpu_for(p);
}

#endif
