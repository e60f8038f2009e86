// SPDX-License-Identifier: GPL-2.0-only
/* The callback of bpf_loop() is what serves the queues, and stops at the first that had a task. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUES 4

struct serving {
	u32 first;
	u32 served;
};

s32 BPF_STRUCT_OPS(loop_dispatches_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(loop_dispatches_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, (u32)p->pid % QUEUES, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static int serve(u32 index, struct serving *serving)
{
	serving->served = dsq_move_to_local((serving->first + index) % QUEUES, 0);
	return serving->served ? 1 : 0;
}

static u32 turn;

void BPF_STRUCT_OPS(loop_dispatches_dispatch, s32 cpu, struct task_struct *prev)
{
	struct serving serving = { .first = __sync_fetch_and_add(&turn, 1) };

	bpf_loop(QUEUES, serve, &serving, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(loop_dispatches_init)
{
	u32 i;

	bpf_for(i, 0, QUEUES) {
		s32 error = scx_bpf_create_dsq(i, -1);

		if (error)
			return error;
	}
	return 0;
}

void BPF_STRUCT_OPS(loop_dispatches_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(loop_dispatches_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(loop_dispatches_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(loop_dispatches_ops,
	  .select_cpu = (void *)loop_dispatches_select_cpu,
	  .enqueue = (void *)loop_dispatches_enqueue,
	  .dispatch = (void *)loop_dispatches_dispatch,
	  .cpu_online = (void *)loop_dispatches_cpu_online,
	  .cpu_offline = (void *)loop_dispatches_cpu_offline,
	  .init = (void *)loop_dispatches_init,
	  .exit = (void *)loop_dispatches_exit,
	  .timeout_ms = 10000,
	  .name = "loop_dispatches");
