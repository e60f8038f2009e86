// SPDX-License-Identifier: GPL-2.0-only
/* Queues 0 to 3 are made; the heaviest tasks are put into queue 4. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUES 4

s32 BPF_STRUCT_OPS(dsq_one_beyond_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

static u64 queue_of(const struct task_struct *p)
{
	u32 weight = p->scx.weight;

	return weight > 1000 ? QUEUES : weight > 100 ? 2 : 1;
}

void BPF_STRUCT_OPS(dsq_one_beyond_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW unknown-dsq static */
	dsq_insert(p, queue_of(p), SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

static u32 turn;

void BPF_STRUCT_OPS(dsq_one_beyond_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 first = __sync_fetch_and_add(&turn, 1), i;

	bpf_for(i, 0, QUEUES) {
		if (dsq_move_to_local((first + i) % QUEUES, 0))
			return;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_one_beyond_init)
{
	u32 i;

	bpf_for(i, 0, QUEUES) {
		s32 error = scx_bpf_create_dsq(i, -1);

		if (error)
			return error;
	}
	return 0;
}

void BPF_STRUCT_OPS(dsq_one_beyond_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_one_beyond_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_one_beyond_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(dsq_one_beyond_ops,
	  .select_cpu = (void *)dsq_one_beyond_select_cpu,
	  .enqueue = (void *)dsq_one_beyond_enqueue,
	  .dispatch = (void *)dsq_one_beyond_dispatch,
	  .cpu_online = (void *)dsq_one_beyond_cpu_online,
	  .cpu_offline = (void *)dsq_one_beyond_cpu_offline,
	  .init = (void *)dsq_one_beyond_init,
	  .exit = (void *)dsq_one_beyond_exit,
	  .timeout_ms = 10000,
	  .name = "dsq_one_beyond");
