// SPDX-License-Identifier: GPL-2.0-only
/* The fallback of an ordered scheduler is the global queue, reached through a variable. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(dsq_vtime_global_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(dsq_vtime_global_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 queue = QUEUE;

	if (scx_bpf_dsq_nr_queued(QUEUE) > 32)
		queue = SCX_DSQ_GLOBAL;
	/* FLAW vtime-builtin static */
	dsq_insert_ordered(p, queue, SCX_SLICE_DFL, clock_now(), enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(dsq_vtime_global_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_vtime_global_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(dsq_vtime_global_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_vtime_global_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_vtime_global_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(dsq_vtime_global_ops,
	  .select_cpu = (void *)dsq_vtime_global_select_cpu,
	  .enqueue = (void *)dsq_vtime_global_enqueue,
	  .dispatch = (void *)dsq_vtime_global_dispatch,
	  .cpu_online = (void *)dsq_vtime_global_cpu_online,
	  .cpu_offline = (void *)dsq_vtime_global_cpu_offline,
	  .init = (void *)dsq_vtime_global_init,
	  .exit = (void *)dsq_vtime_global_exit,
	  .timeout_ms = 10000,
	  .name = "dsq_vtime_global");
