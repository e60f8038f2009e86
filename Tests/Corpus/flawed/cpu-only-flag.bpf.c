// SPDX-License-Identifier: GPL-2.0-only
/* Queues what select_cpu has seen, by the flag that says so, and nothing else. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(cpu_only_flag_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(cpu_only_flag_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW select-cpu-only,lost-task static */
	if (!(enq_flags & SCX_ENQ_CPU_SELECTED))
		return;
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(cpu_only_flag_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cpu_only_flag_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(cpu_only_flag_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(cpu_only_flag_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(cpu_only_flag_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(cpu_only_flag_ops,
	  .select_cpu = (void *)cpu_only_flag_select_cpu,
	  .enqueue = (void *)cpu_only_flag_enqueue,
	  .dispatch = (void *)cpu_only_flag_dispatch,
	  .cpu_online = (void *)cpu_only_flag_cpu_online,
	  .cpu_offline = (void *)cpu_only_flag_cpu_offline,
	  .init = (void *)cpu_only_flag_init,
	  .exit = (void *)cpu_only_flag_exit,
	  .timeout_ms = 10000,
	  .name = "cpu_only_flag");
