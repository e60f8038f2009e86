// SPDX-License-Identifier: GPL-2.0-only
/* Each task that starts to run is given a slice of nothing, so that every tick is a switch. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(slice_zero_running_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(slice_zero_running_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(slice_zero_running_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(slice_zero_running_running, struct task_struct *p)
{
	/* FLAW slice static */
	task_set_slice(p, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(slice_zero_running_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(slice_zero_running_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(slice_zero_running_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(slice_zero_running_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(slice_zero_running_ops,
	  .select_cpu = (void *)slice_zero_running_select_cpu,
	  .enqueue = (void *)slice_zero_running_enqueue,
	  .dispatch = (void *)slice_zero_running_dispatch,
	  .running = (void *)slice_zero_running_running,
	  .cpu_online = (void *)slice_zero_running_cpu_online,
	  .cpu_offline = (void *)slice_zero_running_cpu_offline,
	  .init = (void *)slice_zero_running_init,
	  .exit = (void *)slice_zero_running_exit,
	  .timeout_ms = 10000,
	  .name = "slice_zero_running");
