// SPDX-License-Identifier: GPL-2.0-only
/* Records are made by pid and deleted by its lowest bits, so that most stay until the table is full. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, s32);
	__type(value, u64);
} records SEC(".maps");

s32 BPF_STRUCT_OPS(memory_wrong_key_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(memory_wrong_key_enqueue, struct task_struct *p, u64 enq_flags)
{
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(memory_wrong_key_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(memory_wrong_key_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	u64 since = clock_now();
	s32 pid = p->pid;

	if (bpf_map_update_elem(&records, &pid, &since, BPF_ANY))
		scheduler_error("no room for task %d", pid);
	return 0;
}

void BPF_STRUCT_OPS(memory_wrong_key_exit_task, struct task_struct *p, struct scx_exit_task_args *args)
{
	s32 pid = p->pid & 63;

	/* FLAW ejected dynamic */
	bpf_map_delete_elem(&records, &pid);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(memory_wrong_key_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(memory_wrong_key_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_wrong_key_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_wrong_key_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(memory_wrong_key_ops,
	  .select_cpu = (void *)memory_wrong_key_select_cpu,
	  .enqueue = (void *)memory_wrong_key_enqueue,
	  .dispatch = (void *)memory_wrong_key_dispatch,
	  .init_task = (void *)memory_wrong_key_init_task,
	  .exit_task = (void *)memory_wrong_key_exit_task,
	  .cpu_online = (void *)memory_wrong_key_cpu_online,
	  .cpu_offline = (void *)memory_wrong_key_cpu_offline,
	  .init = (void *)memory_wrong_key_init,
	  .exit = (void *)memory_wrong_key_exit,
	  .timeout_ms = 10000,
	  .name = "memory_wrong_key");
