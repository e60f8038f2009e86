// SPDX-License-Identifier: GPL-2.0-only
/* Every 4096th time a task is forgotten, as by a race that hardly ever shows. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

static u32 waits;

s32 BPF_STRUCT_OPS(lost_rarely_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(lost_rarely_enqueue, struct task_struct *p, u64 enq_flags)
{
	/* FLAW lost-task static */
	if (__sync_add_and_fetch(&waits, 1) % 4096 == 0)
		return;
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(lost_rarely_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(lost_rarely_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(lost_rarely_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_rarely_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_rarely_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(lost_rarely_ops,
	  .select_cpu = (void *)lost_rarely_select_cpu,
	  .enqueue = (void *)lost_rarely_enqueue,
	  .dispatch = (void *)lost_rarely_dispatch,
	  .cpu_online = (void *)lost_rarely_cpu_online,
	  .cpu_offline = (void *)lost_rarely_cpu_offline,
	  .init = (void *)lost_rarely_init,
	  .exit = (void *)lost_rarely_exit,
	  .timeout_ms = 10000,
	  .name = "lost_rarely");
