// SPDX-License-Identifier: GPL-2.0-only
/* enqueue orders the queue by time, and select_cpu puts tasks at its end. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(dsq_mixed_select_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	/* FLAW mixed-order static */
	dsq_insert(p, idle ? SCX_DSQ_LOCAL : QUEUE, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(dsq_mixed_select_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert_ordered(p, QUEUE, SCX_SLICE_DFL, clock_now(), enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(dsq_mixed_select_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_mixed_select_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(dsq_mixed_select_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_mixed_select_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_mixed_select_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(dsq_mixed_select_ops,
	  .select_cpu = (void *)dsq_mixed_select_select_cpu,
	  .enqueue = (void *)dsq_mixed_select_enqueue,
	  .dispatch = (void *)dsq_mixed_select_dispatch,
	  .cpu_online = (void *)dsq_mixed_select_cpu_online,
	  .cpu_offline = (void *)dsq_mixed_select_cpu_offline,
	  .init = (void *)dsq_mixed_select_init,
	  .exit = (void *)dsq_mixed_select_exit,
	  .timeout_ms = 10000,
	  .name = "dsq_mixed_select");
