// SPDX-License-Identifier: GPL-2.0-only
/* A function that has placed the task answers the caller that it has not. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0
#define NICE 1

s32 BPF_STRUCT_OPS(double_subprogram_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

static __noinline bool place_nice(struct task_struct *p, u64 enq_flags)
{
	if (p->scx.weight >= 100)
		return false;
	dsq_insert(p, NICE, SCX_SLICE_DFL, enq_flags);
	return p->scx.weight < 50;
}

void BPF_STRUCT_OPS(double_subprogram_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (!place_nice(p, enq_flags))
		/* FLAW double-insert static */
		dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u32 turns;

void BPF_STRUCT_OPS(double_subprogram_dispatch, s32 cpu, struct task_struct *prev)
{
	u64 first = __sync_add_and_fetch(&turns, 1) % 4 ? QUEUE : NICE;

	if (!dsq_move_to_local(first, 0))
		dsq_move_to_local(first == NICE ? QUEUE : NICE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(double_subprogram_init)
{
	s32 error = scx_bpf_create_dsq(QUEUE, -1);

	return error ?: scx_bpf_create_dsq(NICE, -1);
}

void BPF_STRUCT_OPS(double_subprogram_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(double_subprogram_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(double_subprogram_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(double_subprogram_ops,
	  .select_cpu = (void *)double_subprogram_select_cpu,
	  .enqueue = (void *)double_subprogram_enqueue,
	  .dispatch = (void *)double_subprogram_dispatch,
	  .cpu_online = (void *)double_subprogram_cpu_online,
	  .cpu_offline = (void *)double_subprogram_cpu_offline,
	  .init = (void *)double_subprogram_init,
	  .exit = (void *)double_subprogram_exit,
	  .timeout_ms = 10000,
	  .name = "double_subprogram");
