// SPDX-License-Identifier: GPL-2.0-only
/* Chooses the CPU by a search that may find none, and has an answer to that. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(select_cpu_clamped_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	s32 cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, SCX_PICK_IDLE_CORE);

	if (cpu < 0)
		cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	if (cpu < 0)
		return prev_cpu;
	dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(select_cpu_clamped_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(select_cpu_clamped_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(select_cpu_clamped_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(select_cpu_clamped_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(select_cpu_clamped_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(select_cpu_clamped_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(select_cpu_clamped_ops,
	  .select_cpu = (void *)select_cpu_clamped_select_cpu,
	  .enqueue = (void *)select_cpu_clamped_enqueue,
	  .dispatch = (void *)select_cpu_clamped_dispatch,
	  .cpu_online = (void *)select_cpu_clamped_cpu_online,
	  .cpu_offline = (void *)select_cpu_clamped_cpu_offline,
	  .init = (void *)select_cpu_clamped_init,
	  .exit = (void *)select_cpu_clamped_exit,
	  .timeout_ms = 10000,
	  .name = "select_cpu_clamped");
