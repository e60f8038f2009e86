// SPDX-License-Identifier: GPL-2.0-only
/* Looks for a queue with room, and has one more for when there is none. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUES 5
#define LAST 4

s32 BPF_STRUCT_OPS(fallback_after_loop_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(fallback_after_loop_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 queue = LAST;
	u32 i;

	bpf_for(i, 0, LAST) {
		if (scx_bpf_dsq_nr_queued(i) < 8) {
			queue = i;
			break;
		}
	}
	dsq_insert(p, queue, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u32 turn;

void BPF_STRUCT_OPS(fallback_after_loop_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 first = __sync_fetch_and_add(&turn, 1), i;

	bpf_for(i, 0, QUEUES) {
		if (dsq_move_to_local((first + i) % QUEUES, 0))
			return;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(fallback_after_loop_init)
{
	u32 i;

	bpf_for(i, 0, QUEUES) {
		s32 error = scx_bpf_create_dsq(i, -1);

		if (error)
			return error;
	}
	return 0;
}

void BPF_STRUCT_OPS(fallback_after_loop_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(fallback_after_loop_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(fallback_after_loop_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(fallback_after_loop_ops,
	  .select_cpu = (void *)fallback_after_loop_select_cpu,
	  .enqueue = (void *)fallback_after_loop_enqueue,
	  .dispatch = (void *)fallback_after_loop_dispatch,
	  .cpu_online = (void *)fallback_after_loop_cpu_online,
	  .cpu_offline = (void *)fallback_after_loop_cpu_offline,
	  .init = (void *)fallback_after_loop_init,
	  .exit = (void *)fallback_after_loop_exit,
	  .timeout_ms = 10000,
	  .name = "fallback_after_loop");
