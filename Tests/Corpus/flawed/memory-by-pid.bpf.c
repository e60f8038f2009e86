// SPDX-License-Identifier: GPL-2.0-only
/* Remembers every pid that ever ran, and forgets none. */
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

s32 BPF_STRUCT_OPS(memory_by_pid_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(memory_by_pid_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(memory_by_pid_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

void BPF_STRUCT_OPS(memory_by_pid_running, struct task_struct *p)
{
	s32 pid = p->pid;
	u64 *count = bpf_map_lookup_elem(&runs, &pid), one = 1;

	if (count)
		__sync_fetch_and_add(count, 1);
	else
		/* FLAW growing-map static */
		bpf_map_update_elem(&runs, &pid, &one, BPF_ANY);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(memory_by_pid_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(memory_by_pid_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_by_pid_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_by_pid_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(memory_by_pid_ops,
	  .select_cpu = (void *)memory_by_pid_select_cpu,
	  .enqueue = (void *)memory_by_pid_enqueue,
	  .dispatch = (void *)memory_by_pid_dispatch,
	  .running = (void *)memory_by_pid_running,
	  .cpu_online = (void *)memory_by_pid_cpu_online,
	  .cpu_offline = (void *)memory_by_pid_cpu_offline,
	  .init = (void *)memory_by_pid_init,
	  .exit = (void *)memory_by_pid_exit,
	  .timeout_ms = 10000,
	  .name = "memory_by_pid");
