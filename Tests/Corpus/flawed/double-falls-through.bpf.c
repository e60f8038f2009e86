// SPDX-License-Identifier: GPL-2.0-only
/* Kernel threads get the global queue and then, for want of a return, the shared one too. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0
#define PF_KTHREAD 0x00200000

s32 BPF_STRUCT_OPS(double_falls_through_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(double_falls_through_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (p->flags & PF_KTHREAD)
		dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
	/* FLAW double-insert static */
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(double_falls_through_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(double_falls_through_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(double_falls_through_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(double_falls_through_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(double_falls_through_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(double_falls_through_ops,
	  .select_cpu = (void *)double_falls_through_select_cpu,
	  .enqueue = (void *)double_falls_through_enqueue,
	  .dispatch = (void *)double_falls_through_dispatch,
	  .cpu_online = (void *)double_falls_through_cpu_online,
	  .cpu_offline = (void *)double_falls_through_cpu_offline,
	  .init = (void *)double_falls_through_init,
	  .exit = (void *)double_falls_through_exit,
	  .timeout_ms = 10000,
	  .name = "double_falls_through");
