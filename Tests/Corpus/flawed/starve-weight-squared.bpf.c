// SPDX-License-Identifier: GPL-2.0-only
/* Virtual time by the square of the weight: a light task owes half a minute after each of its turns. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(starve_weight_squared_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(starve_weight_squared_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert_ordered(p, QUEUE, SCX_SLICE_DFL, p->scx.dsq_vtime, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(starve_weight_squared_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(starve_weight_squared_stopping, struct task_struct *p, bool runnable)
{
	u64 weight = p->scx.weight ?: 1;

	/* FLAW starvation dynamic */
	task_set_vtime(p, p->scx.dsq_vtime + (SCX_SLICE_DFL - p->scx.slice) * 10000 / (weight * weight));
}

void BPF_STRUCT_OPS(starve_weight_squared_enable, struct task_struct *p)
{
	task_set_vtime(p, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(starve_weight_squared_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(starve_weight_squared_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_weight_squared_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_weight_squared_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(starve_weight_squared_ops,
	  .select_cpu = (void *)starve_weight_squared_select_cpu,
	  .enqueue = (void *)starve_weight_squared_enqueue,
	  .dispatch = (void *)starve_weight_squared_dispatch,
	  .stopping = (void *)starve_weight_squared_stopping,
	  .enable = (void *)starve_weight_squared_enable,
	  .cpu_online = (void *)starve_weight_squared_cpu_online,
	  .cpu_offline = (void *)starve_weight_squared_cpu_offline,
	  .init = (void *)starve_weight_squared_init,
	  .exit = (void *)starve_weight_squared_exit,
	  .timeout_ms = 10000,
	  .name = "starve_weight_squared");
