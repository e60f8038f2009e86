// SPDX-License-Identifier: GPL-2.0-only
/* Walks the whole queue at each wakeup, however many wait there. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

static u64 oldest;

s32 BPF_STRUCT_OPS(work_whole_queue_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(work_whole_queue_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_struct *waiting;
	u64 first = -1ULL;

	/* FLAW unbounded-work static */
	bpf_for_each(scx_dsq, waiting, QUEUE, 0) {
		if (waiting->scx.runnable_at < first)
			first = waiting->scx.runnable_at;
	}
	oldest = first;
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(work_whole_queue_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(work_whole_queue_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(work_whole_queue_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(work_whole_queue_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(work_whole_queue_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(work_whole_queue_ops,
	  .select_cpu = (void *)work_whole_queue_select_cpu,
	  .enqueue = (void *)work_whole_queue_enqueue,
	  .dispatch = (void *)work_whole_queue_dispatch,
	  .cpu_online = (void *)work_whole_queue_cpu_online,
	  .cpu_offline = (void *)work_whole_queue_cpu_offline,
	  .init = (void *)work_whole_queue_init,
	  .exit = (void *)work_whole_queue_exit,
	  .timeout_ms = 10000,
	  .name = "work_whole_queue");
