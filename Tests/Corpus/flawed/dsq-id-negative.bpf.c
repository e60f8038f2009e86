// SPDX-License-Identifier: GPL-2.0-only
/* The search for a queue answers -1 when it finds none, and that becomes a queue's number. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUES 4
#define ROOM 8

s32 BPF_STRUCT_OPS(dsq_id_negative_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

static s64 queue_with_room(void)
{
	u32 i;

	bpf_for(i, 0, QUEUES) {
		if (scx_bpf_dsq_nr_queued(i) < ROOM)
			return i;
	}
	return -1;
}

void BPF_STRUCT_OPS(dsq_id_negative_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW dsq-id-range static */
	dsq_insert(p, queue_with_room(), SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u32 turn;

void BPF_STRUCT_OPS(dsq_id_negative_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 first = __sync_fetch_and_add(&turn, 1), i;

	bpf_for(i, 0, QUEUES) {
		if (dsq_move_to_local((first + i) % QUEUES, 0))
			return;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_id_negative_init)
{
	u32 i;

	bpf_for(i, 0, QUEUES) {
		s32 error = scx_bpf_create_dsq(i, -1);

		if (error)
			return error;
	}
	return 0;
}

void BPF_STRUCT_OPS(dsq_id_negative_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_id_negative_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_id_negative_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(dsq_id_negative_ops,
	  .select_cpu = (void *)dsq_id_negative_select_cpu,
	  .enqueue = (void *)dsq_id_negative_enqueue,
	  .dispatch = (void *)dsq_id_negative_dispatch,
	  .cpu_online = (void *)dsq_id_negative_cpu_online,
	  .cpu_offline = (void *)dsq_id_negative_cpu_offline,
	  .init = (void *)dsq_id_negative_init,
	  .exit = (void *)dsq_id_negative_exit,
	  .timeout_ms = 10000,
	  .name = "dsq_id_negative");
