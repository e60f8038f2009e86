// SPDX-License-Identifier: GPL-2.0-only
/* A table by pid that shrinks again: an entry lives as long as its task. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, s32);
	__type(value, u64);
} runs SEC(".maps");

s32 BPF_STRUCT_OPS(deleted_on_exit_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(deleted_on_exit_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(deleted_on_exit_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(deleted_on_exit_running, struct task_struct *p)
{
	s32 pid = p->pid;
	u64 *count = bpf_map_lookup_elem(&runs, &pid), one = 1;

	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&runs, &pid, &one, BPF_ANY);
}

void BPF_STRUCT_OPS(deleted_on_exit_exit_task, struct task_struct *p, struct scx_exit_task_args *args)
{
	s32 pid = p->pid;

	bpf_map_delete_elem(&runs, &pid);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(deleted_on_exit_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(deleted_on_exit_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(deleted_on_exit_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(deleted_on_exit_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(deleted_on_exit_ops,
	  .select_cpu = (void *)deleted_on_exit_select_cpu,
	  .enqueue = (void *)deleted_on_exit_enqueue,
	  .dispatch = (void *)deleted_on_exit_dispatch,
	  .running = (void *)deleted_on_exit_running,
	  .exit_task = (void *)deleted_on_exit_exit_task,
	  .cpu_online = (void *)deleted_on_exit_cpu_online,
	  .cpu_offline = (void *)deleted_on_exit_cpu_offline,
	  .init = (void *)deleted_on_exit_init,
	  .exit = (void *)deleted_on_exit_exit,
	  .timeout_ms = 10000,
	  .name = "deleted_on_exit");
