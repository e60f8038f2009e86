// SPDX-License-Identifier: GPL-2.0-only
/* Two functions put tasks into the same queue, one by arrival and one by weight. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(dsq_mixed_subprogram_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

static __noinline int queue_by_weight(struct task_struct *p, u64 queue, u64 enq_flags)
{
	dsq_insert_ordered(p, queue, SCX_SLICE_DFL, clock_now() - p->scx.weight, enq_flags);
	return 0;
}

static __noinline int queue_by_arrival(struct task_struct *p, u64 queue, u64 enq_flags)
{
	/* FLAW mixed-order static */
	dsq_insert(p, queue, SCX_SLICE_DFL, enq_flags);
	return 0;
}

void BPF_STRUCT_OPS(dsq_mixed_subprogram_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (p->scx.weight == 100)
		queue_by_arrival(p, QUEUE, enq_flags);
	else
		queue_by_weight(p, QUEUE, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(dsq_mixed_subprogram_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_mixed_subprogram_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(dsq_mixed_subprogram_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_mixed_subprogram_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_mixed_subprogram_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(dsq_mixed_subprogram_ops,
	  .select_cpu = (void *)dsq_mixed_subprogram_select_cpu,
	  .enqueue = (void *)dsq_mixed_subprogram_enqueue,
	  .dispatch = (void *)dsq_mixed_subprogram_dispatch,
	  .cpu_online = (void *)dsq_mixed_subprogram_cpu_online,
	  .cpu_offline = (void *)dsq_mixed_subprogram_cpu_offline,
	  .init = (void *)dsq_mixed_subprogram_init,
	  .exit = (void *)dsq_mixed_subprogram_exit,
	  .timeout_ms = 10000,
	  .name = "dsq_mixed_subprogram");
