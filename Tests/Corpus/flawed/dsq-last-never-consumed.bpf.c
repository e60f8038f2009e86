// SPDX-License-Identifier: GPL-2.0-only
/* Four queues by weight; the loop that serves them ends one too early. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUES 4

s32 BPF_STRUCT_OPS(dsq_last_never_consumed_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(dsq_last_never_consumed_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 weight = p->scx.weight, queue = 0;

	if (weight > 400)
		queue = 3;
	else if (weight > 100)
		queue = 2;
	else if (weight == 100)
		queue = 1;
	/* FLAW unconsumed-dsq static */
	dsq_insert(p, queue, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u32 turn;

void BPF_STRUCT_OPS(dsq_last_never_consumed_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 first = __sync_fetch_and_add(&turn, 1), i;

	bpf_for(i, 0, QUEUES - 1) {
		if (dsq_move_to_local((first + i) % (QUEUES - 1), 0))
			return;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_last_never_consumed_init)
{
	u32 i;

	bpf_for(i, 0, QUEUES) {
		s32 error = scx_bpf_create_dsq(i, -1);

		if (error)
			return error;
	}
	return 0;
}

void BPF_STRUCT_OPS(dsq_last_never_consumed_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_last_never_consumed_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_last_never_consumed_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(dsq_last_never_consumed_ops,
	  .select_cpu = (void *)dsq_last_never_consumed_select_cpu,
	  .enqueue = (void *)dsq_last_never_consumed_enqueue,
	  .dispatch = (void *)dsq_last_never_consumed_dispatch,
	  .cpu_online = (void *)dsq_last_never_consumed_cpu_online,
	  .cpu_offline = (void *)dsq_last_never_consumed_cpu_offline,
	  .init = (void *)dsq_last_never_consumed_init,
	  .exit = (void *)dsq_last_never_consumed_exit,
	  .timeout_ms = 10000,
	  .name = "dsq_last_never_consumed");
