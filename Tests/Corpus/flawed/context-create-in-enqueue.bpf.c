// SPDX-License-Identifier: GPL-2.0-only
/* Makes a queue at the moment when it is needed first, where nobody may sleep. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUES 8

static bool made[QUEUES];

s32 BPF_STRUCT_OPS(context_create_in_enqueue_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(context_create_in_enqueue_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 queue = p->pid & (QUEUES - 1);

	if (!made[queue]) {
		/* FLAW kfunc-context static */
		scx_bpf_create_dsq(queue, -1);
		made[queue] = true;
	}
	dsq_insert(p, queue, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u32 turn;

void BPF_STRUCT_OPS(context_create_in_enqueue_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 first = __sync_fetch_and_add(&turn, 1), i;

	bpf_for(i, 0, QUEUES) {
		if (dsq_move_to_local((first + i) % QUEUES, 0))
			return;
	}
}

void BPF_STRUCT_OPS(context_create_in_enqueue_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(context_create_in_enqueue_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(context_create_in_enqueue_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(context_create_in_enqueue_ops,
	  .select_cpu = (void *)context_create_in_enqueue_select_cpu,
	  .enqueue = (void *)context_create_in_enqueue_enqueue,
	  .dispatch = (void *)context_create_in_enqueue_dispatch,
	  .cpu_online = (void *)context_create_in_enqueue_cpu_online,
	  .cpu_offline = (void *)context_create_in_enqueue_cpu_offline,
	  .exit = (void *)context_create_in_enqueue_exit,
	  .timeout_ms = 10000,
	  .name = "context_create_in_enqueue");
