// SPDX-License-Identifier: GPL-2.0-only
/* Two names for the same number: the second creation fails and the scheduler never starts. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 5
#define BACKGROUND 5

s32 BPF_STRUCT_OPS(dsq_created_twice_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(dsq_created_twice_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(dsq_created_twice_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_created_twice_init)
{
	s32 error = scx_bpf_create_dsq(QUEUE, -1);

	if (error)
		return error;
	/* FLAW created-twice static */
	return scx_bpf_create_dsq(BACKGROUND, -1);
}

void BPF_STRUCT_OPS(dsq_created_twice_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_created_twice_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_created_twice_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(dsq_created_twice_ops,
	  .select_cpu = (void *)dsq_created_twice_select_cpu,
	  .enqueue = (void *)dsq_created_twice_enqueue,
	  .dispatch = (void *)dsq_created_twice_dispatch,
	  .cpu_online = (void *)dsq_created_twice_cpu_online,
	  .cpu_offline = (void *)dsq_created_twice_cpu_offline,
	  .init = (void *)dsq_created_twice_init,
	  .exit = (void *)dsq_created_twice_exit,
	  .timeout_ms = 10000,
	  .name = "dsq_created_twice");
