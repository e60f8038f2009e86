// SPDX-License-Identifier: GPL-2.0-only
/* Waiting tasks are kept in a queue of 64 places; what no longer fits is forgotten. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 64);
	__type(value, s32);
} waiting SEC(".maps");

struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
void bpf_task_release(struct task_struct *p) __ksym;

s32 BPF_STRUCT_OPS(memory_queue_full_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(memory_queue_full_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 pid = p->pid;

	/* FLAW lost-task static */
	bpf_map_push_elem(&waiting, &pid, 0);
	scx_bpf_kick_cpu(scx_bpf_task_cpu(p), SCX_KICK_IDLE);
}

void BPF_STRUCT_OPS(memory_queue_full_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 i;

	bpf_for(i, 0, 8) {
		struct task_struct *p;
		s32 pid;

		if (bpf_map_pop_elem(&waiting, &pid))
			break;
		p = bpf_task_from_pid(pid);
		if (!p)
			continue;
		dsq_insert(p, QUEUE, SCX_SLICE_DFL, 0);
		bpf_task_release(p);
	}
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(memory_queue_full_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(memory_queue_full_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_queue_full_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(memory_queue_full_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(memory_queue_full_ops,
	  .select_cpu = (void *)memory_queue_full_select_cpu,
	  .enqueue = (void *)memory_queue_full_enqueue,
	  .dispatch = (void *)memory_queue_full_dispatch,
	  .cpu_online = (void *)memory_queue_full_cpu_online,
	  .cpu_offline = (void *)memory_queue_full_cpu_offline,
	  .init = (void *)memory_queue_full_init,
	  .exit = (void *)memory_queue_full_exit,
	  .dispatch_max_batch = 8,
	  .timeout_ms = 10000,
	  .name = "memory_queue_full");
