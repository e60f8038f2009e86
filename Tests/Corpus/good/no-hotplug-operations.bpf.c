// SPDX-License-Identifier: GPL-2.0-only
/* Has no operations for CPUs that come and go: the kernel then ends it in order, and says that it may start anew. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(no_hotplug_operations_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(no_hotplug_operations_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(no_hotplug_operations_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(no_hotplug_operations_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(no_hotplug_operations_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(no_hotplug_operations_ops,
	  .select_cpu = (void *)no_hotplug_operations_select_cpu,
	  .enqueue = (void *)no_hotplug_operations_enqueue,
	  .dispatch = (void *)no_hotplug_operations_dispatch,
	  .init = (void *)no_hotplug_operations_init,
	  .exit = (void *)no_hotplug_operations_exit,
	  .timeout_ms = 10000,
	  .name = "no_hotplug_operations");
