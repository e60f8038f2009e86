// SPDX-License-Identifier: GPL-2.0-only
/* dispatch takes pids from a map and gives each to the CPU where it ran, if the task may run there. */
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

s32 BPF_STRUCT_OPS(local_on_in_dispatch_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(local_on_in_dispatch_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 pid = p->pid;

	if (p->migration_disabled || bpf_map_push_elem(&waiting, &pid, 0))
		dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(local_on_in_dispatch_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 i;

	bpf_for(i, 0, 4) {
		struct task_struct *p;
		s32 pid;

		if (bpf_map_pop_elem(&waiting, &pid))
			break;
		p = bpf_task_from_pid(pid);
		if (!p)
			continue;
		if (bpf_cpumask_test_cpu(cpu, p->cpus_ptr) && !p->migration_disabled)
			dsq_insert(p, SCX_DSQ_LOCAL_ON | cpu, SCX_SLICE_DFL, 0);
		else
			dsq_insert(p, QUEUE, SCX_SLICE_DFL, 0);
		bpf_task_release(p);
	}
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(local_on_in_dispatch_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(local_on_in_dispatch_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(local_on_in_dispatch_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(local_on_in_dispatch_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(local_on_in_dispatch_ops,
	  .select_cpu = (void *)local_on_in_dispatch_select_cpu,
	  .enqueue = (void *)local_on_in_dispatch_enqueue,
	  .dispatch = (void *)local_on_in_dispatch_dispatch,
	  .cpu_online = (void *)local_on_in_dispatch_cpu_online,
	  .cpu_offline = (void *)local_on_in_dispatch_cpu_offline,
	  .init = (void *)local_on_in_dispatch_init,
	  .exit = (void *)local_on_in_dispatch_exit,
	  .dispatch_max_batch = 8,
	  .timeout_ms = 10000,
	  .name = "local_on_in_dispatch");
