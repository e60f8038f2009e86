// SPDX-License-Identifier: GPL-2.0-only
/* An order for each value of the parameter, and the first one for any other value. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile __u32 order = 1; /* 0: first come, 1: by time, 2: by weight within the time */

#define QUEUE 0
#define ORDERED 1

s32 BPF_STRUCT_OPS(by_parameter_total_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(by_parameter_total_enqueue, struct task_struct *p, u64 enq_flags)
{
	switch (order) {
	case 1:
		dsq_insert_ordered(p, ORDERED, SCX_SLICE_DFL, clock_now(), enq_flags);
		break;
	case 2:
		dsq_insert_ordered(p, ORDERED, SCX_SLICE_DFL, clock_now() - p->scx.weight, enq_flags);
		break;
	default:
		dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
		break;
	}
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(by_parameter_total_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(order == 1 || order == 2 ? ORDERED : QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(by_parameter_total_init)
{
	s32 error = scx_bpf_create_dsq(QUEUE, -1);

	return error ?: scx_bpf_create_dsq(ORDERED, -1);
}

void BPF_STRUCT_OPS(by_parameter_total_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(by_parameter_total_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(by_parameter_total_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(by_parameter_total_ops,
	  .select_cpu = (void *)by_parameter_total_select_cpu,
	  .enqueue = (void *)by_parameter_total_enqueue,
	  .dispatch = (void *)by_parameter_total_dispatch,
	  .cpu_online = (void *)by_parameter_total_cpu_online,
	  .cpu_offline = (void *)by_parameter_total_cpu_offline,
	  .init = (void *)by_parameter_total_init,
	  .exit = (void *)by_parameter_total_exit,
	  .timeout_ms = 10000,
	  .name = "by_parameter_total");
