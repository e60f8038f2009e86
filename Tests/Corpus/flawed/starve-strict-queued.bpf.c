// SPDX-License-Identifier: GPL-2.0-only
/* Asks how many wait in the first queue before it looks at the second. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define INTERACTIVE 10
#define BATCH 11
#define SCHED_BATCH 3

s32 BPF_STRUCT_OPS(starve_strict_queued_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(starve_strict_queued_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, p->policy == SCHED_BATCH ? BATCH : INTERACTIVE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(starve_strict_queued_dispatch, s32 cpu, struct task_struct *prev)
{
	/* FLAW strict-priority static */
	if (!scx_bpf_dsq_nr_queued(INTERACTIVE))
		dsq_move_to_local(BATCH, 0);
	else
		dsq_move_to_local(INTERACTIVE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(starve_strict_queued_init)
{
	s32 error = scx_bpf_create_dsq(INTERACTIVE, -1);

	return error ?: scx_bpf_create_dsq(BATCH, -1);
}

void BPF_STRUCT_OPS(starve_strict_queued_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_strict_queued_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_strict_queued_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(starve_strict_queued_ops,
	  .select_cpu = (void *)starve_strict_queued_select_cpu,
	  .enqueue = (void *)starve_strict_queued_enqueue,
	  .dispatch = (void *)starve_strict_queued_dispatch,
	  .cpu_online = (void *)starve_strict_queued_cpu_online,
	  .cpu_offline = (void *)starve_strict_queued_cpu_offline,
	  .init = (void *)starve_strict_queued_init,
	  .exit = (void *)starve_strict_queued_exit,
	  .timeout_ms = 10000,
	  .name = "starve_strict_queued");
