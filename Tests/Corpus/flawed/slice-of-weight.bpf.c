// SPDX-License-Identifier: GPL-2.0-only
/* The slice grows with the weight: at nice -20 it is longer than the watchdog waits. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(slice_of_weight_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(slice_of_weight_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW slice static */
	dsq_insert(p, QUEUE, p->scx.weight * 5 * NSEC_PER_MSEC, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(slice_of_weight_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(slice_of_weight_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(slice_of_weight_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(slice_of_weight_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(slice_of_weight_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(slice_of_weight_ops,
	  .select_cpu = (void *)slice_of_weight_select_cpu,
	  .enqueue = (void *)slice_of_weight_enqueue,
	  .dispatch = (void *)slice_of_weight_dispatch,
	  .cpu_online = (void *)slice_of_weight_cpu_online,
	  .cpu_offline = (void *)slice_of_weight_cpu_offline,
	  .init = (void *)slice_of_weight_init,
	  .exit = (void *)slice_of_weight_exit,
	  .timeout_ms = 10000,
	  .name = "slice_of_weight");
