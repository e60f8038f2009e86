// SPDX-License-Identifier: GPL-2.0-only
/* A parameter in microseconds whose default was meant in nanoseconds. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile __u32 slice_us = 50000000;

#define QUEUE 0

s32 BPF_STRUCT_OPS(slice_parameter_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(slice_parameter_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW slice static */
	dsq_insert(p, QUEUE, slice_us * NSEC_PER_USEC, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(slice_parameter_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(slice_parameter_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(slice_parameter_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(slice_parameter_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(slice_parameter_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(slice_parameter_ops,
	  .select_cpu = (void *)slice_parameter_select_cpu,
	  .enqueue = (void *)slice_parameter_enqueue,
	  .dispatch = (void *)slice_parameter_dispatch,
	  .cpu_online = (void *)slice_parameter_cpu_online,
	  .cpu_offline = (void *)slice_parameter_cpu_offline,
	  .init = (void *)slice_parameter_init,
	  .exit = (void *)slice_parameter_exit,
	  .timeout_ms = 10000,
	  .name = "slice_parameter");
