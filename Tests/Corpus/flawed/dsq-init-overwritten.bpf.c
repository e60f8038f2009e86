// SPDX-License-Identifier: GPL-2.0-only
/* The second creation overwrites what the first one answered. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0
#define WAKEUPS 1

s32 BPF_STRUCT_OPS(dsq_init_overwritten_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(dsq_init_overwritten_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, enq_flags & SCX_ENQ_WAKEUP ? WAKEUPS : QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u32 turns;

void BPF_STRUCT_OPS(dsq_init_overwritten_dispatch, s32 cpu, struct task_struct *prev)
{
	u64 first = __sync_add_and_fetch(&turns, 1) % 4 ? WAKEUPS : QUEUE;

	if (!dsq_move_to_local(first, 0))
		dsq_move_to_local(first == QUEUE ? WAKEUPS : QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_init_overwritten_init)
{
	s32 error;

	/* FLAW init-ignored-error static */
	error = scx_bpf_create_dsq(QUEUE, -1);
	error = scx_bpf_create_dsq(WAKEUPS, -1);
	return error;
}

void BPF_STRUCT_OPS(dsq_init_overwritten_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_init_overwritten_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_init_overwritten_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(dsq_init_overwritten_ops,
	  .select_cpu = (void *)dsq_init_overwritten_select_cpu,
	  .enqueue = (void *)dsq_init_overwritten_enqueue,
	  .dispatch = (void *)dsq_init_overwritten_dispatch,
	  .cpu_online = (void *)dsq_init_overwritten_cpu_online,
	  .cpu_offline = (void *)dsq_init_overwritten_cpu_offline,
	  .init = (void *)dsq_init_overwritten_init,
	  .exit = (void *)dsq_init_overwritten_exit,
	  .timeout_ms = 10000,
	  .name = "dsq_init_overwritten");
