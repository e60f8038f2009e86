// SPDX-License-Identifier: GPL-2.0-only
/* Has a queue, and no operation that serves it. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(dsq_no_dispatch_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(dsq_no_dispatch_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW unconsumed-dsq static */
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_no_dispatch_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(dsq_no_dispatch_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_no_dispatch_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_no_dispatch_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(dsq_no_dispatch_ops,
	  .select_cpu = (void *)dsq_no_dispatch_select_cpu,
	  .enqueue = (void *)dsq_no_dispatch_enqueue,
	  .cpu_online = (void *)dsq_no_dispatch_cpu_online,
	  .cpu_offline = (void *)dsq_no_dispatch_cpu_offline,
	  .init = (void *)dsq_no_dispatch_init,
	  .exit = (void *)dsq_no_dispatch_exit,
	  .timeout_ms = 10000,
	  .name = "dsq_no_dispatch");
