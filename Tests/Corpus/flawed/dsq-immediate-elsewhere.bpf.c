// SPDX-License-Identifier: GPL-2.0-only
/* Asks for immediate execution from a queue that belongs to no CPU. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(dsq_immediate_elsewhere_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(dsq_immediate_elsewhere_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW ejected dynamic */
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags | SCX_ENQ_IMMED);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(dsq_immediate_elsewhere_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_immediate_elsewhere_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(dsq_immediate_elsewhere_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_immediate_elsewhere_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_immediate_elsewhere_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(dsq_immediate_elsewhere_ops,
	  .select_cpu = (void *)dsq_immediate_elsewhere_select_cpu,
	  .enqueue = (void *)dsq_immediate_elsewhere_enqueue,
	  .dispatch = (void *)dsq_immediate_elsewhere_dispatch,
	  .cpu_online = (void *)dsq_immediate_elsewhere_cpu_online,
	  .cpu_offline = (void *)dsq_immediate_elsewhere_cpu_offline,
	  .init = (void *)dsq_immediate_elsewhere_init,
	  .exit = (void *)dsq_immediate_elsewhere_exit,
	  .timeout_ms = 10000,
	  .name = "dsq_immediate_elsewhere");
