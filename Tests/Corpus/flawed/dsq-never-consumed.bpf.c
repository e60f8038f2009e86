// SPDX-License-Identifier: GPL-2.0-only
/* Heavy tasks have a queue of their own that no CPU ever serves. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0
#define HEAVY 1

s32 BPF_STRUCT_OPS(dsq_never_consumed_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(dsq_never_consumed_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW unconsumed-dsq static */
	dsq_insert(p, p->scx.weight > 100 ? HEAVY : QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(dsq_never_consumed_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_never_consumed_init)
{
	s32 error = scx_bpf_create_dsq(QUEUE, -1);

	return error ?: scx_bpf_create_dsq(HEAVY, -1);
}

void BPF_STRUCT_OPS(dsq_never_consumed_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_never_consumed_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_never_consumed_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(dsq_never_consumed_ops,
	  .select_cpu = (void *)dsq_never_consumed_select_cpu,
	  .enqueue = (void *)dsq_never_consumed_enqueue,
	  .dispatch = (void *)dsq_never_consumed_dispatch,
	  .cpu_online = (void *)dsq_never_consumed_cpu_online,
	  .cpu_offline = (void *)dsq_never_consumed_cpu_offline,
	  .init = (void *)dsq_never_consumed_init,
	  .exit = (void *)dsq_never_consumed_exit,
	  .timeout_ms = 10000,
	  .name = "dsq_never_consumed");
