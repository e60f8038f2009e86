// SPDX-License-Identifier: GPL-2.0-only
/* Tries again and again until it gets a task, up to a million times, with the run queue locked. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(work_retries_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(work_retries_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(work_retries_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 i;

	/* FLAW unbounded-work static */
	bpf_for(i, 0, 1000000) {
		if (dsq_move_to_local(QUEUE, 0))
			break;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(work_retries_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(work_retries_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(work_retries_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(work_retries_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(work_retries_ops,
	  .select_cpu = (void *)work_retries_select_cpu,
	  .enqueue = (void *)work_retries_enqueue,
	  .dispatch = (void *)work_retries_dispatch,
	  .cpu_online = (void *)work_retries_cpu_online,
	  .cpu_offline = (void *)work_retries_cpu_offline,
	  .init = (void *)work_retries_init,
	  .exit = (void *)work_retries_exit,
	  .timeout_ms = 10000,
	  .name = "work_retries");
