// SPDX-License-Identifier: GPL-2.0-only
/* Wants to be told of the last task on a CPU and has no operation to tell it to. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

s32 BPF_STRUCT_OPS(ops_last_without_enqueue_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(ops_last_without_enqueue_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(ops_last_without_enqueue_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(ops_last_without_enqueue_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(ops_last_without_enqueue_ops,
	  .select_cpu = (void *)ops_last_without_enqueue_select_cpu,
	  .cpu_online = (void *)ops_last_without_enqueue_cpu_online,
	  .cpu_offline = (void *)ops_last_without_enqueue_cpu_offline,
	  .exit = (void *)ops_last_without_enqueue_exit,
	  /* FLAW ops-flags static */
	  .flags = 1ULL << 1, /* SCX_OPS_ENQ_LAST */
	  .timeout_ms = 10000,
	  .name = "ops_last_without_enqueue");
