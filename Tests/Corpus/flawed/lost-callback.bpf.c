// SPDX-License-Identifier: GPL-2.0-only
/* As lost-loop-no-room with bpf_loop(): the callback that finds no room leaves the task where it is. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUES 4
#define ROOM 8

struct search {
	struct task_struct *p;
	u64 enq_flags;
	s32 found;
};

s32 BPF_STRUCT_OPS(lost_callback_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

static int look(u32 index, struct search *search)
{
	if (scx_bpf_dsq_nr_queued(index) >= ROOM)
		return 0;
	search->found = index;
	return 1;
}

void BPF_STRUCT_OPS(lost_callback_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct search search = { .found = -1 };

	bpf_loop(QUEUES, look, &search, 0);
	/* FLAW lost-task static */
	if (search.found < 0 || search.found >= QUEUES)
		return;
	dsq_insert(p, search.found, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u32 turn;

void BPF_STRUCT_OPS(lost_callback_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 first = __sync_fetch_and_add(&turn, 1), i;

	bpf_for(i, 0, QUEUES) {
		if (dsq_move_to_local((first + i) % QUEUES, 0))
			return;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(lost_callback_init)
{
	u32 i;

	bpf_for(i, 0, QUEUES) {
		s32 error = scx_bpf_create_dsq(i, -1);

		if (error)
			return error;
	}
	return 0;
}

void BPF_STRUCT_OPS(lost_callback_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_callback_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_callback_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(lost_callback_ops,
	  .select_cpu = (void *)lost_callback_select_cpu,
	  .enqueue = (void *)lost_callback_enqueue,
	  .dispatch = (void *)lost_callback_dispatch,
	  .cpu_online = (void *)lost_callback_cpu_online,
	  .cpu_offline = (void *)lost_callback_cpu_offline,
	  .init = (void *)lost_callback_init,
	  .exit = (void *)lost_callback_exit,
	  .timeout_ms = 10000,
	  .name = "lost_callback");
