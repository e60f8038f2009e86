// SPDX-License-Identifier: GPL-2.0-only
/* select_cpu answers with the result of a search that may have found nothing. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(cpu_select_negative_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	/* FLAW cpu-range static */
	return scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
}

void BPF_STRUCT_OPS(cpu_select_negative_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(cpu_select_negative_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cpu_select_negative_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(cpu_select_negative_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(cpu_select_negative_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(cpu_select_negative_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(cpu_select_negative_ops,
	  .select_cpu = (void *)cpu_select_negative_select_cpu,
	  .enqueue = (void *)cpu_select_negative_enqueue,
	  .dispatch = (void *)cpu_select_negative_dispatch,
	  .cpu_online = (void *)cpu_select_negative_cpu_online,
	  .cpu_offline = (void *)cpu_select_negative_cpu_offline,
	  .init = (void *)cpu_select_negative_init,
	  .exit = (void *)cpu_select_negative_exit,
	  .timeout_ms = 10000,
	  .name = "cpu_select_negative");
