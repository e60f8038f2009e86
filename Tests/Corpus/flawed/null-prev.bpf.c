// SPDX-License-Identifier: GPL-2.0-only
/* Reads the task that ran before, where there may have been none. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(null_prev_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(null_prev_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(null_prev_dispatch, s32 cpu, struct task_struct *prev)
{
	/* FLAW maybe-null static */
	if (prev->scx.slice && !scx_bpf_dsq_nr_queued(QUEUE))
		return;
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(null_prev_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(null_prev_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(null_prev_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(null_prev_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(null_prev_ops,
	  .select_cpu = (void *)null_prev_select_cpu,
	  .enqueue = (void *)null_prev_enqueue,
	  .dispatch = (void *)null_prev_dispatch,
	  .cpu_online = (void *)null_prev_cpu_online,
	  .cpu_offline = (void *)null_prev_cpu_offline,
	  .init = (void *)null_prev_init,
	  .exit = (void *)null_prev_exit,
	  .timeout_ms = 10000,
	  .name = "null_prev");
