// SPDX-License-Identifier: GPL-2.0-only
/* Only the records of tasks that a signal ended are deleted: most end in order. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, s32);
	__type(value, u64);
} records SEC(".maps");

s32 BPF_STRUCT_OPS(memory_deleted_sometimes_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(memory_deleted_sometimes_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(memory_deleted_sometimes_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(memory_deleted_sometimes_enable, struct task_struct *p)
{
	u64 since = clock_now();
	s32 pid = p->pid;

	if (bpf_map_update_elem(&records, &pid, &since, BPF_ANY))
		scheduler_error("no room for task %d", pid);
}

void BPF_STRUCT_OPS(memory_deleted_sometimes_exit_task, struct task_struct *p, struct scx_exit_task_args *args)
{
	s32 pid = p->pid;

	/* FLAW ejected,growing-map dynamic */
	if (p->exit_code & 0x7f)
		bpf_map_delete_elem(&records, &pid);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(memory_deleted_sometimes_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(memory_deleted_sometimes_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_deleted_sometimes_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_deleted_sometimes_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(memory_deleted_sometimes_ops,
	  .select_cpu = (void *)memory_deleted_sometimes_select_cpu,
	  .enqueue = (void *)memory_deleted_sometimes_enqueue,
	  .dispatch = (void *)memory_deleted_sometimes_dispatch,
	  .exit_task = (void *)memory_deleted_sometimes_exit_task,
	  .enable = (void *)memory_deleted_sometimes_enable,
	  .cpu_online = (void *)memory_deleted_sometimes_cpu_online,
	  .cpu_offline = (void *)memory_deleted_sometimes_cpu_offline,
	  .init = (void *)memory_deleted_sometimes_init,
	  .exit = (void *)memory_deleted_sometimes_exit,
	  .timeout_ms = 10000,
	  .name = "memory_deleted_sometimes");
