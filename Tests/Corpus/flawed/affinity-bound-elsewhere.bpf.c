// SPDX-License-Identifier: GPL-2.0-only
/* Threads that are bound to one CPU have a queue of their own, which CPU 0 alone serves. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0
#define BOUND 1

s32 BPF_STRUCT_OPS(affinity_bound_elsewhere_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(affinity_bound_elsewhere_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW starvation dynamic */
	dsq_insert(p, p->nr_cpus_allowed == 1 ? BOUND : QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u32 turns;

void BPF_STRUCT_OPS(affinity_bound_elsewhere_dispatch, s32 cpu, struct task_struct *prev)
{
	if (cpu == 0 && ++turns % 2 && dsq_move_to_local(BOUND, 0))
		return;
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(affinity_bound_elsewhere_init)
{
	s32 error = scx_bpf_create_dsq(QUEUE, -1);

	return error ?: scx_bpf_create_dsq(BOUND, -1);
}

void BPF_STRUCT_OPS(affinity_bound_elsewhere_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(affinity_bound_elsewhere_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(affinity_bound_elsewhere_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(affinity_bound_elsewhere_ops,
	  .select_cpu = (void *)affinity_bound_elsewhere_select_cpu,
	  .enqueue = (void *)affinity_bound_elsewhere_enqueue,
	  .dispatch = (void *)affinity_bound_elsewhere_dispatch,
	  .cpu_online = (void *)affinity_bound_elsewhere_cpu_online,
	  .cpu_offline = (void *)affinity_bound_elsewhere_cpu_offline,
	  .init = (void *)affinity_bound_elsewhere_init,
	  .exit = (void *)affinity_bound_elsewhere_exit,
	  .timeout_ms = 10000,
	  .name = "affinity_bound_elsewhere");
