// SPDX-License-Identifier: GPL-2.0-only
/* The callback of bpf_loop() inserts into each queue that it is shown. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUES 2

struct placing {
	struct task_struct *p;
	u64 enq_flags;
};

s32 BPF_STRUCT_OPS(double_callback_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

static int insert(u32 index, struct placing *placing)
{
	/* FLAW double-insert static */
	dsq_insert(placing->p, index, SCX_SLICE_DFL, placing->enq_flags);
	return 0;
}

void BPF_STRUCT_OPS(double_callback_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct placing placing = { .p = p, .enq_flags = enq_flags };

	bpf_loop(QUEUES, insert, &placing, 0);
	wake_idle_cpu_for(p);
}

static u32 turn;

void BPF_STRUCT_OPS(double_callback_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 first = __sync_fetch_and_add(&turn, 1), i;

	bpf_for(i, 0, QUEUES) {
		if (dsq_move_to_local((first + i) % QUEUES, 0))
			return;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(double_callback_init)
{
	u32 i;

	bpf_for(i, 0, QUEUES) {
		s32 error = scx_bpf_create_dsq(i, -1);

		if (error)
			return error;
	}
	return 0;
}

void BPF_STRUCT_OPS(double_callback_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(double_callback_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(double_callback_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(double_callback_ops,
	  .select_cpu = (void *)double_callback_select_cpu,
	  .enqueue = (void *)double_callback_enqueue,
	  .dispatch = (void *)double_callback_dispatch,
	  .cpu_online = (void *)double_callback_cpu_online,
	  .cpu_offline = (void *)double_callback_cpu_offline,
	  .init = (void *)double_callback_init,
	  .exit = (void *)double_callback_exit,
	  .timeout_ms = 10000,
	  .name = "double_callback");
