// SPDX-License-Identifier: GPL-2.0-only
/* A queue for each CPU, which nobody serves any more after its CPU has gone. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

s32 BPF_STRUCT_OPS(hotplug_queue_left_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(hotplug_queue_left_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 cpu = scx_bpf_task_cpu(p);

	if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
		cpu = bpf_cpumask_first(p->cpus_ptr);
	/* FLAW hotplug dynamic */
	dsq_insert(p, cpu % SCHEDCP_MAX_CPUS, SCX_SLICE_DFL, enq_flags);
	scx_bpf_kick_cpu(scx_bpf_task_cpu(p), SCX_KICK_IDLE);
}

void BPF_STRUCT_OPS(hotplug_queue_left_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(cpu, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(hotplug_queue_left_init)
{
	u32 i;

	bpf_for(i, 0, SCHEDCP_MAX_CPUS) {
		s32 error = scx_bpf_create_dsq(i, -1);

		if (error)
			return error;
	}
	return 0;
}

void BPF_STRUCT_OPS(hotplug_queue_left_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(hotplug_queue_left_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(hotplug_queue_left_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(hotplug_queue_left_ops,
	  .select_cpu = (void *)hotplug_queue_left_select_cpu,
	  .enqueue = (void *)hotplug_queue_left_enqueue,
	  .dispatch = (void *)hotplug_queue_left_dispatch,
	  .cpu_online = (void *)hotplug_queue_left_cpu_online,
	  .cpu_offline = (void *)hotplug_queue_left_cpu_offline,
	  .init = (void *)hotplug_queue_left_init,
	  .exit = (void *)hotplug_queue_left_exit,
	  .timeout_ms = 10000,
	  .name = "hotplug_queue_left");
