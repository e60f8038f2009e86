// SPDX-License-Identifier: GPL-2.0-only
/* A task that the kernel hands back is believed to be in the queue still. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(lost_reenqueued_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, SCX_ENQ_IMMED);
	return cpu;
}

void BPF_STRUCT_OPS(lost_reenqueued_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW lost-task static */
	if (enq_flags & SCX_ENQ_REENQ)
		return;
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(lost_reenqueued_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(lost_reenqueued_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(lost_reenqueued_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_reenqueued_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_reenqueued_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(lost_reenqueued_ops,
	  .select_cpu = (void *)lost_reenqueued_select_cpu,
	  .enqueue = (void *)lost_reenqueued_enqueue,
	  .dispatch = (void *)lost_reenqueued_dispatch,
	  .cpu_online = (void *)lost_reenqueued_cpu_online,
	  .cpu_offline = (void *)lost_reenqueued_cpu_offline,
	  .init = (void *)lost_reenqueued_init,
	  .exit = (void *)lost_reenqueued_exit,
	  .timeout_ms = 10000,
	  .name = "lost_reenqueued");
