// SPDX-License-Identifier: GPL-2.0-only
/* enqueue inserts nothing: tasks wait in a queue of pids that dispatch empties, and a full one has another way. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 8192);
	__type(value, s32);
} waiting SEC(".maps");

struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
void bpf_task_release(struct task_struct *p) __ksym;

s32 BPF_STRUCT_OPS(map_drained_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(map_drained_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 pid = p->pid;

	if (bpf_map_push_elem(&waiting, &pid, 0))
		dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
	else
		wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(map_drained_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 i;

	bpf_for(i, 0, 8) {
		struct task_struct *p;
		s32 pid;

		if (bpf_map_pop_elem(&waiting, &pid))
			break;
		/* A task that has gone needs no CPU. */
		p = bpf_task_from_pid(pid);
		if (!p)
			continue;
		dsq_insert(p, QUEUE, SCX_SLICE_DFL, 0);
		bpf_task_release(p);
	}
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(map_drained_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(map_drained_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(map_drained_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(map_drained_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(map_drained_ops,
	  .select_cpu = (void *)map_drained_select_cpu,
	  .enqueue = (void *)map_drained_enqueue,
	  .dispatch = (void *)map_drained_dispatch,
	  .cpu_online = (void *)map_drained_cpu_online,
	  .cpu_offline = (void *)map_drained_cpu_offline,
	  .init = (void *)map_drained_init,
	  .exit = (void *)map_drained_exit,
	  .dispatch_max_batch = 8,
	  .timeout_ms = 10000,
	  .name = "map_drained");
