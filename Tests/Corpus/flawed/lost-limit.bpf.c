// SPDX-License-Identifier: GPL-2.0-only
/* Bounds the length of the queue by turning tasks away. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

const volatile __u32 longest = 512;

#define QUEUE 0

s32 BPF_STRUCT_OPS(lost_limit_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(lost_limit_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW lost-task static */
	if ((u32)scx_bpf_dsq_nr_queued(QUEUE) >= longest)
		return;
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(lost_limit_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(lost_limit_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(lost_limit_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_limit_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_limit_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(lost_limit_ops,
	  .select_cpu = (void *)lost_limit_select_cpu,
	  .enqueue = (void *)lost_limit_enqueue,
	  .dispatch = (void *)lost_limit_dispatch,
	  .cpu_online = (void *)lost_limit_cpu_online,
	  .cpu_offline = (void *)lost_limit_cpu_offline,
	  .init = (void *)lost_limit_init,
	  .exit = (void *)lost_limit_exit,
	  .timeout_ms = 10000,
	  .name = "lost_limit");
