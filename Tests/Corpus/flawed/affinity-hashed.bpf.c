// SPDX-License-Identifier: GPL-2.0-only
/* Spreads tasks over the CPUs by their number, whatever CPUs they may use. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

s32 BPF_STRUCT_OPS(affinity_hashed_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(affinity_hashed_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 cpu = (u32)p->pid % nr_cpus();

	/* FLAW affinity static */
	dsq_insert(p, SCX_DSQ_LOCAL_ON | cpu, SCX_SLICE_DFL, enq_flags);
	scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}

void BPF_STRUCT_OPS(affinity_hashed_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(affinity_hashed_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(affinity_hashed_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(affinity_hashed_ops,
	  .select_cpu = (void *)affinity_hashed_select_cpu,
	  .enqueue = (void *)affinity_hashed_enqueue,
	  .cpu_online = (void *)affinity_hashed_cpu_online,
	  .cpu_offline = (void *)affinity_hashed_cpu_offline,
	  .exit = (void *)affinity_hashed_exit,
	  .timeout_ms = 10000,
	  .name = "affinity_hashed");
