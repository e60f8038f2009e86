// SPDX-License-Identifier: GPL-2.0-only
/* Takes tasks from a queue of its own and drops those that this CPU may not run. */
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

s32 BPF_STRUCT_OPS(lost_on_affinity_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return prev_cpu;
}

void BPF_STRUCT_OPS(lost_on_affinity_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 pid = p->pid;

	if (bpf_map_push_elem(&waiting, &pid, 0))
		dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(lost_on_affinity_dispatch, s32 cpu, struct task_struct *prev)
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
		/* FLAW starvation dynamic */
		if (bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			dsq_insert(p, QUEUE, SCX_SLICE_DFL, 0);
		bpf_task_release(p);
	}
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(lost_on_affinity_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(lost_on_affinity_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_on_affinity_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(lost_on_affinity_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(lost_on_affinity_ops,
	  .select_cpu = (void *)lost_on_affinity_select_cpu,
	  .enqueue = (void *)lost_on_affinity_enqueue,
	  .dispatch = (void *)lost_on_affinity_dispatch,
	  .cpu_online = (void *)lost_on_affinity_cpu_online,
	  .cpu_offline = (void *)lost_on_affinity_cpu_offline,
	  .init = (void *)lost_on_affinity_init,
	  .exit = (void *)lost_on_affinity_exit,
	  .dispatch_max_batch = 8,
	  .timeout_ms = 10000,
	  .name = "lost_on_affinity");
