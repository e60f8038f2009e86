// SPDX-License-Identifier: GPL-2.0-only
/* Has room for 48 tasks beyond those of its start; every fork beyond that fails. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

#define ROOM 48

static u32 tasks, first;

s32 BPF_STRUCT_OPS(memory_forks_fail_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(memory_forks_fail_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(memory_forks_fail_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(memory_forks_fail_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	u32 count = __sync_add_and_fetch(&tasks, 1);

	if (!args->fork)
		first = count;
	/* FLAW rejected,ejected dynamic */
	else if (count > first + ROOM) {
		__sync_fetch_and_sub(&tasks, 1);
		return -ENOMEM;
	}
	return 0;
}

void BPF_STRUCT_OPS(memory_forks_fail_exit_task, struct task_struct *p, struct scx_exit_task_args *args)
{
	__sync_fetch_and_sub(&tasks, 1);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(memory_forks_fail_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(memory_forks_fail_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_forks_fail_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_forks_fail_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(memory_forks_fail_ops,
	  .select_cpu = (void *)memory_forks_fail_select_cpu,
	  .enqueue = (void *)memory_forks_fail_enqueue,
	  .dispatch = (void *)memory_forks_fail_dispatch,
	  .init_task = (void *)memory_forks_fail_init_task,
	  .exit_task = (void *)memory_forks_fail_exit_task,
	  .cpu_online = (void *)memory_forks_fail_cpu_online,
	  .cpu_offline = (void *)memory_forks_fail_cpu_offline,
	  .init = (void *)memory_forks_fail_init,
	  .exit = (void *)memory_forks_fail_exit,
	  .timeout_ms = 10000,
	  .name = "memory_forks_fail");
