// SPDX-License-Identifier: GPL-2.0-only
/* Queues the task that runs now in place of the one that was woken. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(lost_wrong_task_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(lost_wrong_task_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_struct *waker = bpf_get_current_task_btf();

	/* FLAW lost-task static */
	dsq_insert(waker, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(lost_wrong_task_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(lost_wrong_task_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(lost_wrong_task_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_wrong_task_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_wrong_task_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(lost_wrong_task_ops,
	  .select_cpu = (void *)lost_wrong_task_select_cpu,
	  .enqueue = (void *)lost_wrong_task_enqueue,
	  .dispatch = (void *)lost_wrong_task_dispatch,
	  .cpu_online = (void *)lost_wrong_task_cpu_online,
	  .cpu_offline = (void *)lost_wrong_task_cpu_offline,
	  .init = (void *)lost_wrong_task_init,
	  .exit = (void *)lost_wrong_task_exit,
	  .timeout_ms = 10000,
	  .name = "lost_wrong_task");
