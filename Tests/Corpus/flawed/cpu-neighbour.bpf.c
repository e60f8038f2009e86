// SPDX-License-Identifier: GPL-2.0-only
/* Wakes the next CPU, also beside the last one. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(cpu_neighbour_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(cpu_neighbour_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 cpu = scx_bpf_task_cpu(p);

	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	/* FLAW cpu-range static */
	scx_bpf_kick_cpu(cpu + 1, SCX_KICK_IDLE);
}

void BPF_STRUCT_OPS(cpu_neighbour_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cpu_neighbour_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(cpu_neighbour_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(cpu_neighbour_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(cpu_neighbour_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(cpu_neighbour_ops,
	  .select_cpu = (void *)cpu_neighbour_select_cpu,
	  .enqueue = (void *)cpu_neighbour_enqueue,
	  .dispatch = (void *)cpu_neighbour_dispatch,
	  .cpu_online = (void *)cpu_neighbour_cpu_online,
	  .cpu_offline = (void *)cpu_neighbour_cpu_offline,
	  .init = (void *)cpu_neighbour_init,
	  .exit = (void *)cpu_neighbour_exit,
	  .timeout_ms = 10000,
	  .name = "cpu_neighbour");
