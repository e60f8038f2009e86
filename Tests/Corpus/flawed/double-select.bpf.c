// SPDX-License-Identifier: GPL-2.0-only
/* select_cpu inserts for an idle CPU, and then inserts for everybody. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(double_select_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	/* FLAW double-insert static */
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(double_select_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(double_select_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(double_select_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(double_select_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(double_select_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(double_select_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(double_select_ops,
	  .select_cpu = (void *)double_select_select_cpu,
	  .enqueue = (void *)double_select_enqueue,
	  .dispatch = (void *)double_select_dispatch,
	  .cpu_online = (void *)double_select_cpu_online,
	  .cpu_offline = (void *)double_select_cpu_offline,
	  .init = (void *)double_select_init,
	  .exit = (void *)double_select_exit,
	  .timeout_ms = 10000,
	  .name = "double_select");
