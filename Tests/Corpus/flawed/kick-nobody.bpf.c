// SPDX-License-Identifier: GPL-2.0-only
/* Waiting tasks wake no idle CPU: others idle beside a full queue. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

s32 BPF_STRUCT_OPS(kick_nobody_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(kick_nobody_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW work-conservation dynamic */
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
}

void BPF_STRUCT_OPS(kick_nobody_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(kick_nobody_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(kick_nobody_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(kick_nobody_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(kick_nobody_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(kick_nobody_ops,
	  .select_cpu = (void *)kick_nobody_select_cpu,
	  .enqueue = (void *)kick_nobody_enqueue,
	  .dispatch = (void *)kick_nobody_dispatch,
	  .cpu_online = (void *)kick_nobody_cpu_online,
	  .cpu_offline = (void *)kick_nobody_cpu_offline,
	  .init = (void *)kick_nobody_init,
	  .exit = (void *)kick_nobody_exit,
	  .timeout_ms = 10000,
	  .name = "kick_nobody");
