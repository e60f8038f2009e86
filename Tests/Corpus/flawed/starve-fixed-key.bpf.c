// SPDX-License-Identifier: GPL-2.0-only
/* Orders by nice value alone: as long as heavier tasks wait, the lighter ones do. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(starve_fixed_key_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(starve_fixed_key_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW ageing-broken static */
	dsq_insert_ordered(p, QUEUE, SCX_SLICE_DFL, 10000 - p->scx.weight, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(starve_fixed_key_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(starve_fixed_key_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(starve_fixed_key_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_fixed_key_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(starve_fixed_key_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(starve_fixed_key_ops,
	  .select_cpu = (void *)starve_fixed_key_select_cpu,
	  .enqueue = (void *)starve_fixed_key_enqueue,
	  .dispatch = (void *)starve_fixed_key_dispatch,
	  .cpu_online = (void *)starve_fixed_key_cpu_online,
	  .cpu_offline = (void *)starve_fixed_key_cpu_offline,
	  .init = (void *)starve_fixed_key_init,
	  .exit = (void *)starve_fixed_key_exit,
	  .timeout_ms = 10000,
	  .name = "starve_fixed_key");
