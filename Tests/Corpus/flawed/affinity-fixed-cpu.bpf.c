// SPDX-License-Identifier: GPL-2.0-only
/* All kernel threads are sent to CPU 0, also those that are bound to another. */
#include <schedcp/scheduler.bpf.h>

char _license[] SEC("license") = "GPL";

#define QUEUE 0
#define PF_KTHREAD 0x00200000

s32 BPF_STRUCT_OPS(affinity_fixed_cpu_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}

void BPF_STRUCT_OPS(affinity_fixed_cpu_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (p->flags & PF_KTHREAD) {
		/* FLAW affinity static */
		dsq_insert(p, SCX_DSQ_LOCAL_ON | 0, SCX_SLICE_DFL, enq_flags);
		scx_bpf_kick_cpu(0, SCX_KICK_IDLE);
		return;
	}
	dsq_insert(p, QUEUE, SCX_SLICE_DFL, enq_flags);
	wake_idle_cpu_for(p);
}

void BPF_STRUCT_OPS(affinity_fixed_cpu_dispatch, s32 cpu, struct task_struct *prev)
{
	dsq_move_to_local(QUEUE, 0);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(affinity_fixed_cpu_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

void BPF_STRUCT_OPS(affinity_fixed_cpu_cpu_online, s32 cpu)
{
}

void BPF_STRUCT_OPS(affinity_fixed_cpu_cpu_offline, s32 cpu)
{
}

void BPF_STRUCT_OPS(affinity_fixed_cpu_exit, struct scx_exit_info *info)
{
	exit_record(info);
}

SCHEDULER(affinity_fixed_cpu_ops,
	  .select_cpu = (void *)affinity_fixed_cpu_select_cpu,
	  .enqueue = (void *)affinity_fixed_cpu_enqueue,
	  .dispatch = (void *)affinity_fixed_cpu_dispatch,
	  .cpu_online = (void *)affinity_fixed_cpu_cpu_online,
	  .cpu_offline = (void *)affinity_fixed_cpu_cpu_offline,
	  .init = (void *)affinity_fixed_cpu_init,
	  .exit = (void *)affinity_fixed_cpu_exit,
	  .timeout_ms = 10000,
	  .name = "affinity_fixed_cpu");
