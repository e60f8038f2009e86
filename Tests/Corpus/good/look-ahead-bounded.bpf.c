// SPDX-License-Identifier: GPL-2.0-only
/* Walks the queue at each dispatch, and never further than sixteen tasks. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(look_ahead_bounded_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(look_ahead_bounded_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u64 passed_over;

void BPF_STRUCT_OPS(look_ahead_bounded_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;
	int seen = 0;

	bpf_for_each(scx_dsq, p, QUEUE, 0) {
		if (++seen >= 16)
			break;
		if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			__sync_fetch_and_add(&passed_over, 1);
	}
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(look_ahead_bounded_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(look_ahead_bounded_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(look_ahead_bounded_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(look_ahead_bounded_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(look_ahead_bounded_ops,
	  .select_cpu = (void *)look_ahead_bounded_select_cpu,
	  .enqueue = (void *)look_ahead_bounded_enqueue,
	  .dispatch = (void *)look_ahead_bounded_dispatch,
	  .cpu_online = (void *)look_ahead_bounded_cpu_online,
	  .cpu_offline = (void *)look_ahead_bounded_cpu_offline,
	  .init = (void *)look_ahead_bounded_init,
	  .exit = (void *)look_ahead_bounded_exit,
	  .timeout_ms = 10000,
	  .name = "look_ahead_bounded");
