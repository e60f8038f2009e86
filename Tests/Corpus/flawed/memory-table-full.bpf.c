// SPDX-License-Identifier: GPL-2.0-only
/* A task that finds no place in the table of 128 is not queued. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 128);
	__type(key, s32);
	__type(value, u64);
} waiting SEC(".maps");

s32 BPF_STRUCT_OPS(memory_table_full_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(memory_table_full_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 since = clock_now();
	s32 pid = p->pid;

	/* FLAW lost-task static */
	if (bpf_map_update_elem(&waiting, &pid, &since, BPF_ANY))
		return;
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(memory_table_full_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(memory_table_full_running, struct task_struct *p)
{
	s32 pid = p->pid;

	bpf_map_delete_elem(&waiting, &pid);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(memory_table_full_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(memory_table_full_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_table_full_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_table_full_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(memory_table_full_ops,
	  .select_cpu = (void *)memory_table_full_select_cpu,
	  .enqueue = (void *)memory_table_full_enqueue,
	  .dispatch = (void *)memory_table_full_dispatch,
	  .running = (void *)memory_table_full_running,
	  .cpu_online = (void *)memory_table_full_cpu_online,
	  .cpu_offline = (void *)memory_table_full_cpu_offline,
	  .init = (void *)memory_table_full_init,
	  .exit = (void *)memory_table_full_exit,
	  .timeout_ms = 10000,
	  .name = "memory_table_full");
