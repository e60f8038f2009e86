/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pre-emption, careful and bounded: a task that cannot wait interrupts a CPU whose task can.
 *
 * Each CPU says until when its task wants to be done. Of a few CPUs, that where the waiting task was last and others each
 * time, the one whose task has most time is interrupted, if that task's deadline is later by a margin. A CPU is then
 * left alone for a while, so that no storm of wakeups keeps its task from getting on. An interrupted CPU calls dispatch,
 * which compares as it does at the end of a slice: whether the task has to go is decided there.
 */
#ifndef SCHEDCP_PREEMPT_BPF_H
#define SCHEDCP_PREEMPT_BPF_H

#include <schedcp/scheduler.bpf.h>
#include <schedcp/flat.bpf.h>
#include <schedcp/stats.bpf.h>

#define PREEMPT_GAP_MIN_NS (100 * NSEC_PER_USEC)
#define PREEMPT_PROBES 3 /* besides the task's own CPU: all of a small machine, and enough of a large one */

/* Each in a cache line of its own, for it is written at every switch. */
struct cpu_view {
	u64 deadline;
	u64 interrupted_at;
	bool busy; /* with a task of ours */
} __attribute__((aligned(64)));

static struct cpu_view cpu_views[SCHEDCP_MAX_CPUS];
static u32 cpu_probes;

static u32 cpu_slot(s32 cpu)
{
	u32 slot = cpu;

	barrier_var(slot);
	return slot & (SCHEDCP_MAX_CPUS - 1);
}

static struct cpu_view *cpu_view_of(const struct task_struct *running)
{
	return &cpu_views[cpu_slot(scx_bpf_task_cpu(running))];
}

/* How long the CPU's task could wait, in ns; nothing where none of ours runs. */
static s64 patience_of(const struct cpu_view *cpu, u64 now)
{
	return (s64)(cpu->deadline - now) & -(s64)cpu->busy;
}

/* Without branches, so that the probes are one path for a verifier. */
static u32 least_urgent_cpu(const struct task_struct *p, u64 now)
{
	u32 nr = nr_cpus() ?: 1, first = __sync_fetch_and_add(&cpu_probes, PREEMPT_PROBES), i;
	s64 chosen = cpu_slot(scx_bpf_task_cpu(p)), most = patience_of(&cpu_views[cpu_slot(chosen)], now);

	_Pragma("unroll") for (i = 0; i < PREEMPT_PROBES; i++) {
		s64 other = cpu_slot((first + i) % nr), patience = patience_of(&cpu_views[cpu_slot(other)], now);
		s64 allowed = bpf_cpumask_test_cpu(other, p->cpus_ptr), better;

		barrier_var(allowed);
		better = flat_negative(most - patience) & -allowed;
		chosen ^= (chosen ^ other) & better;
		most ^= (most ^ patience) & better;
	}
	return cpu_slot(chosen);
}

/*
 * From enqueue, best before the insert: the kick takes effect when this CPU lets interrupts in again, which is after it.
 * Counts `spared` when the CPU was interrupted less than `gap` ns before.
 */
static void preempt_for(const struct task_struct *p, u64 deadline, u64 margin, u64 gap, u64 now, u32 spared)
{
	u32 chosen = least_urgent_cpu(p, now);
	struct cpu_view *cpu = &cpu_views[cpu_slot(chosen)];

	if (gap < PREEMPT_GAP_MIN_NS)
		gap = PREEMPT_GAP_MIN_NS;
	if (!cpu->busy || !before(deadline + margin, cpu->deadline))
		return;
	if (now - cpu->interrupted_at < gap) {
		count(spared);
		return;
	}
	cpu->interrupted_at = now;
	scx_bpf_kick_cpu(chosen, SCX_KICK_PREEMPT);
	count(COUNT_PREEMPTED);
}

#endif
