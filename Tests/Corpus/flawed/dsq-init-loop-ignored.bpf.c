// SPDX-License-Identifier: GPL-2.0-only
/* Makes its queues in a loop that goes on after a failure. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUES 4

s32 BPF_STRUCT_OPS(dsq_init_loop_ignored_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(dsq_init_loop_ignored_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, (u32)p->pid % QUEUES, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u32 turn;

void BPF_STRUCT_OPS(dsq_init_loop_ignored_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 first = __sync_fetch_and_add(&turn, 1), i;

	bpf_for(i, 0, QUEUES) {
		if (dsq_move_to_local((first + i) % QUEUES, 0))
			return;
	}
}

static u32 made;

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_init_loop_ignored_init)
{
	u32 i;

	bpf_for(i, 0, QUEUES) {
		/* FLAW init-ignored-error static */
		if (!scx_bpf_create_dsq(i, -1))
			made++;
	}
	return 0;
}

void BPF_STRUCT_OPS(dsq_init_loop_ignored_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_init_loop_ignored_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_init_loop_ignored_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(dsq_init_loop_ignored_ops,
	  .select_cpu = (void *)dsq_init_loop_ignored_select_cpu,
	  .enqueue = (void *)dsq_init_loop_ignored_enqueue,
	  .dispatch = (void *)dsq_init_loop_ignored_dispatch,
	  .cpu_online = (void *)dsq_init_loop_ignored_cpu_online,
	  .cpu_offline = (void *)dsq_init_loop_ignored_cpu_offline,
	  .init = (void *)dsq_init_loop_ignored_init,
	  .exit = (void *)dsq_init_loop_ignored_exit,
	  .timeout_ms = 10000,
	  .name = "dsq_init_loop_ignored");
