// SPDX-License-Identifier: GPL-2.0-only
/* The order is a parameter; one of its three values was never written. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile __u32 order = 2; /* 0: first come, 1: by virtual time, 2: by weight */

#define QUEUE 0
#define ORDERED 1

s32 BPF_STRUCT_OPS(lost_by_parameter_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(lost_by_parameter_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (order == 0)
		dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	/* FLAW lost-task static */
	else if (order == 1)
		dsq_insert_ordered(p, ORDERED, SCX_SLICE_DFL, clock_now(), enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(lost_by_parameter_dispatch, s32 cpu, struct task_struct *prev)
{
	if (order == 1)
		dsq_move_to_local(ORDERED, 0);
	else
		dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(lost_by_parameter_init)
{
	s32 error = scx_bpf_create_dsq(QUEUE, -1);

	return error ?: scx_bpf_create_dsq(ORDERED, -1);
}

void BPF_STRUCT_OPS(lost_by_parameter_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_by_parameter_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_by_parameter_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(lost_by_parameter_ops,
	  .select_cpu = (void *)lost_by_parameter_select_cpu,
	  .enqueue = (void *)lost_by_parameter_enqueue,
	  .dispatch = (void *)lost_by_parameter_dispatch,
	  .cpu_online = (void *)lost_by_parameter_cpu_online,
	  .cpu_offline = (void *)lost_by_parameter_cpu_offline,
	  .init = (void *)lost_by_parameter_init,
	  .exit = (void *)lost_by_parameter_exit,
	  .timeout_ms = 10000,
	  .name = "lost_by_parameter");
