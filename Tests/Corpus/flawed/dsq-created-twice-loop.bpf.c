// SPDX-License-Identifier: GPL-2.0-only
/* One queue for each pair of CPUs, made once for each CPU. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define PAIRS 4
#define QUEUE 0

s32 BPF_STRUCT_OPS(dsq_created_twice_loop_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(dsq_created_twice_loop_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, (u32)scx_bpf_task_cpu(p) / 2 % PAIRS, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(dsq_created_twice_loop_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 home = (u32)cpu / 2, i;

	bpf_for(i, 0, PAIRS) {
		if (dsq_move_to_local((home + i + (clock_now() >> 22)) % PAIRS, 0))
			return;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(dsq_created_twice_loop_init)
{
	u32 cpu;

	bpf_for(cpu, 0, 2 * PAIRS) {
		/* FLAW created-twice static */
		s32 error = scx_bpf_create_dsq(cpu / 2, -1);

		if (error)
			return error;
	}
	return 0;
}

void BPF_STRUCT_OPS(dsq_created_twice_loop_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_created_twice_loop_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(dsq_created_twice_loop_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(dsq_created_twice_loop_ops,
	  .select_cpu = (void *)dsq_created_twice_loop_select_cpu,
	  .enqueue = (void *)dsq_created_twice_loop_enqueue,
	  .dispatch = (void *)dsq_created_twice_loop_dispatch,
	  .cpu_online = (void *)dsq_created_twice_loop_cpu_online,
	  .cpu_offline = (void *)dsq_created_twice_loop_cpu_offline,
	  .init = (void *)dsq_created_twice_loop_init,
	  .exit = (void *)dsq_created_twice_loop_exit,
	  .timeout_ms = 10000,
	  .name = "dsq_created_twice_loop");
