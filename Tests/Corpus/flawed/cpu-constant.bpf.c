// SPDX-License-Identifier: GPL-2.0-only
/* Wakes CPU 64 on every machine. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

#define HOUSEKEEPING 64

s32 BPF_STRUCT_OPS(cpu_constant_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(cpu_constant_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	if (scx_bpf_dsq_nr_queued(QUEUE) > 8)
		/* FLAW cpu-range static */
		scx_bpf_kick_cpu(HOUSEKEEPING, SCX_KICK_IDLE);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(cpu_constant_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cpu_constant_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(cpu_constant_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(cpu_constant_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(cpu_constant_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(cpu_constant_ops,
	  .select_cpu = (void *)cpu_constant_select_cpu,
	  .enqueue = (void *)cpu_constant_enqueue,
	  .dispatch = (void *)cpu_constant_dispatch,
	  .cpu_online = (void *)cpu_constant_cpu_online,
	  .cpu_offline = (void *)cpu_constant_cpu_offline,
	  .init = (void *)cpu_constant_init,
	  .exit = (void *)cpu_constant_exit,
	  .timeout_ms = 10000,
	  .name = "cpu_constant");
