// SPDX-License-Identifier: GPL-2.0-only
/* Sets a flag that no kernel knows. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(ops_unknown_flag_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(ops_unknown_flag_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(ops_unknown_flag_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(ops_unknown_flag_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(ops_unknown_flag_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(ops_unknown_flag_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(ops_unknown_flag_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(ops_unknown_flag_ops,
	  .select_cpu = (void *)ops_unknown_flag_select_cpu,
	  .enqueue = (void *)ops_unknown_flag_enqueue,
	  .dispatch = (void *)ops_unknown_flag_dispatch,
	  .cpu_online = (void *)ops_unknown_flag_cpu_online,
	  .cpu_offline = (void *)ops_unknown_flag_cpu_offline,
	  .init = (void *)ops_unknown_flag_init,
	  .exit = (void *)ops_unknown_flag_exit,
	  /* FLAW ops-flags static */
	  .flags = 1ULL << 40,
	  .timeout_ms = 10000,
	  .name = "ops_unknown_flag");
