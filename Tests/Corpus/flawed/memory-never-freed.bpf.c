// SPDX-License-Identifier: GPL-2.0-only
/* Counts tasks in and never out, and gives up at five hundred more than it started with. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

static u32 made, first;

s32 BPF_STRUCT_OPS(memory_never_freed_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(memory_never_freed_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(memory_never_freed_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(memory_never_freed_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	u32 count = __sync_add_and_fetch(&made, 1);

	if (!args->fork)
		first = count;
	/* FLAW ejected dynamic */
	else if (count > first + 500)
		scheduler_error("no room for more than %d tasks", count);
	return 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(memory_never_freed_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(memory_never_freed_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_never_freed_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_never_freed_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(memory_never_freed_ops,
	  .select_cpu = (void *)memory_never_freed_select_cpu,
	  .enqueue = (void *)memory_never_freed_enqueue,
	  .dispatch = (void *)memory_never_freed_dispatch,
	  .init_task = (void *)memory_never_freed_init_task,
	  .cpu_online = (void *)memory_never_freed_cpu_online,
	  .cpu_offline = (void *)memory_never_freed_cpu_offline,
	  .init = (void *)memory_never_freed_init,
	  .exit = (void *)memory_never_freed_exit,
	  .timeout_ms = 10000,
	  .name = "memory_never_freed");
