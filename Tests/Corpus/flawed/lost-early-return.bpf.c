// SPDX-License-Identifier: GPL-2.0-only
/* Serves user tasks from one queue and means to leave kernel threads to the kernel, which does not take them back. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0
#define PF_KTHREAD 0x00200000

s32 BPF_STRUCT_OPS(lost_early_return_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(lost_early_return_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW lost-task static */
	if (p->flags & PF_KTHREAD)
		return;
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(lost_early_return_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(lost_early_return_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(lost_early_return_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_early_return_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_early_return_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(lost_early_return_ops,
	  .select_cpu = (void *)lost_early_return_select_cpu,
	  .enqueue = (void *)lost_early_return_enqueue,
	  .dispatch = (void *)lost_early_return_dispatch,
	  .cpu_online = (void *)lost_early_return_cpu_online,
	  .cpu_offline = (void *)lost_early_return_cpu_offline,
	  .init = (void *)lost_early_return_init,
	  .exit = (void *)lost_early_return_exit,
	  .timeout_ms = 10000,
	  .name = "lost_early_return");
