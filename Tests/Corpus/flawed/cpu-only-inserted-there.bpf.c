// SPDX-License-Identifier: GPL-2.0-only
/* All the placing is done in select_cpu; enqueue is empty, and pinned tasks come to enqueue first. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(cpu_only_inserted_there_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	dsq_insert(p, idle ? SCX_DSQ_LOCAL : QUEUE, SCX_SLICE_DFL, 0);
	return cpu;
}

/* FLAW select-cpu-only,lost-task static */
void BPF_STRUCT_OPS(cpu_only_inserted_there_enqueue, struct task_struct *p, u64 enq_flags)
{
}

void BPF_STRUCT_OPS(cpu_only_inserted_there_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cpu_only_inserted_there_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(cpu_only_inserted_there_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(cpu_only_inserted_there_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(cpu_only_inserted_there_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(cpu_only_inserted_there_ops,
	  .select_cpu = (void *)cpu_only_inserted_there_select_cpu,
	  .enqueue = (void *)cpu_only_inserted_there_enqueue,
	  .dispatch = (void *)cpu_only_inserted_there_dispatch,
	  .cpu_online = (void *)cpu_only_inserted_there_cpu_online,
	  .cpu_offline = (void *)cpu_only_inserted_there_cpu_offline,
	  .init = (void *)cpu_only_inserted_there_init,
	  .exit = (void *)cpu_only_inserted_there_exit,
	  .timeout_ms = 10000,
	  .name = "cpu_only_inserted_there");
