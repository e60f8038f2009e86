// SPDX-License-Identifier: GPL-2.0-only
/* A watchdog of a few milliseconds ends the scheduler at the first crowd. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(ops_timeout_tiny_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(ops_timeout_tiny_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(ops_timeout_tiny_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(ops_timeout_tiny_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(ops_timeout_tiny_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(ops_timeout_tiny_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(ops_timeout_tiny_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(ops_timeout_tiny_ops,
	  .select_cpu = (void *)ops_timeout_tiny_select_cpu,
	  .enqueue = (void *)ops_timeout_tiny_enqueue,
	  .dispatch = (void *)ops_timeout_tiny_dispatch,
	  .cpu_online = (void *)ops_timeout_tiny_cpu_online,
	  .cpu_offline = (void *)ops_timeout_tiny_cpu_offline,
	  .init = (void *)ops_timeout_tiny_init,
	  .exit = (void *)ops_timeout_tiny_exit,
	  /* FLAW stall dynamic */
	  .timeout_ms = 20,
	  .name = "ops_timeout_tiny");
