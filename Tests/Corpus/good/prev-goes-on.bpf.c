// SPDX-License-Identifier: GPL-2.0-only
/* Asks whether there was a task before it reads it, in one expression, and lets it go on only when nobody waits. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(prev_goes_on_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(prev_goes_on_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(prev_goes_on_dispatch, s32 cpu, struct task_struct *prev)
{
	bool runs_on = prev && (prev->scx.flags & SCX_TASK_QUEUED);

	if (!dsq_move_to_local(QUEUE, 0) && runs_on && bpf_cpumask_test_cpu(cpu, prev->cpus_ptr))
		task_set_slice(prev, SCX_SLICE_DFL);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(prev_goes_on_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(prev_goes_on_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(prev_goes_on_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(prev_goes_on_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(prev_goes_on_ops,
	  .select_cpu = (void *)prev_goes_on_select_cpu,
	  .enqueue = (void *)prev_goes_on_enqueue,
	  .dispatch = (void *)prev_goes_on_dispatch,
	  .cpu_online = (void *)prev_goes_on_cpu_online,
	  .cpu_offline = (void *)prev_goes_on_cpu_offline,
	  .init = (void *)prev_goes_on_init,
	  .exit = (void *)prev_goes_on_exit,
	  .timeout_ms = 10000,
	  .name = "prev_goes_on");
