// SPDX-License-Identifier: GPL-2.0-only
/* One wakeup in eight wakes no CPU. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

static u32 wakeups;

s32 BPF_STRUCT_OPS(kick_sometimes_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(kick_sometimes_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	/* FLAW work-conservation dynamic */
	if (__sync_add_and_fetch(&wakeups, 1) % 8)
		wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(kick_sometimes_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(kick_sometimes_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(kick_sometimes_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(kick_sometimes_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(kick_sometimes_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(kick_sometimes_ops,
	  .select_cpu = (void *)kick_sometimes_select_cpu,
	  .enqueue = (void *)kick_sometimes_enqueue,
	  .dispatch = (void *)kick_sometimes_dispatch,
	  .cpu_online = (void *)kick_sometimes_cpu_online,
	  .cpu_offline = (void *)kick_sometimes_cpu_offline,
	  .init = (void *)kick_sometimes_init,
	  .exit = (void *)kick_sometimes_exit,
	  .timeout_ms = 10000,
	  .name = "kick_sometimes");
