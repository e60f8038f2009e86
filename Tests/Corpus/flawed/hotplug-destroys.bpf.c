// SPDX-License-Identifier: GPL-2.0-only
/* Destroys the queue of a CPU that goes, with the tasks that wait there, and goes on to use it. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

void scx_bpf_destroy_dsq(u64 dsq_id) __ksym;

s32 BPF_STRUCT_OPS(hotplug_destroys_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(hotplug_destroys_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 cpu = scx_bpf_task_cpu(p);

	dsq_insert(p, cpu % SCHEDCP_MAX_CPUS, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(hotplug_destroys_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 nr = nr_cpus(), i;

	bpf_for(i, 0, nr) {
		if (dsq_move_to_local((cpu + i) % nr, 0))
			return;
	}
}

void BPF_STRUCT_OPS(hotplug_destroys_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(hotplug_destroys_cpu_offline, s32 cpu)
{
	/* FLAW hotplug dynamic */
	scx_bpf_destroy_dsq(cpu);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(hotplug_destroys_init)
{
	u32 i;

	bpf_for(i, 0, SCHEDCP_MAX_CPUS) {
		s32 error = scx_bpf_create_dsq(i, -1);

		if (error)
			return error;
	}
	return 0;
}

void BPF_STRUCT_OPS(hotplug_destroys_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(hotplug_destroys_ops,
	  .select_cpu = (void *)hotplug_destroys_select_cpu,
	  .enqueue = (void *)hotplug_destroys_enqueue,
	  .dispatch = (void *)hotplug_destroys_dispatch,
	  .cpu_online = (void *)hotplug_destroys_cpu_online,
	  .cpu_offline = (void *)hotplug_destroys_cpu_offline,
	  .init = (void *)hotplug_destroys_init,
	  .exit = (void *)hotplug_destroys_exit,
	  .timeout_ms = 10000,
	  .name = "hotplug_destroys");
