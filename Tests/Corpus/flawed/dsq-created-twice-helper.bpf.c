// SPDX-License-Identifier: GPL-2.0-only
/* init makes the shared queue, and then calls a function that makes all queues. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define SHARED 0
#define QUEUES 3

s32 BPF_STRUCT_OPS(dsq_created_twice_helper_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(dsq_created_twice_helper_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, enq_flags & SCX_ENQ_WAKEUP ? 1 : SHARED, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u32 turn;

void BPF_STRUCT_OPS(dsq_created_twice_helper_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 first = __sync_fetch_and_add(&turn, 1), i;

	bpf_for(i, 0, QUEUES) {
		if (dsq_move_to_local((first + i) % QUEUES, 0))
			return;
	}
}

static s32 create_all(void)
{
	u32 i;

	bpf_for(i, 0, QUEUES) {
		/* FLAW created-twice static */
		s32 error = scx_bpf_create_dsq(i, -1);

		if (error)
			return error;
	}
	return 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_created_twice_helper_init)
{
	s32 error = scx_bpf_create_dsq(SHARED, -1);

	return error ?: create_all();
}

void BPF_STRUCT_OPS(dsq_created_twice_helper_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_created_twice_helper_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_created_twice_helper_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(dsq_created_twice_helper_ops,
	  .select_cpu = (void *)dsq_created_twice_helper_select_cpu,
	  .enqueue = (void *)dsq_created_twice_helper_enqueue,
	  .dispatch = (void *)dsq_created_twice_helper_dispatch,
	  .cpu_online = (void *)dsq_created_twice_helper_cpu_online,
	  .cpu_offline = (void *)dsq_created_twice_helper_cpu_offline,
	  .init = (void *)dsq_created_twice_helper_init,
	  .exit = (void *)dsq_created_twice_helper_exit,
	  .timeout_ms = 10000,
	  .name = "dsq_created_twice_helper");
