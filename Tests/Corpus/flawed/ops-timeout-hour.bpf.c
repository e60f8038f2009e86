// SPDX-License-Identifier: GPL-2.0-only
/* A timeout of an hour, in milliseconds. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(ops_timeout_hour_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(ops_timeout_hour_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(ops_timeout_hour_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(ops_timeout_hour_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(ops_timeout_hour_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(ops_timeout_hour_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(ops_timeout_hour_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(ops_timeout_hour_ops,
	  .select_cpu = (void *)ops_timeout_hour_select_cpu,
	  .enqueue = (void *)ops_timeout_hour_enqueue,
	  .dispatch = (void *)ops_timeout_hour_dispatch,
	  .cpu_online = (void *)ops_timeout_hour_cpu_online,
	  .cpu_offline = (void *)ops_timeout_hour_cpu_offline,
	  .init = (void *)ops_timeout_hour_init,
	  .exit = (void *)ops_timeout_hour_exit,
	  /* FLAW timeout static */
	  .timeout_ms = 60 * 60 * 1000,
	  .name = "ops_timeout_hour");
