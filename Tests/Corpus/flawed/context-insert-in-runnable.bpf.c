// SPDX-License-Identifier: GPL-2.0-only
/* Queues a task as soon as it becomes runnable, before it is offered. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(context_insert_in_runnable_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(context_insert_in_runnable_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(context_insert_in_runnable_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

static __noinline int queue_early(struct task_struct *p)
{
	/* FLAW kfunc-context static */
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, 0);
	return 0;
}

void BPF_STRUCT_OPS(context_insert_in_runnable_runnable, struct task_struct *p, u64 enq_flags)
{
	if (enq_flags & SCX_ENQ_WAKEUP)
		queue_early(p);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(context_insert_in_runnable_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(context_insert_in_runnable_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(context_insert_in_runnable_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(context_insert_in_runnable_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(context_insert_in_runnable_ops,
	  .select_cpu = (void *)context_insert_in_runnable_select_cpu,
	  .enqueue = (void *)context_insert_in_runnable_enqueue,
	  .dispatch = (void *)context_insert_in_runnable_dispatch,
	  .runnable = (void *)context_insert_in_runnable_runnable,
	  .cpu_online = (void *)context_insert_in_runnable_cpu_online,
	  .cpu_offline = (void *)context_insert_in_runnable_cpu_offline,
	  .init = (void *)context_insert_in_runnable_init,
	  .exit = (void *)context_insert_in_runnable_exit,
	  .timeout_ms = 10000,
	  .name = "context_insert_in_runnable");
