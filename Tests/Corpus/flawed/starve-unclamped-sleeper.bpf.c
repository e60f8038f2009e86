// SPDX-License-Identifier: GPL-2.0-only
/* Virtual time by which a task that slept has a claim to all that it slept through. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(starve_unclamped_sleeper_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(starve_unclamped_sleeper_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert_ordered(p, QUEUE, SCX_SLICE_DFL, p->scx.dsq_vtime, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(starve_unclamped_sleeper_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(starve_unclamped_sleeper_stopping, struct task_struct *p, bool runnable)
{
	/* FLAW starvation dynamic */
	task_set_vtime(p, p->scx.dsq_vtime + (SCX_SLICE_DFL - p->scx.slice) * 100 / (p->scx.weight ?: 1));
}

void BPF_STRUCT_OPS(starve_unclamped_sleeper_enable, struct task_struct *p)
{
	task_set_vtime(p, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(starve_unclamped_sleeper_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(starve_unclamped_sleeper_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_unclamped_sleeper_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_unclamped_sleeper_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(starve_unclamped_sleeper_ops,
	  .select_cpu = (void *)starve_unclamped_sleeper_select_cpu,
	  .enqueue = (void *)starve_unclamped_sleeper_enqueue,
	  .dispatch = (void *)starve_unclamped_sleeper_dispatch,
	  .stopping = (void *)starve_unclamped_sleeper_stopping,
	  .enable = (void *)starve_unclamped_sleeper_enable,
	  .cpu_online = (void *)starve_unclamped_sleeper_cpu_online,
	  .cpu_offline = (void *)starve_unclamped_sleeper_cpu_offline,
	  .init = (void *)starve_unclamped_sleeper_init,
	  .exit = (void *)starve_unclamped_sleeper_exit,
	  .timeout_ms = 10000,
	  .name = "starve_unclamped_sleeper");
