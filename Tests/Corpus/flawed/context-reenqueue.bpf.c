// SPDX-License-Identifier: GPL-2.0-only
/* Hands the waiting tasks of a CPU back from dispatch, which only cpu_release may do. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

u32 scx_bpf_reenqueue_local(void) __ksym;

#define QUEUE 0

s32 BPF_STRUCT_OPS(context_reenqueue_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(context_reenqueue_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(context_reenqueue_dispatch, s32 cpu, struct task_struct *prev)
{
	if (!dsq_move_to_local(QUEUE, 0))
		/* FLAW kfunc-context static */
		scx_bpf_reenqueue_local();
}

s32 BPF_STRUCT_OPS_SLEEPABLE(context_reenqueue_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(context_reenqueue_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(context_reenqueue_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(context_reenqueue_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(context_reenqueue_ops,
	  .select_cpu = (void *)context_reenqueue_select_cpu,
	  .enqueue = (void *)context_reenqueue_enqueue,
	  .dispatch = (void *)context_reenqueue_dispatch,
	  .cpu_online = (void *)context_reenqueue_cpu_online,
	  .cpu_offline = (void *)context_reenqueue_cpu_offline,
	  .init = (void *)context_reenqueue_init,
	  .exit = (void *)context_reenqueue_exit,
	  .timeout_ms = 10000,
	  .name = "context_reenqueue");
