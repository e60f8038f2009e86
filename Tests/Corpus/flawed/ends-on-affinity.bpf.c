// SPDX-License-Identifier: GPL-2.0-only
/* A change of affinity comes unexpected, and ends it. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(ends_on_affinity_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(ends_on_affinity_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(ends_on_affinity_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

static u32 changes;

void BPF_STRUCT_OPS(ends_on_affinity_set_cpumask, struct task_struct *p, const struct cpumask *mask)
{
	/* FLAW ejected dynamic */
	if (__sync_add_and_fetch(&changes, 1) > 50)
		scheduler_error("task %d changed its CPUs once too often", p->pid);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(ends_on_affinity_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(ends_on_affinity_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(ends_on_affinity_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(ends_on_affinity_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(ends_on_affinity_ops,
	  .select_cpu = (void *)ends_on_affinity_select_cpu,
	  .enqueue = (void *)ends_on_affinity_enqueue,
	  .dispatch = (void *)ends_on_affinity_dispatch,
	  .set_cpumask = (void *)ends_on_affinity_set_cpumask,
	  .cpu_online = (void *)ends_on_affinity_cpu_online,
	  .cpu_offline = (void *)ends_on_affinity_cpu_offline,
	  .init = (void *)ends_on_affinity_init,
	  .exit = (void *)ends_on_affinity_exit,
	  .timeout_ms = 10000,
	  .name = "ends_on_affinity");
