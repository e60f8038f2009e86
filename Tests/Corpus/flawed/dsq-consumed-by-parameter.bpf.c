// SPDX-License-Identifier: GPL-2.0-only
/* The overflow queue is served only when a parameter says so, and filled always. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile bool serve_overflow = false;

#define QUEUE 0
#define OVERFLOW 1

s32 BPF_STRUCT_OPS(dsq_consumed_by_parameter_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(dsq_consumed_by_parameter_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 queue = QUEUE;

	if (scx_bpf_dsq_nr_queued(QUEUE) > 16)
		queue = OVERFLOW;
	/* FLAW unconsumed-dsq static */
	dsq_insert(p, queue, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u32 turns;

void BPF_STRUCT_OPS(dsq_consumed_by_parameter_dispatch, s32 cpu, struct task_struct *prev)
{
	if (serve_overflow && ++turns % 2 && dsq_move_to_local(OVERFLOW, 0))
		return;
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_consumed_by_parameter_init)
{
	s32 error = scx_bpf_create_dsq(QUEUE, -1);

	return error ?: scx_bpf_create_dsq(OVERFLOW, -1);
}

void BPF_STRUCT_OPS(dsq_consumed_by_parameter_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_consumed_by_parameter_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_consumed_by_parameter_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(dsq_consumed_by_parameter_ops,
	  .select_cpu = (void *)dsq_consumed_by_parameter_select_cpu,
	  .enqueue = (void *)dsq_consumed_by_parameter_enqueue,
	  .dispatch = (void *)dsq_consumed_by_parameter_dispatch,
	  .cpu_online = (void *)dsq_consumed_by_parameter_cpu_online,
	  .cpu_offline = (void *)dsq_consumed_by_parameter_cpu_offline,
	  .init = (void *)dsq_consumed_by_parameter_init,
	  .exit = (void *)dsq_consumed_by_parameter_exit,
	  .timeout_ms = 10000,
	  .name = "dsq_consumed_by_parameter");
