// SPDX-License-Identifier: GPL-2.0-only
/* Knows no answer to a CPU that goes, and ends itself. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(hotplug_error_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(hotplug_error_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(hotplug_error_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(hotplug_error_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(hotplug_error_cpu_offline, s32 cpu)
{
	/* FLAW hotplug dynamic */
	scheduler_error("CPU %d went away", cpu);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(hotplug_error_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(hotplug_error_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(hotplug_error_ops,
	  .select_cpu = (void *)hotplug_error_select_cpu,
	  .enqueue = (void *)hotplug_error_enqueue,
	  .dispatch = (void *)hotplug_error_dispatch,
	  .cpu_online = (void *)hotplug_error_cpu_online,
	  .cpu_offline = (void *)hotplug_error_cpu_offline,
	  .init = (void *)hotplug_error_init,
	  .exit = (void *)hotplug_error_exit,
	  .timeout_ms = 10000,
	  .name = "hotplug_error");
