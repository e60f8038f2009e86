// SPDX-License-Identifier: GPL-2.0-only
/* Spreads tasks over four queues and takes the first that has room; when none has, nothing happens. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUES 4
#define ROOM 8

s32 BPF_STRUCT_OPS(lost_loop_no_room_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(lost_loop_no_room_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 i;

	/* FLAW lost-task static */
	bpf_for(i, 0, QUEUES) {
		if (scx_bpf_dsq_nr_queued(i) < ROOM) {
			dsq_insert(p, i, SCX_SLICE_DFL, enq_flags);
			wake_idle_cpu_for(p);
			break;
		}
	}
}

static u32 turn;

void BPF_STRUCT_OPS(lost_loop_no_room_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 first = __sync_fetch_and_add(&turn, 1), i;

	bpf_for(i, 0, QUEUES) {
		if (dsq_move_to_local((first + i) % QUEUES, 0))
			return;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(lost_loop_no_room_init)
{
	u32 i;

	bpf_for(i, 0, QUEUES) {
		s32 error = scx_bpf_create_dsq(i, -1);

		if (error)
			return error;
	}
	return 0;
}

void BPF_STRUCT_OPS(lost_loop_no_room_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_loop_no_room_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_loop_no_room_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(lost_loop_no_room_ops,
	  .select_cpu = (void *)lost_loop_no_room_select_cpu,
	  .enqueue = (void *)lost_loop_no_room_enqueue,
	  .dispatch = (void *)lost_loop_no_room_dispatch,
	  .cpu_online = (void *)lost_loop_no_room_cpu_online,
	  .cpu_offline = (void *)lost_loop_no_room_cpu_offline,
	  .init = (void *)lost_loop_no_room_init,
	  .exit = (void *)lost_loop_no_room_exit,
	  .timeout_ms = 10000,
	  .name = "lost_loop_no_room");
