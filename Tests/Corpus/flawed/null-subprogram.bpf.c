// SPDX-License-Identifier: GPL-2.0-only
/* Hands the task that ran before on to a function that does not ask whether there was one. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(null_subprogram_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(null_subprogram_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static __noinline bool goes_on(struct task_struct *prev, s32 cpu)
{
	/* FLAW maybe-null static */
	return (prev->scx.flags & SCX_TASK_QUEUED) && bpf_cpumask_test_cpu(cpu, prev->cpus_ptr);
}

void BPF_STRUCT_OPS(null_subprogram_dispatch, s32 cpu, struct task_struct *prev)
{
	if (dsq_move_to_local(QUEUE, 0))
		return;
	if (goes_on(prev, cpu))
		task_set_slice(prev, SCX_SLICE_DFL);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(null_subprogram_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(null_subprogram_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(null_subprogram_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(null_subprogram_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(null_subprogram_ops,
	  .select_cpu = (void *)null_subprogram_select_cpu,
	  .enqueue = (void *)null_subprogram_enqueue,
	  .dispatch = (void *)null_subprogram_dispatch,
	  .cpu_online = (void *)null_subprogram_cpu_online,
	  .cpu_offline = (void *)null_subprogram_cpu_offline,
	  .init = (void *)null_subprogram_init,
	  .exit = (void *)null_subprogram_exit,
	  .timeout_ms = 10000,
	  .name = "null_subprogram");
