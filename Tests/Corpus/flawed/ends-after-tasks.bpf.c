// SPDX-License-Identifier: GPL-2.0-only
/* Works, and gives up after the ten thousandth wakeup. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

static u32 wakeups;

s32 BPF_STRUCT_OPS(ends_after_tasks_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(ends_after_tasks_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(ends_after_tasks_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(ends_after_tasks_running, struct task_struct *p)
{
	/* FLAW ejected dynamic */
	if (__sync_add_and_fetch(&wakeups, 1) == 10000)
		scheduler_error("ten thousand tasks are enough");
}

s32 BPF_STRUCT_OPS_SLEEPABLE(ends_after_tasks_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(ends_after_tasks_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(ends_after_tasks_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(ends_after_tasks_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(ends_after_tasks_ops,
	  .select_cpu = (void *)ends_after_tasks_select_cpu,
	  .enqueue = (void *)ends_after_tasks_enqueue,
	  .dispatch = (void *)ends_after_tasks_dispatch,
	  .running = (void *)ends_after_tasks_running,
	  .cpu_online = (void *)ends_after_tasks_cpu_online,
	  .cpu_offline = (void *)ends_after_tasks_cpu_offline,
	  .init = (void *)ends_after_tasks_init,
	  .exit = (void *)ends_after_tasks_exit,
	  .timeout_ms = 10000,
	  .name = "ends_after_tasks");
